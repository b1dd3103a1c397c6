"""Numbers and names as a report writes them."""

import pytest

from metalwork._html import showable
from metalwork.report._text import breakable, count, decimals, percent, plural, shorten


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.8364, "83.6"), (1.0, "100.0"), (0.0, "0.0"), (0.0004, "<0.1"), (None, "–"), (float("nan"), "–")],
)
def test_percent(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_other_numbers() -> None:
    assert (decimals(0.12345), decimals(None), count(12345)) == ("0.123", "–", "12,345")
    assert (plural(1, "record"), plural(2630, "record")) == ("1 record", "2,630 records")


def test_shorten_cuts_to_the_limit_on_one_line() -> None:
    assert shorten("  two\n words ", 20) == "two words"
    assert shorten("abcdefgh", 5) == "abcd…"
    assert shorten("a" + " " * 1000 + "b", 5) == "a…"
    assert len(shorten("x" * 10**6, 600)) == 600


def test_names_are_escaped_before_they_may_break() -> None:
    assert breakable("has_<b>.py") == "has_&lt;b&gt;.<wbr>py"
    assert breakable("a_b") == "a_<wbr>b"


def test_what_no_page_can_show_is_replaced() -> None:
    assert showable("a\x00b\x1b[31m\u202ec\ud800") == "a\ufffdb\ufffd[31m\ufffdc\ufffd"
    assert showable("tab\tline\n é 漢字") == "tab\tline\n é 漢字"
    assert showable(3) == 3
