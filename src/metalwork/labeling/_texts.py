"""The forms of a text column that several LFs look at, computed once for all of them."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork.labeling._negation import Negation
from metalwork.text import fold_case, is_ascii, normalise

_KEPT_BYTES = 64 << 20


class Texts:
    """A text column (n_points,): as it is written, normalised, and case folded."""

    def __init__(self, written: pl.Series) -> None:
        self.written = written
        self._cuts: dict[tuple[Negation, bool], dict[int, str | None]] = {}

    @cached_property
    def plain(self) -> pl.Series:
        """Normalised."""
        return normalise(self.written)

    @cached_property
    def folded(self) -> pl.Series:
        """Normalised and case folded."""
        return fold_case(self.plain)

    @cached_property
    def beyond_ascii(self) -> npt.NDArray[np.intp]:
        """Rows that hold other characters than ASCII."""
        return np.flatnonzero(~is_ascii(self.written))

    def negated(
        self, negation: Negation, rows: npt.NDArray[np.intp], plain: bool
    ) -> tuple[npt.NDArray[np.intp], pl.Series]:
        """Those of ``rows`` in which something is negated, and their texts without it (``plain``: normalised)."""
        column = self.plain if plain else self.written
        known = self._cuts.setdefault((negation, plain), {})
        new = np.array([row for row in rows if row not in known], dtype=np.intp)
        if new.size:
            known.update(zip(new.tolist(), negation.cut(column.gather(new)), strict=True))
        changed = np.array([row for row in rows if known[row] is not None], dtype=np.intp)
        return changed, pl.Series([known[row] for row in changed], dtype=pl.String)


_last: Texts | None = None


def texts_of(column: pl.Series) -> Texts:
    """The forms of ``column``; those of the last column are kept, for LFs run one after the other on one batch."""
    global _last
    texts = _last
    if texts is None or not texts.written.equals(column, null_equal=True):
        texts = Texts(column)
        if column.estimated_size() <= _KEPT_BYTES:
            _last = texts
    return texts
