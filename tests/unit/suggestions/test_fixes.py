"""Planted faults are named, and what is right is left alone."""

import re

import pytest

import metalwork as mw
from metalwork.suggestions import Fix, suggest_fixes
from tests.unit.suggestions.mail import COMMON, GOOD, SCHEMA, mailbox, run_of, without_lfs

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")


def _fixes(*more: mw.LabelingFunction, n_dev: int = 60) -> list[Fix]:
    run = run_of([*GOOD, *more], n_dev)
    found = suggest_fixes(run.inspection)
    assert [fix.severity for fix in found] == sorted((fix.severity for fix in found), reverse=True)
    for fix in found:  # what it says to look at can be looked at
        assert run.inspection.records(**fix.query).total > 0
    return found


def test_nothing_stands_out_where_all_is_well() -> None:
    assert [fix.problem for fix in _fixes() if fix.problem != "conflict"] == []


def test_a_labeling_function_for_the_wrong_label_comes_first() -> None:
    wrong = mw.keywords("billing", "Invoice", ["reimburse", "credited"], name="swapped")
    for n_dev in (0, 60):
        first = _fixes(wrong, n_dev=n_dev)[0]
        assert (first.problem, first.lfs, first.label) == ("wrong", ("swapped",), "Invoice")
        assert re.match(r"'swapped' votes for 'Invoice' on \d+ records and is right on about \d+%", first.sentence)
        assert ("on dev" in first.sentence) == (n_dev > 0)


def test_votes_off_their_branch_are_told_from_other_mistakes() -> None:
    off = mw.keywords("travel", "Flight", COMMON[:6], name="anywhere")
    first = next(fix for fix in _fixes(off) if fix.lfs == ("anywhere",))
    assert first.problem == "off branch"
    assert "applies under 'Travel'" in first.sentence


def test_the_one_word_that_does_the_harm() -> None:
    mixed = mw.keywords("travel", "Hotel", ["lobby", "breakfast", "ledger"], name="mixed")
    word = next(fix for fix in _fixes(mixed) if fix.problem == "word")
    assert (word.lfs, word.word) == (("mixed",), "ledger")
    assert "the word 'ledger' is right on about" in word.sentence
    records, known = mailbox().head(1900), SCHEMA.known_codes(mailbox().head(1900)["label"].to_list())
    alone = records["text"].str.contains(r"\bledger\b") & ~records["text"].str.contains(r"\b(lobby|breakfast)\b")
    wrong = (known[alone.to_numpy(), 2] != 1).sum()
    assert word.severity == pytest.approx(wrong, rel=0.4)


def test_copies_are_named_once() -> None:
    copy = mw.regex("billing", "Invoice", r"\b(invoice|amount)\b", name="invoice again")
    found = [fix for fix in _fixes(copy) if fix.problem == "copy"]
    assert [set(fix.lfs) for fix in found] == [{"invoice", "invoice again"}]


def test_a_label_without_a_labeling_function_is_missed() -> None:
    run = run_of([lf for lf in GOOD if lf.name not in ("hotel", "night")])
    missing = [fix for fix in suggest_fixes(run.inspection) if fix.problem == "missing"]
    assert [fix.label for fix in missing] == ["Hotel"]
    assert "on dev" in missing[0].sentence
    assert missing[0].sentence.startswith("No labeling function votes for 'Hotel'")
    whole = run_of([lf for lf in GOOD if lf.task == "billing"])
    assert [f.label for f in suggest_fixes(whole.inspection) if f.problem == "missing"] == ["Travel"]


def test_a_label_with_few_votes_is_not_said_to_have_none() -> None:
    text = mailbox().head(1)["text"][0]
    rare = mw.regex("travel", "Hotel", "^" + re.escape(text) + "$", name="rare")
    run = run_of([*(lf for lf in GOOD if lf.name not in ("hotel", "night")), rare])
    missing = [fix for fix in suggest_fixes(run.inspection) if fix.problem == "missing"]
    assert [fix.sentence.split(" (")[0] for fix in missing] == ["No labeling function casts 5 votes for 'Hotel'"]


def test_without_labeling_functions_all_labels_are_missed() -> None:
    found = suggest_fixes(without_lfs(SCHEMA, mailbox().head(1900)))
    assert [fix.label for fix in found] == ["Billing", "Travel"]


def test_conflicts_name_both() -> None:
    rival = mw.keywords("billing", "Refund", ["invoice"], name="rival")
    found = [fix for fix in _fixes(rival) if "rival" in fix.lfs]
    assert found[0].problem in ("wrong", "conflict")
    with_dev = [fix for fix in _fixes() if fix.problem == "conflict"]
    assert all(len(fix.lfs) == 2 for fix in with_dev)
