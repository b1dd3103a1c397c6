"""Labeling functions that look for words or patterns in a text column, whole columns at a time."""

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Collection, Sequence, Set
from typing import Any

import numpy as np
import polars as pl

from metalwork._checks import BoolArray
from metalwork.errors import LabelingError
from metalwork.labeling._dialects import AGREED, rust_pattern
from metalwork.labeling._function import ColumnRule, LabelingFunction
from metalwork.labeling._negation import Negation, make_negation
from metalwork.labeling._texts import Texts, texts_of
from metalwork.text import any_phrase_pattern, normalised


class _TextRule(ColumnRule):
    """Gives ``label`` to every text that matches and is not negated; null abstains."""

    plain: bool  # whether it looks at normalised text

    def __init__(self, label: str, negation: Negation | None) -> None:
        self.label, self.negation, self.labels = label, negation, (label,)

    def __call__(self, *values: Any) -> str | None:
        column = pl.Series(values, dtype=pl.Object) if len(values) != 1 else pl.Series(values, strict=False)
        if not self.accepts(column):
            raise TypeError(f"it reads one text, but got {', '.join(map(repr, values))}")
        label: str | None = self.label_columns(column)[0]
        return label

    def accepts(self, *columns: pl.Series) -> bool:
        kind = columns[0].dtype
        return kind in (pl.String, pl.Null, pl.Categorical, pl.Enum) or kind.is_integer()

    def label_columns(self, *columns: pl.Series) -> pl.Series:
        texts = texts_of(columns[0] if columns[0].dtype == pl.String else columns[0].cast(pl.String))
        found = self._matches(texts)
        if self.negation is not None and (rows := np.flatnonzero(found)).size:
            changed, cut = texts.negated(self.negation, rows, self.plain)
            found[changed] = self._matches(Texts(cut))
        return pl.select(pl.when(pl.Series(found)).then(pl.lit(self.label, pl.String))).to_series()

    @abstractmethod
    def _matches(self, texts: Texts) -> BoolArray:
        """Which texts (n_points,) match; null does not."""


class _KeywordRule(_TextRule):
    """Words and phrases in normalised text, at Unicode word boundaries."""

    plain = True

    def __init__(
        self, label: str, words: Sequence[str], ignore_case: bool, whole_words: bool, negation: Negation | None
    ) -> None:
        super().__init__(label, negation)
        self.words, self.ignore_case = tuple(words), ignore_case
        self.pattern = any_phrase_pattern(self.words, whole_words, fold=ignore_case)

    def _matches(self, texts: Texts) -> BoolArray:
        return _as_mask((texts.folded if self.ignore_case else texts.plain).str.contains(self.pattern))


class _RegexRule(_TextRule):
    """A pattern of Python's ``re`` on the text as it is written; the Rust engine stands in where both agree."""

    plain = False

    def __init__(self, label: str, pattern: str, flags: int, negation: Negation | None) -> None:
        super().__init__(label, negation)
        if not isinstance(pattern, str):
            raise TypeError("it is no text")
        self.pattern = re.compile(pattern, flags)
        rust = rust_pattern(pattern, self.pattern.flags)
        self.rust = rust if rust is not None and _compiles(rust) else None

    def _matches(self, texts: Texts) -> BoolArray:
        text = texts.written
        if self.rust is None:
            return self._search(text)
        mask = _as_mask(text.str.contains(self.rust))
        other = texts.beyond_ascii
        if other.size:
            differing = other[_as_mask(text.gather(other).str.contains(f"[^{AGREED}]"))]
            mask[differing] = self._search(text.gather(differing))
        return mask

    def _search(self, text: pl.Series) -> BoolArray:
        search = self.pattern.search
        found = (value is not None and search(value) is not None for value in text.to_list())
        return np.fromiter(found, dtype=bool, count=len(text))


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
    rule = _KeywordRule(label, phrases, ignore_case, whole_words, make_negation(negated_by, window, lf_name))
    if not _compiles(rule.pattern):
        raise LabelingError(
            f"words of LF {lf_name!r} must fit one pattern; {len(words)} are too many. Split them."
        )
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
        rule = _RegexRule(label, pattern, flags, negation)
    except (re.error, TypeError, OverflowError, RecursionError, ValueError) as error:
        raise LabelingError(
            f"pattern of LF {lf_name!r} must be a regular expression; got {pattern!r}: {error}."
        ) from None
    return _text_function(task, lf_name, field, rule)


def _text_function(task: Any, name: str, field: Any, rule: _TextRule) -> LabelingFunction:
    for what, value in (("task", task), ("label", rule.label), ("field", field)):
        if not isinstance(value, str) or not value:
            raise LabelingError(f"{what} of LF {name!r} must be a text; got {value!r}.")
    return LabelingFunction(task, unicodedata.normalize("NFC", name), (field,), rule)


def _is_text(word: object) -> bool:
    return isinstance(word, str) and bool(normalised(word).strip())


def _as_mask(found: pl.Series) -> BoolArray:
    return np.array(found.fill_null(False).to_numpy(), dtype=bool)


def _compiles(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return False
    return True
