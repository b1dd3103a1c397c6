"""Labeling functions for support tickets: each votes on one task of the tree, or abstains.

They need not be right every time, nor vote on every record: the label model finds out how far to trust each.
"""

import metalwork as mw

# Coarse ones, for the root task.

money = mw.keywords("area", "Billing", ["charge*", "invoice", "bill", "refund", "paid", "payment"], name="money")
program = mw.keywords("area", "Technical", ["app", "portal", "client", "dashboard", "workspace"], name="program")


@mw.labeling_function(task="area")
def names_an_amount(text: str) -> str | int:  # the argument's name is the column's
    return "Billing" if "$" in text else mw.ABSTAIN


# Fine ones. They say nothing about tickets of the other branch.

back = mw.keywords(
    "billing", "Refund", ["refund", "money back", "reimbursement", "compensation"], name="money back"
)
twice = mw.regex(
    "billing", "Refund", r"\b(charged|paid|payment)\b.*\b(twice|second|duplicate)\b", name="paid twice"
)
papers = mw.keywords("billing", "Invoice", ["invoice", "receipt*", "bill", "statement"], name="papers")

stops = mw.keywords("technical", "Crash", ["crash*", "freezes", "frozen", "hangs", "closes"], name="stops working")
entry = mw.keywords(
    "technical", "Login", ["log in", "login", "password", "sign in", "locked"], name="cannot enter"
)


@mw.labeling_function(task="billing")
def cancelled(text: str) -> str | int:
    return "Refund" if "cancelled" in text.lower() else mw.ABSTAIN


@mw.labeling_function(task="technical")
def code_or_error(text: str) -> str | int:
    words = text.lower()
    if "verification code" in words or "two-factor" in words:
        return "Login"
    return "Crash" if "error" in words else mw.ABSTAIN
