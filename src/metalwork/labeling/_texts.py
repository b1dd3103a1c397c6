"""The forms of a text column that several rules look at, computed once for all of them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import BoolArray
from metalwork._names import is_whole
from metalwork.labeling._negation import NegatedText, Negation
from metalwork.text import fold_case, is_ascii, normalise

Rows = npt.NDArray[np.intp]


class Texts:
    """A text column (n_points,): as it is written, normalised, and case folded."""

    def __init__(self, written: pl.Series) -> None:
        self.written = written
        self._negations: dict[tuple[Negation, bool], dict[int, NegatedText | None]] = {}

    def __len__(self) -> int:
        return len(self.written)

    @cached_property
    def plain(self) -> pl.Series:
        """Normalised."""
        return normalise(self.written)

    @cached_property
    def folded(self) -> pl.Series:
        """Normalised and case folded."""
        return fold_case(self.plain)

    @cached_property
    def missing(self) -> BoolArray:
        """Where there is no text."""
        return np.array(self.written.is_null().to_numpy(), dtype=bool)

    @cached_property
    def in_ascii(self) -> BoolArray:
        """Where there is a text of plain ASCII."""
        return is_ascii(self.written) & ~self.missing

    @cached_property
    def beyond_ascii(self) -> Rows:
        """Rows that hold other characters than ASCII."""
        return np.flatnonzero(~(self.in_ascii | self.missing))

    def negations(self, negation: Negation, rows: Rows, plain: bool) -> dict[int, NegatedText | None]:
        """What is negated in the texts of ``rows`` (``plain``: normalised), by row; None where nothing is."""
        known = self._negations.setdefault((negation, plain), {})
        new = [row for row in rows.tolist() if row not in known]
        if new:
            column = self.plain if plain else self.written
            known.update(zip(new, negation.read(column.gather(new)), strict=True))
        return known

    def negated(self, negation: Negation, rows: Rows, plain: bool) -> tuple[Rows, pl.Series]:
        """Those of ``rows`` in which something is negated, and their texts without it (``plain``: normalised)."""
        known = self.negations(negation, rows, plain)
        parts = [(row, part) for row in rows.tolist() if (part := known[row]) is not None]
        rests = pl.Series([part.rest() for _, part in parts], dtype=pl.String)
        return np.array([row for row, _ in parts], dtype=np.intp), rests


def texts_of(column: pl.Series) -> tuple[Texts, Mapping[int, str]]:
    """A column as texts, whole numbers as they are written, and by row why a value is no text."""
    kind = column.dtype
    if kind == pl.String:
        return Texts(column), {}
    if kind in (pl.Null, pl.Categorical, pl.Enum) or kind.is_integer():
        return Texts(column.cast(pl.String)), {}
    texts, why = list[str | None](), dict[int, str]()
    for row, value in enumerate(column.to_list()):
        text = _text_of(value)
        texts.append(text)
        if text is None and value is not None:
            why[row] = f"TypeError: it reads one text, but got {value!r}"
    return Texts(pl.Series(column.name, texts, dtype=pl.String)), why


def _text_of(value: Any) -> str | None:
    return str(value) if isinstance(value, str) or is_whole(value) else None
