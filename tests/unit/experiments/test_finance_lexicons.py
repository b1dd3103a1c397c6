"""Labeling functions made of word lists."""

from metalwork.experiments._finance_lexicons import Evidence, Form, Lexicon, make_functions

EVIDENCE: Evidence = {
    ("sector", "Corporate"): {
        "results": Lexicon("profit*, net\n   income, loss", at_least=2),
        "ticker": Form(r"<[A-Z]+>", field="title"),
    },
    ("sector", "Markets"): {"trade": Lexicon("oil, crude oil, rate*, tonne*, m&a")},
}
FUNCTIONS = {lf.name: lf for lf in make_functions(EVIDENCE)}


def test_one_function_a_piece_of_evidence_and_one_a_task() -> None:
    assert list(FUNCTIONS) == ["Corporate: results", "Corporate: ticker", "Markets: trade"]
    assert {lf.task for lf in FUNCTIONS.values()} == {"sector"}
    assert [lf.fields for lf in FUNCTIONS.values()] == [("text",), ("title",), ("text",)]


def test_words_that_count_in_company_must_differ() -> None:
    results = FUNCTIONS["Corporate: results"]
    assert results("Profits and a loss") == "Corporate"
    assert results("net  income; PROFIT") == "Corporate"
    assert results("profit profit profit") is None
    assert results("losses are no loss, nonprofit") is None


def test_a_form_heeds_letter_case_and_reads_its_field() -> None:
    ticker = FUNCTIONS["Corporate: ticker"]
    assert ticker("ACME <ACM> NET") == "Corporate"
    assert ticker("acme <acm> net") is None
