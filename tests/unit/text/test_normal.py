"""One spelling for what says the same."""

import unicodedata

import polars as pl
import pytest

from metalwork.text import fold_case, is_ascii, normalise, normalised


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("o\ufb03ce \ufb02oor", "office floor"),
        ("ｆｕｌｌ－ｗｉｄｔｈ　ＡＢＣ", "full-width ABC"),
        ("ﾊﾟｰﾃｨ", "パーティ"),
        ("𝐛𝐨𝐥𝐝 𝟙𝟚", "bold 12"),
        ("\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا"),
        ("5 ㎎", "5 mg"),
        ("\u00b5g", "\u03bcg"),
        ("wait…", "wait..."),
        ("cafe\u0301", "café"),
        ("\u212bngstr\u00f6m", "Ångström"),
        ("soft\u00adhyphen", "softhyphen"),
        ("line\u00ad\n  end", "lineend"),
        ("zero\u200bwidth\u2060 \ufeffjoin", "zerowidth join"),
        ("\u202bright\u202c to left\u200f", "right to left"),
        ("❤\ufe0f", "❤"),
        ("non\u2011breaking \u2013 \u2014 \u2212", "non-breaking - - -"),
        ("\u2018a\u2019 don\u00b4t \u201cb\u201d", "'a' don't \"b\""),
        ("a\u00a0b\u2009c\u202fd", "a b c d"),
        ("a\u2028b", "a\nb"),
        ("m\u00b2 profit\u00b9 \u00bd №5 \u2460", "m\u00b2 profit\u00b9 \u00bd №5 \u2460"),
        ("ㅋㅋ", "ㅋㅋ"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("کتاب\u200c است", "کتاب است"),
        ("ക്\u200dഷ", "ക്\u200dഷ"),
        ("fr\u200cee \u200dx", "free x"),
        ("plain ASCII, as it is: 'x' - \"y\"", "plain ASCII, as it is: 'x' - \"y\""),
    ],
)
def test_spellings(written: str, plain: str) -> None:
    assert normalised(written) == plain
    assert normalised(plain) == plain
    assert normalise(pl.Series(["a", written, None])).to_list() == ["a", plain, None]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("STRASSE Straße", "strasse strasse"),
        ("ΟΔΟΣ οδος οδός", "οδοσ οδοσ οδόσ"),
        ("İstanbul ISTANBUL", "istanbul istanbul"),
        ("kız", "kız"),
        ("\ufb01ELD", "field"),
        ("ÉTÉ e\u0301te\u0301", "été été"),
        ("\u212a", "k"),
    ],
)
def test_letter_case(written: str, folded: str) -> None:
    assert normalised(written, fold=True) == folded
    assert fold_case(normalise(pl.Series(["A", written, None]))).to_list() == ["a", folded, None]


def test_every_character_is_settled_by_one_pass() -> None:
    characters = pl.Series([chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000])
    plain = normalise(characters)
    assert normalise(plain).to_list() == plain.to_list()
    assert plain.to_list() == [normalised(character) for character in characters]
    assert [text for text in plain if not unicodedata.is_normalized("NFC", text)] == []


def test_ascii_is_told_by_length() -> None:
    assert is_ascii(pl.Series(["a\n~", "é", None, ""])).tolist() == [True, False, True, True]
