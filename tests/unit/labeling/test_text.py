"""Keyword and regex labeling functions."""

import re

import polars as pl
import pytest

import metalwork as mw

SCHEMA = mw.TaskSchema.flat(["No", "Yes"], task="t")


def finds(lf: mw.LabelingFunction, text: str) -> bool:
    """Whether the LF votes on the text; batch and single calls must agree."""
    one = lf(text)
    batch = mw.apply([lf], [{"text": text}, {"text": "-"}, {"text": None}], SCHEMA).codes[:, 0].tolist()
    assert one in ("Yes", None)
    assert batch == [1 if one else -1, -1, -1]
    return one is not None


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("mass", "A MASS in the lung", True),
        ("mass", "massive", False),
        ("mass", "biomass", False),
        ("mass", "a mass-like lesion", True),
        ("interest rate", "the interest\n  rate rose", True),
        ("interest rate", "the interest rates", False),
        ("calcif*", "calcified nodule", True),
        ("calcif*", "recalcified", False),
        ("pleural effus*", "pleural effusions", True),
        ("C++", "I like C++.", True),
        ("C++", "I like C.", False),
        ("$5", "only US$5 now", True),
        ("a.b", "axb", False),
        ("x-ray", "An X-ray.", True),
        ("isn't", "it isn’t so", True),
        ("café", "un cafe\u0301 noir", True),
        ("cafe\u0301", "un CAFÉ noir", True),
        ("cafe", "un café", False),
        ("straße", "STRAßE", True),
        ("हिन्दी", "यह हिन्दी है", True),
        ("हिन्द", "यह हिन्दी है", False),
        ("нефть", "НЕФТЬ дорожает", True),
        ("office", "an o\ufb03ce", True),
        ("\ufb02oor", "the floor", True),
        ("refund", "re\u00adfund", True),
        ("log in", "log\u00a0in", True),
        ("log in", "log\u200b in", True),
        ("follow-up", "follow\u2010up", True),
        ("follow\u2013up", "follow-up", True),
        ("can't", "I can\u2032t", True),
        ("can't", "I can`t", True),
        ("can\u2019t", "I CAN'T", True),
        ("strasse", "Große Straße", True),
        ("STRASSE", "straße", True),
        ("οδος", "ΟΔΟΣ", True),
        ("istanbul", "İSTANBUL", True),
        ("kiz", "kız", False),
        ("fee", "ＦＥＥ", True),
        ("profit", "profit\u00b9", True),
        ("می\u200cخواهم", "من می\u200cخواهم بروم", True),
        ("می\u200cخواهم", "من میخواهم بروم", True),
        ("می", "من می\u200cخواهم بروم", False),
        ("किताब", "यह किताबें हैं", False),
        ("தமிழ்", "நல்ல தமிழ் மொழி", True),
        ("❤", "with ❤\ufe0f", True),
    ],
)
def test_keywords_respect_words_case_and_unicode(word: str, text: str, found: bool) -> None:
    assert finds(mw.keywords("t", "Yes", [word]), text) is found


def test_case_and_word_boundaries_can_be_switched() -> None:
    assert not finds(mw.keywords("t", "Yes", ["US"], ignore_case=False), "give us")
    assert finds(mw.keywords("t", "Yes", ["US"], ignore_case=False), "the US said")
    assert not finds(mw.keywords("t", "Yes", ["利率"]), "提高利率了")
    assert finds(mw.keywords("t", "Yes", ["利率"], whole_words=False), "提高利率了")
    assert finds(mw.keywords("t", "Yes", ["ไทย"], whole_words=False), "ภาษา\u200bไทย")
    assert not finds(mw.keywords("t", "Yes", ["Straße"], ignore_case=False), "Strasse")
    assert finds(mw.keywords("t", "Yes", ["\ufb01x"], ignore_case=False), "a fix")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Large pleural effusion.", True),
        ("No pleural effusion.", False),
        ("No focal consolidation, pleural effusion or pneumothorax.", False),
        ("There is no evidence of a large, loculated or free flowing left effusion.", False),
        ("No pneumothorax. Small effusion.", True),
        ("No pneumothorax but a small effusion.", True),
        ("Effusion without pneumothorax.", True),
        ("Without effusion; effusion is new.", True),
        ("No significant change in the effusion.", True),
        ("Lungs are clear of effusion", False),
        ("There isn’t an effusion", False),
        ("nodules and effusion", True),
        ("Casino effusion", True),
    ],
)
def test_negated_words_do_not_count(text: str, found: bool) -> None:
    assert finds(mw.keywords("t", "Yes", ["effusion"], negated_by=True), text) is found
    assert finds(mw.regex("t", "Yes", r"effusions?", negated_by=True), text) is found
    assert finds(mw.regex("t", "Yes", r"(?<!x)effusions?", negated_by=True), text) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sans a b effusion", False),
        ("sans a b c effusion", True),
        ("sans a b sans c effusion", False),
        ("sans a, b-c effusion", False),
        ("sans a but effusion", True),
        ("sans. effusion", True),
        ("no effusion", True),
        ("sans a b c effusion, sans a b effusion", True),
    ],
)
def test_a_window_bounds_a_negation(text: str, found: bool) -> None:
    assert finds(mw.keywords("t", "Yes", ["effusion"], negated_by=["sans"], window=3), text) is found


