"""Alphabets of votes: what each code of a labeling function says about its task."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from metalwork._checks import ABSTAIN, FAILED, NOT_APPLICABLE, FloatArray, IntArray, check_names
from metalwork.errors import VotesError
from metalwork.votes._soft import MOST_LABELS_ON_GRID, soft_grid

NO_VOTES: Final = (FAILED, NOT_APPLICABLE, ABSTAIN)
"""How a table of codes ends, so that codes below 0 pick themselves."""

_MOST_NAMES: Final = 4
_ROUNDING: Final = 1e-6


class Alphabet:
    """What each code of a labeling function's votes says: a label, a set of labels, or probabilities of labels.

    Immutable; two alphabets are equal when their rows are.

    Parameters
    ----------
    rows : float array (n_outcomes, n_labels + 1)
        Entry ``[o, s]`` in [0, 1] is how far outcome ``o`` holds that the record is in state ``s`` of the LF's
        task; the last state is "the task does not apply". 1: in the set; 0: not in it; between: a soft vote, its
        probability of the label; NaN: the question does not arise there.
    words : sequence of str (n_outcomes,), optional
        What each outcome is called, where it was said of another task: ``"animal=cat"`` of label vectors.

    Attributes
    ----------
    n_labels : int
        Number of labels of the task.
    plain : bool
        Whether its outcomes are the labels themselves.
    """

    n_labels: int
    plain: bool
    words: tuple[str, ...] | None = None

    def __init__(self, rows: Any, words: Sequence[str] | None = None) -> None:
        array = np.array(rows, dtype=np.float64)
        array.setflags(write=False)
        self.n_labels, self.plain = array.shape[1] - 1, _is_plain(array)
        self._n_outcomes = len(array)
        self.rows = array
        if words is not None:
            self.words = check_names("words", words, "what outcomes are called")
            if len(self.words) != len(array):
                raise VotesError(f"words must be one an outcome ({len(array)}); got {len(self.words)}.")

    @classmethod
    def of_labels(cls, n_labels: int) -> Self:
        """The labels themselves, one outcome each."""
        plain = cls.__new__(cls)  # its rows are made when they are asked for: of 5,000 labels they take 200 MB
        plain.n_labels, plain.plain, plain._n_outcomes = n_labels, True, n_labels
        return plain

    @cached_property
    def rows(self) -> FloatArray:
        """float array (n_outcomes, n_labels + 1), read-only."""
        rows = np.append(np.eye(self.n_labels), np.full((self.n_labels, 1), np.nan), axis=1)
        rows.setflags(write=False)
        return rows

    @classmethod
    def of_soft_votes(cls, n_labels: int) -> Self:
        """The fixed grid of soft votes over so many labels; it depends on nothing else."""
        return cls(soft_grid(n_labels))

    @classmethod
    def of_states(cls, n_labels: int, sets: Iterable[Sequence[int]]) -> Self:
        """Sets of states, one outcome each; state ``n_labels`` is "the task does not apply"."""
        return cls([_set_row(states, n_labels) for states in sets] or np.empty((0, n_labels + 1)))

    def stands_for(self, other: "Alphabet") -> bool:
        """Whether what is learned of an LF with one alphabet holds for the other: they are equal, or both soft."""
        return self == other or (self.distributions and other.distributions and self.n_labels == other.n_labels)

    @cached_property
    def distributions(self) -> bool:
        """Whether its outcomes are distributions over the labels, not all of which are for one label."""
        if self.plain or not len(self) or not np.isnan(self.rows[:, -1]).all():
            return False
        shares = self.rows[:, :-1]
        return bool((np.abs(shares.sum(axis=1) - 1.0) < _ROUNDING).all() and (shares.max(axis=1) < 1.0).any())

    def __len__(self) -> int:
        return self._n_outcomes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Alphabet):
            return NotImplemented
        if (self.n_labels, self.plain, len(self)) != (other.n_labels, other.plain, len(other)):
            return False
        return self is other or self.plain or np.array_equal(self.rows, other.rows, equal_nan=True)

    def __hash__(self) -> int:
        return hash((self.n_labels, self.plain, len(self)))

    def __repr__(self) -> str:
        return f"Alphabet(n_outcomes={len(self)}, n_labels={self.n_labels})"

    def union(self, *others: "Alphabet") -> "Alphabet":
        """Every outcome of these alphabets once, in an order that depends on the outcomes alone.

        The labels come first, or the whole grid of soft votes where any outcome is soft; then sets, ascending.
        Distributions off the grid stand alone, ascending.
        """
        parts = [part for part in (self, *others) if not part.plain]
        if not parts:
            return self
        if self.n_labels > MOST_LABELS_ON_GRID and all(part.distributions for part in (self, *others)):
            rows = np.unique(np.concatenate([part.rows[:, :-1] for part in parts]), axis=0)
            return Alphabet(np.append(rows, np.full((len(rows), 1), np.nan), axis=1))
        soft = any(_is_soft(part.rows).any() for part in parts)
        base = (Alphabet.of_soft_votes if soft else Alphabet.of_labels)(self.n_labels)
        known = set(base._keys())
        more = {key: row for part in parts for key, row in zip(part._keys(), part.rows, strict=True)}
        new = [row for key, row in more.items() if key not in known]
        new.sort(key=lambda row: (np.flatnonzero(row == 1).tolist(), row.tolist()))
        return Alphabet(np.concatenate([base.rows, *(row[None] for row in new)])) if new else base

    def codes_in(self, other: "Alphabet") -> npt.NDArray[np.int32]:
        """The code in ``other`` of each code here: int32 array (n_outcomes + 3,), ``ABSTAIN`` where it has none.

        The last three, which codes below 0 pick, leave these as they are: ``alphabet.codes_in(other)[codes]``
        recodes.
        """
        place = {key: code for code, key in reversed(list(enumerate(other._keys())))}
        return np.array([*(place.get(key, ABSTAIN) for key in self._keys()), *NO_VOTES], dtype=np.int32)

    def name(self, code: int, labels: Sequence[str]) -> str:
        """What a code says, in words: ``"a"``, ``"a or b"``, ``"not c"`` or ``"a 0.8"``."""
        if self.words is not None:
            return self.words[code]
        if self.plain:
            return labels[code]
        row = self.rows[code]
        asked = ~np.isnan(row)
        top = int(np.nanargmax(row[:-1])) if asked[:-1].any() else 0
        if _is_soft(row):
            return f"{labels[top]} {row[top]:.2g}"
        inside = [label for label, member in zip(labels, row, strict=False) if member == 1]
        outside = [label for label, member in zip(labels, row, strict=False) if member == 0]
        if not outside:
            return "any"
        if row[-1] == 1 or 1 < len(inside) > len(outside):
            return "not " + _any_of(outside)
        return _any_of(inside) if inside else "none"

    def polarity(self, codes: IntArray, labels: Sequence[str]) -> tuple[str, ...]:
        """What distinct ``codes`` say, in words; soft votes by their top label, ``"a 0.6 to 0.9"``."""
        if self.plain:
            return tuple(self.name(code, labels) for code in codes.tolist())
        soft = _is_soft(self.rows[codes])
        if self.words is not None:
            return _polarity_in_words([self.words[code] for code in codes], soft.tolist())
        levels: dict[int, list[float]] = {}
        for row in self.rows[codes[soft], :-1]:
            levels.setdefault(int(np.nanargmax(row)), []).append(float(np.nanmax(row)))
        ranges = [f"{labels[top]} {_range(found)}" for top, found in sorted(levels.items())]
        return (*(self.name(int(code), labels) for code in codes[~soft]), *ranges)

    def _keys(self) -> list[bytes]:
        return [row.tobytes() for row in np.nan_to_num(self.rows, nan=-1.0) + 0.0]


def read_alphabet(rows: Any, lf: str, n_labels: int) -> Alphabet:
    """The alphabet that a user gave an LF of a task with ``n_labels`` labels; ``VotesError`` where it is none."""
    given = rows if isinstance(rows, Alphabet) else None
    if given is not None and given.plain and given.n_labels == n_labels:
        return given  # without making its rows
    array = np.array(rows if given is None else given.rows, dtype=np.float64)
    if array.ndim != 2 or not len(array) or array.shape[1] != n_labels + 1:
        raise VotesError(
            f"outcomes of LF {lf!r} must have shape (n_outcomes, {n_labels + 1}): its task's {n_labels} labels, "
            f"and last 'does not apply'; got {array.shape}."
        )
    bad = ~((array >= 0) & (array <= 1) | np.isnan(array))
    if bad.any():
        o, s = np.argwhere(bad)[0]
        raise VotesError(
            f"outcomes of LF {lf!r} must be between 0 and 1, or NaN where the question does not arise; "
            f"got {array[o, s]} at outcome {o}, state {s}."
        )
    return Alphabet(array) if given is None else given


def _is_plain(rows: FloatArray) -> bool:
    k = rows.shape[1] - 1
    return len(rows) == k and bool(np.isnan(rows[:, k]).all()) and np.array_equal(rows[:, :k], np.eye(k))


def _is_soft(rows: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(((rows > 0) & (rows < 1)).any(axis=-1))


def _set_row(states: Sequence[int], n_labels: int) -> FloatArray:
    row = np.zeros(n_labels + 1)
    row[n_labels] = np.nan
    row[list(states)] = 1.0
    return row


def _polarity_in_words(words: Sequence[str], soft: Sequence[bool]) -> tuple[str, ...]:
    """Distinct things said, the soft ones (``"a=b 0.8"``) by what they are of."""
    levels: dict[str, list[float]] = {}
    for word in (word for word, is_soft in zip(words, soft, strict=True) if is_soft):
        top, level = word.rsplit(" ", 1)
        levels.setdefault(top, []).append(float(level))
    hard = dict.fromkeys(word for word, is_soft in zip(words, soft, strict=True) if not is_soft)
    return (*hard, *(f"{top} {_range(found)}" for top, found in levels.items()))


def _any_of(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMES:
        return " or ".join(names[: _MOST_NAMES - 1]) + f" or {len(names) - _MOST_NAMES + 1} more"
    return " or ".join(names)


def _range(levels: list[float]) -> str:
    low, high = f"{min(levels):.2g}", f"{max(levels):.2g}"
    return low if low == high else f"{low} to {high}"
