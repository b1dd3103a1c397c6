"""What suggestions are worked out from: a sample of the records, their texts, votes and posteriors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import polars as pl

from metalwork._checks import ABSTAIN, BoolArray, FloatArray
from metalwork.data import as_text
from metalwork.errors import ConfigError
from metalwork.inspection import Inspection
from metalwork.label_models import LabelModel
from metalwork.labeling import LabelingFunction
from metalwork.schema import TaskSchema, unknown_name
from metalwork.suggestions._reader import WordReader
from metalwork.suggestions._words import WordIndex, index_words
from metalwork.votes import LabelMatrix

MOST_RECORDS: Final = 50_000
"""Training records that are looked at: each so many-th, where there are more."""
_MOST_CHARACTERS: Final = 30_000_000
_MOST_CELLS: Final = 1 << 24

Floats32 = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """Training records that were drawn, then the dev records of which something is known.

    Attributes
    ----------
    schema : TaskSchema
    lfs : tuple of LabelingFunction
    field : str
        The text column that is read.
    model : LabelModel or None
        The fitted label model; None where there is none, for want of labeling functions.
    votes : LabelMatrix or None
    posterior : float32 array (n_points, n_end_labels)
        By the votes alone. Uniform where there is no label model.
    truth : float32 array (n_points, n_end_labels)
        The posterior, with what is known of dev records put in.
    texts : list of str (n_points,)
    rows : int64 array (n_points,)
        Where they stand in their split.
    n_drawn, n_train : int
        The first ``n_drawn`` are training records, of ``n_train``.
    """

    schema: TaskSchema
    lfs: tuple[LabelingFunction, ...]
    field: str
    model: LabelModel | None
    votes: LabelMatrix | None
    posterior: Floats32
    truth: Floats32
    texts: list[str]
    rows: Int64Array
    n_drawn: int
    n_train: int

    @property
    def is_dev(self) -> BoolArray:
        """Which records (n_points,) are dev records."""
        found = np.ones(len(self.texts), bool)
        found[: self.n_drawn] = False
        return found

    @cached_property
    def fired(self) -> BoolArray:
        """Which labeling function votes on which record (n_points, n_lfs)."""
        if self.votes is None:
            return np.zeros((len(self.texts), 0), bool)
        found: BoolArray = np.asfortranarray(self.votes.codes != ABSTAIN)
        return found

    @cached_property
    def covered(self) -> BoolArray:
        """Which records (n_points,) have a vote."""
        found: BoolArray = np.any(self.fired, axis=1, keepdims=True)[:, 0]
        return found

    @cached_property
    def votes_for(self) -> tuple[tuple[int, int] | None, ...]:
        """By labeling function the end labels ``start:stop`` under the one label that it votes for, or None."""
        return tuple(self._votes_for(j) for j in range(self.fired.shape[1]))

    def _votes_for(self, lf: int) -> tuple[int, int] | None:
        assert self.votes is not None
        codes = np.unique(self.votes.codes[self.fired[:, lf], lf])
        if len(codes) != 1 or not self.votes.alphabets[lf].plain:
            return None
        start, stop = self.schema.spans(self.votes.tasks[lf])[codes[0]].tolist()
        return start, stop

    @cached_property
    def balance(self) -> FloatArray:
        """Shares of the end labels (n_end_labels,) among these records."""
        found: FloatArray = self.truth.mean(axis=0, dtype=np.float64)
        return found

    @cached_property
    def words(self) -> WordIndex:
        """The words and pairs of words of the texts."""
        most = max(100, _MOST_CELLS // self.schema.n_end_labels)
        return index_words(tuple(self.texts), most)

    @cached_property
    def reader(self) -> WordReader:
        """What words say of labels, learned from the votes and from dev labels."""
        taught = self.covered | self.is_dev
        return WordReader.learn(self.words, self.truth, taught, self.is_dev)

    @cached_property
    def read(self) -> Floats32:
        """Distributions (n_points, n_end_labels) by the votes and the words of each record."""
        return self.reader.read(self.posterior)

    def place(self, row: int) -> tuple[str, int]:
        """Split and row of a record."""
        return ("dev" if row >= self.n_drawn else "train"), int(self.rows[row])


_KEPT: WeakKeyDictionary[Inspection, dict[str, Material]] = WeakKeyDictionary()


def material_of(inspection: Inspection, field: str | None = None) -> Material:
    """What is known of a run, read once for each text column.

    Raises
    ------
    ConfigError
        When there is no text column, or none of that name; when there are labeling functions but no fitted label
        model.
    """
    field = _text_column(inspection, field)
    kept = _KEPT.setdefault(inspection, {})
    if field not in kept:
        kept[field] = _read(inspection, field)
    return kept[field]


def _text_column(inspection: Inspection, field: str | None) -> str:
    """The column asked for; by default the one that most labeling functions read, or else the first."""
    first = inspection.data("train").rows(np.zeros(1, np.int64)).frame
    texts = [name for name in first.columns if first[name].dtype in (pl.String, pl.Null)]
    if field is not None:
        if field not in texts:
            raise ConfigError(f"field: {unknown_name('text column', field, texts)}")
        return field
    if not texts:
        raise ConfigError(
            f"Words must be looked for in a column of texts; the records have none: {', '.join(first.columns)}. "
            "Suggestions of words are for texts."
        )
    read = [name for lf in inspection.lfs for name in lf.fields]
    shown = [name for name in inspection.fields if name in texts] or texts
    return max(shown, key=lambda name: (read.count(name), -shown.index(name)))


def _read(inspection: Inspection, field: str) -> Material:
    schema, train = inspection.schema, inspection.data("train")
    known = inspection.data("dev").known if "dev" in inspection.splits else None
    dev_rows = np.zeros(0, np.int64) if known is None else np.flatnonzero((known >= 0).any(axis=1))
    rows = _drawn(inspection, field)
    parts = [("train", rows), *([("dev", dev_rows)] if len(dev_rows) else [])]
    texts = [text for split, own in parts for text in _texts(inspection.data(split).rows(own).frame, field)]
    votes = _votes(inspection, parts)
    if votes is not None and inspection.label_model is None:
        raise ConfigError(
            "Suggestions must be asked once the label model is fitted; got a run without it. Call run.fit() first."
        )
    if votes is None or inspection.label_model is None:
        posterior = np.full((len(texts), schema.n_end_labels), 1.0 / schema.n_end_labels, np.float32)
    else:
        posterior = inspection.label_model.predict_proba(votes).end.astype(np.float32)
    truth = posterior.copy()
    if known is not None and len(dev_rows):
        truth[len(rows) :] = _within(posterior[len(rows) :], schema.admits(known[dev_rows]))
    return Material(
        schema=schema,
        lfs=inspection.lfs,
        field=field,
        model=inspection.label_model,
        votes=votes,
        posterior=posterior,
        truth=truth,
        texts=texts,
        rows=np.concatenate([own for _, own in parts]),
        n_drawn=len(rows),
        n_train=train.n_points,
    )


def _drawn(inspection: Inspection, field: str) -> Int64Array:
    """Training rows to look at: evenly spread, no more than time and memory allow."""
    train, n_labels = inspection.data("train"), inspection.schema.n_end_labels
    few = np.unique(np.linspace(0, train.n_points - 1, min(200, train.n_points)).astype(np.int64))
    length = sum(map(len, _texts(train.rows(few).frame, field))) / len(few)
    most = int(min(MOST_RECORDS, 2 * _MOST_CELLS / n_labels, _MOST_CHARACTERS / max(length, 1.0)))
    n_drawn = min(train.n_points, max(most, 1000))
    found: Int64Array = np.arange(n_drawn, dtype=np.int64) * train.n_points // n_drawn
    return found


def _texts(frame: pl.DataFrame, field: str) -> list[str]:
    return as_text(frame[field]).fill_null("").to_list() if frame.height else []


def _votes(inspection: Inspection, parts: Sequence[tuple[str, Int64Array]]) -> LabelMatrix | None:
    """The votes on these rows of splits; None where there are no labeling functions."""
    if not inspection.lfs:
        return None
    found = []
    for split, rows in parts:
        data = inspection.data(split)
        ends = np.cumsum(data.sizes)
        for number in range(len(data.sizes)):
            start = int(ends[number]) - data.sizes[number]
            own = rows[(rows >= start) & (rows < ends[number])] - start
            if len(own):
                found.append(data.votes(number).rows(own))
    return LabelMatrix.concatenate(found)


def _within(posterior: FloatArray | Floats32, admitted: BoolArray) -> Floats32:
    """The posterior among the end labels that are admitted; uniform among them where it gives them nothing."""
    kept = np.where(admitted, np.maximum(posterior, 1e-6), 0.0)
    found: Floats32 = (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)
    return found
