"""Labeling functions that look for words or patterns in a text column, whole columns at a time."""

import re
import unicodedata
from collections.abc import Collection, Sequence, Set
from typing import Any, NamedTuple

from metalwork.errors import LabelingError
from metalwork.labeling._function import LabelingFunction
from metalwork.labeling._negation import make_negation
from metalwork.labeling._text_rules import KeywordRule, RegexRule, TextRule
from metalwork.text import normalised


def keywords(
    task: str,
    label: str,
    words: Collection[str],
    field: str = "text",
    name: str | None = None,
    *,
    negated_by: Sequence[str] | bool = (),
    window: int | None = None,
    ignore_case: bool = True,
    whole_words: bool = True,
) -> LabelingFunction:
    """A labeling function that votes ``label`` where a text holds one of ``words``.

    Parameters
    ----------
    task, label : str
    words : list or set of str
        Words or phrases, matched at Unicode word boundaries, with any white space inside a phrase. A trailing
        ``*`` stands for any ending: ``"calcif*"``. Words and texts are compared in one spelling: ligatures, soft
        hyphens, zero-width spaces, curly quotes, dashes, no-break spaces, full-width letters and combining accents
        make no difference.
    field : str
        The column to look in. Null abstains.
    name : str, optional
        ``"<label>: <first word>"`` by default.
    negated_by : sequence of str or bool
        Words such as "no" and "without": what follows them in the same sentence is disregarded, up to a word such
        as "but". With "no pleural effusion or pneumothorax", neither word counts. True takes all that English
        has: ``metalwork.labeling.NEGATIONS``, and what negates the words before it ("effusion: none", "is not
        seen", "was ruled out", "has resolved"). "No change", "not only" and what is uncertain ("cannot exclude",
        "unlikely") negate nothing. A line break inside a sentence, a decimal point or an abbreviation ends none.
    window : int, optional
        How many words a negation reaches; to the end of the sentence by default.
    ignore_case : bool
        By Unicode's full case folding: "STRASSE" is "Straße".
    whole_words : bool
        Pass False for scripts that put no space between words.

    Examples
    --------
    >>> import metalwork as mw
    >>> effusion = mw.keywords("finding", "Effusion", ["pleural effusion"], negated_by=True)
    >>> effusion("Large pleural effusion."), effusion("No pneumothorax or pleural effusion.")
    ('Effusion', None)
    """
    phrases = sorted(words) if isinstance(words, Set) else words
    if (
        isinstance(phrases, str)
        or not isinstance(phrases, Sequence)
        or not phrases
        or not all(map(_is_text, phrases))
    ):
        of = f"LF {name!r}" if name is not None else f"the keyword LF for {label!r}"
        raise LabelingError(f"words of {of} must be a list of words; got {words!r}.")
    lf_name = f"{label}: {phrases[0]}" if name is None else name
    rule = KeywordRule(label, phrases, ignore_case, whole_words, make_negation(negated_by, window, lf_name))
    return _text_function(task, lf_name, field, rule)


def regex(
    task: str,
    label: str,
    pattern: str,
    field: str = "text",
    name: str | None = None,
    *,
    flags: int = re.IGNORECASE,
    negated_by: Sequence[str] | bool = (),
    window: int | None = None,
) -> LabelingFunction:
    """A labeling function that votes ``label`` where ``pattern`` is found in a text.

    Parameters
    ----------
    task, label : str
    pattern : str
        A regular expression of Python's ``re`` module, which defines what it matches; the faster engine of
        polars stands in wherever the two agree. It sees each text as it is written, not in the one spelling that
        :func:`keywords` compares: a pattern may be about the very characters.
    field : str
        The column to look in. Null abstains.
    name : str, optional
        ``"<label>: <pattern>"`` by default.
    flags : int
        ``re`` flags; letter case is ignored by default, 0 heeds it.
    negated_by, window
        As for :func:`keywords`: the pattern must still be found once negated stretches are cut out of the text.

    Raises
    ------
    LabelingError
        When the pattern is no valid regular expression, saying where.
    """
    lf_name = name if name is not None else f"{label}: {pattern}"
    negation = make_negation(negated_by, window, lf_name)
    try:
        rule = RegexRule(label, pattern, flags, negation)
    except (re.error, TypeError, OverflowError, RecursionError, ValueError) as error:
        raise LabelingError(
            f"pattern of LF {lf_name!r} must be a regular expression; got {pattern!r}: {error}."
        ) from None
    return _text_function(task, lf_name, field, rule)


class WordList(NamedTuple):
    """What a keyword LF looks for, and how."""

    words: tuple[str, ...]
    ignore_case: bool
    whole_words: bool


def word_list(lf: LabelingFunction) -> WordList | None:
    """What a keyword LF looks for; None of other LFs."""
    rule = lf.function
    if not isinstance(rule, KeywordRule):
        return None
    return WordList(rule.words, rule.ignore_case, rule.whole_words)


def _text_function(task: Any, name: str, field: Any, rule: TextRule) -> LabelingFunction:
    for what, value in (("task", task), ("label", rule.label), ("field", field)):
        if not isinstance(value, str) or not value:
            raise LabelingError(f"{what} of LF {name!r} must be a text; got {value!r}.")
    return LabelingFunction(task, unicodedata.normalize("NFC", name), (field,), rule)


def _is_text(word: object) -> bool:
    return isinstance(word, str) and bool(normalised(word).strip())