def test_cutting_a_negation_out_joins_no_words() -> None:
    lf = mw.keywords("t", "Yes", ["pleural effusion"], negated_by=["no"], window=1)
    assert not finds(lf, "pleural no large effusion")
    assert not finds(mw.regex("t", "Yes", r"a.*b", negated_by=["no"], window=1), "a no c b")


def test_a_regex_means_what_re_says() -> None:
    assert finds(mw.regex("t", "Yes", r"barrels?$"), "Barrel\n")
    assert finds(mw.regex("t", "Yes", r"(\w)\1"), "look")
    assert not finds(mw.regex("t", "Yes", r"a++a"), "aaa")
    assert finds(mw.regex("t", "Yes", r"\bcafe\b"), "cafe\u0301")  # a combining mark is no \w to re
    assert finds(mw.regex("t", "Yes", r"i"), "İ")
    assert not finds(mw.regex("t", "Yes", r"\bfind"), "a \ufb01nd")  # the text as it is written
    assert finds(mw.regex("t", "Yes", "[\u201c\u201d]"), "\u201cquoted\u201d")
    assert not finds(mw.regex("t", "Yes", r"OIL", flags=0), "oil")
    assert finds(mw.regex("t", "Yes", "a . b", flags=re.VERBOSE | re.DOTALL), "a\nb")


def test_names_tell_label_and_pattern() -> None:
    assert mw.keywords("t", "Yes", ["oil", "gas"]).name == "Yes: oil"
    assert mw.keywords("t", "Yes", {"oil", "gas"}).name == "Yes: gas"
    assert mw.regex("t", "Yes", "oil+").name == "Yes: oil+"
    assert mw.regex("t", "Yes", "oil+", name="oil").name == "oil"


def test_whole_numbers_read_as_text_and_other_values_are_errors() -> None:
    lf = mw.regex("t", "Yes", "^94")
    votes = mw.apply([lf], pl.DataFrame({"text": [94110, 10001, None]}), SCHEMA)
    assert votes.codes[:, 0].tolist() == [1, -1, -1]
    assert lf(94110) == "Yes"
    with pytest.raises(TypeError, match=r"it reads one text, but got \['a'\]"):
        lf(["a"])
    with pytest.raises(
        mw.MetalworkError, match=r"failed on 1 of 2 records.*at row 1: TypeError: it reads one text"
    ):
        mw.apply([lf], [{"text": "94"}, {"text": {"a": 1}}], SCHEMA)


def test_an_invisible_word_is_no_word() -> None:
    with pytest.raises(mw.MetalworkError) as caught:
        mw.keywords("t", "Yes", ["\u200b"], name="blank")
    assert str(caught.value) == "words of LF 'blank' must be a list of words; got ['\\u200b']."


def test_lfs_on_one_batch_share_its_forms_and_batches_do_not_mix() -> None:
    first, second = pl.DataFrame({"text": ["Oil", "gas"]}), pl.DataFrame({"text": ["gas", "Oil"]})
    lfs = [mw.keywords("t", "Yes", ["oil"], name=str(i), negated_by=bool(i)) for i in range(2)]
    assert mw.apply(lfs, first, SCHEMA).codes.tolist() == [[1, 1], [-1, -1]]
    assert mw.apply(lfs, second, SCHEMA).codes.tolist() == [[-1, -1], [1, 1]]
