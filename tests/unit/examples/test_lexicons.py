"""Labeling functions made of word lists."""

from metalwork.examples import example_folder
from tests.unit.examples.parts import part

lexicons = part("rcv1", "lexicons")
Form, Lexicon = lexicons.Form, lexicons.Lexicon

EVIDENCE = {
    ("sector", "Corporate"): {
        "results": Lexicon("profit*, net\n   income, loss", at_least=2),
        "ticker": Form(r"<[A-Z]+>", field="title"),
    },
    ("sector", "Markets"): {"trade": Lexicon("oil, crude oil, rate*, tonne*, m&a")},
}
FUNCTIONS = {lf.name: lf for lf in lexicons.make_functions(EVIDENCE)}


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


def test_the_two_sets_of_financial_news_share_what_does_not_differ() -> None:
    for name in ("lexicons.py", "markets.py"):  # each project is whole, so that it can be copied
        first, second = (example_folder(example) / name for example in ("rcv1", "reuters"))
        assert first.read_bytes() == second.read_bytes()
