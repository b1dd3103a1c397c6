"""Rules that are compiled together vote as each does alone, on one value at a time."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import metalwork as mw

SCHEMA = mw.TaskSchema.flat(["No", "Yes"], task="t")
WORDS = (
    "oil",
    "oils",
    "crude oil",
    "calcif*",
    "calcification of",
    "interest rat* rise",
    "internationally",
    "c++",
    "$5",
    "u.s.",
    "u.s. dollar",
    "don't",
    "w/o",
    "a",
    "a*",
    "x-ray",
    "straße",
    "café",
    "cafe\u0301",
    "не нефть",
    "किताब",
    "m²",
    "x_1",
    "internationalisation*",
    "at&t",
    "a b c",
    "no oil",
    ".",
    "oil . gas",
    "利率",
    "می\u200cخواهم",
    "`q`",
    "½",
    "\u0130i",
)
PIECES = (
    *WORDS,
    " ",
    "  ",
    "\n",
    "\n\n",
    ". ",
    ".",
    ", ",
    "; ",
    "? ",
    ": ",
    "-",
    "'",
    "`",
    "\u2019",
    "_",
    "no ",
    "not ",
    "without ",
    "sans ",
    "denies ",
    "is not seen",
    " but ",
    "-free",
    "non-",
    "No. 5",
    "e.g. ",
    "Dr. ",
    "OIL",
    "Oil",
    "STRASSE",
    "calcified",
    "rates",
    "rise",
    "\u00ad",
    "\u200b",
    "\u0301",
    "\x01",
    "\x00",
    "\x1c",
    "\xa0",
    "ﬁx",
    "internationalisations",
    "\u0130",
    "gas",
    "5",
    "é",
    "!",
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
RULES = st.fixed_dictionaries(
    {
        "words": st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True),
        "negated_by": st.sampled_from([False, False, True, ("no", "sans"), ("non*", "w/o"), ("kein*", "né")]),
        "window": st.sampled_from([None, 1, 3]),
        "ignore_case": st.sampled_from([True, True, True, False]),
        "whole_words": st.sampled_from([True, True, True, False]),
    }
)


def keywords(options: Sequence[dict[str, Any]]) -> list[mw.LabelingFunction]:
    return [mw.keywords("t", "Yes", name=str(j), **own) for j, own in enumerate(options)]


@settings(max_examples=300, deadline=None)
@given(st.lists(RULES, min_size=1, max_size=4), st.lists(st.none() | TEXTS, min_size=1, max_size=6))
def test_together_and_alone_they_vote_alike(options: list[dict[str, Any]], texts: list[str | None]) -> None:
    lfs = keywords(options)
    together = mw.apply(lfs, pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)}), SCHEMA).codes
    alone = [[-1 if lf(text) is None else 1 for lf in lfs] for text in texts]
    assert together.tolist() == alone
