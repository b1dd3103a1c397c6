"""The fast regex engine stands in for ``re`` only where both give the same answer."""

import random
import re
import warnings

import polars as pl
import pytest

from metalwork.labeling._dialects import AGREED, rust_pattern

EVERY = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
CHARACTERS = re.findall(f"[{AGREED}]", EVERY)


@pytest.mark.parametrize("kind", [r"\w", r"\W", r"\s", r"\S", r"\d", r"\D", "."])
def test_agreed_characters_are_classified_alike(kind: str) -> None:
    rust = pl.Series(CHARACTERS).str.contains(f"^{kind}").to_list()
    assert [character for character, found in zip(CHARACTERS, rust, strict=True) if found] == re.findall(
        kind, "".join(CHARACTERS), re.DOTALL if kind != "." else 0
    )


def test_both_engines_read_the_class_of_agreed_characters_alike() -> None:
    rust = pl.Series(list(EVERY)).str.contains(f"^[{AGREED}]")
    assert pl.Series(list(EVERY)).filter(rust).to_list() == CHARACTERS


def test_agreed_characters_fold_alike() -> None:
    letters = [c for c in CHARACTERS if len({c, c.lower(), c.upper(), c.casefold()}) > 1]
    column, text = pl.Series(letters), "".join(letters)
    differing = [
        letter
        for letter in letters
        if column.filter(column.str.contains(f"(?i){letter}")).to_list() != re.findall(letter, text, re.IGNORECASE)
    ]
    assert len(letters) > 600
    assert differing == []


PIECES = [
    *"abAéÉ -0_.^$()*+?&~#<[]{}|",
    *re.findall(r"\\\S", r"\w\W\d\s\S\b\B\.\n\-\Z\A\<\1"),
    *re.findall(r"\(\?\S+", r"(?: (?P<x> (?= (?! (?<! (?i) (?i:"),
    *re.findall(r"\S+", r"{2} {1,2} {,2} {1,} *? ?? {2}? ++ && --"),
    *re.findall(r"\S+", r"[ab] [^a] [a-c] [A-C] [\w-] [^\W\d] [é-ü] []a] [[a] [a&&b] [a-] [a--b]"),
]


def test_accepted_patterns_find_the_same_in_both_engines() -> None:
    draw = random.Random(0)
    texts = ["".join(draw.choices("aabAB éÉüC-0_.\n#&~<[]{}", k=draw.randint(0, 8))) for _ in range(100)]
    column, accepted = pl.Series(texts), 0
    for _ in range(6000):
        pattern = "".join(draw.choices(PIECES, k=draw.randint(1, 6)))
        flags = draw.choice([0, re.IGNORECASE, re.DOTALL, re.MULTILINE | re.IGNORECASE])
        try:
            with warnings.catch_warnings(action="ignore"):  # re foresees set operations, which are refused here
                compiled = re.compile(pattern, flags)
        except re.error:
            continue
        rust = rust_pattern(pattern, compiled.flags)
        if rust is not None:
            accepted += 1
            expected = [compiled.search(text) is not None for text in texts]
            assert column.str.contains(rust).to_list() == expected, pattern
    assert accepted > 500


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(a)\1", r"a$", r"a++", r"a{,2}", r"[a&&b]", r"\Ba", "İ", r"\<", "[]a]"]
)
def test_patterns_that_differ_are_left_to_re(pattern: str) -> None:
    assert rust_pattern(pattern, 0) is None


@pytest.mark.parametrize(
    "pattern", [r"\bbarrels?\b", r"(oil|gas)\s+price", r"^\d{1,3}%", r"(?i)[^a-z.]+", "нефть"]
)
def test_common_patterns_run_on_the_fast_engine(pattern: str) -> None:
    assert rust_pattern(pattern, re.IGNORECASE) == f"(?i){pattern}"
