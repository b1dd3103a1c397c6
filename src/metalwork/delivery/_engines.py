"""What predicts: from a frame of records to probabilities of the end labels."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from metalwork._checks import FloatArray
from metalwork.errors import LabelingError
from metalwork.label_models import FeatureAwareLabelModel, LabelModel
from metalwork.labeling import VoteTotal, apply_shards, column_faults, in_alphabets_of
from metalwork.pipeline import KeptLFs, reads_votes, with_votes
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel, FeatureEffect


class Engine(ABC):
    """Predicts frames of records.

    Attributes
    ----------
    schema : TaskSchema
    columns : tuple of str or None
        The columns of records that it reads; None for all that there are.
    """

    kind: ClassVar[str]
    """``"end"``, ``"label"`` or ``"both"``: whose probabilities these are."""
    schema: TaskSchema
    columns: tuple[str, ...] | None
    voting: "Voting | None" = None
    """What runs the labeling functions whose votes it reads; None where it reads none."""

    @abstractmethod
    def proba(self, frame: pl.DataFrame) -> FloatArray:
        """Probabilities of the end labels (n_points, n_end_labels)."""

    def explain(self, frame: pl.DataFrame, end_label: str) -> "list[FeatureEffect]":
        """What the features of the one record of a frame moved; nothing where there are none."""
        return []


class EndEngine(Engine):
    """The trained network."""

    kind = "end"

    def __init__(self, model: "EndModel", voting: "Voting | None" = None) -> None:
        self.model, self.schema = model, model.schema
        self.voting = voting if reads_votes(model.featurizer_.columns) else None
        self.columns = model.featurizer_.columns if self.voting is None else None

    def proba(self, frame: pl.DataFrame) -> FloatArray:
        return self.model.predict_proba(self._read(frame)).end

    def explain(self, frame: pl.DataFrame, end_label: str) -> "list[FeatureEffect]":
        return self.model.explain(self._read(frame), 0, end_label)

    def proba_of(self, frame: pl.DataFrame, votes: LabelMatrix) -> FloatArray:
        """:meth:`proba` of records whose votes are known."""
        return self.model.predict_proba(frame if self.voting is None else with_votes(frame, votes)).end

    def _read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The records, with the votes on them where the model reads these."""
        return frame if self.voting is None else with_votes(frame, self.voting.votes(frame))


class Voting:
    """Runs labeling functions on frames of records, in the alphabets that a label model knows.

    Parameters
    ----------
    lfs : KeptLFs
    like : VoteTotal
        What came up on the training records.
    """

    def __init__(self, lfs: KeptLFs, like: VoteTotal) -> None:
        self.lfs, self._like = lfs, like
        self.n_points = 0
        self.failures = Counter[str]()

    def can_read(self, columns: Sequence[str]) -> bool:
        """Whether records with these columns have all that the labeling functions read."""
        functions = self.lfs.total(columns).functions
        return not column_faults(functions, columns, self.lfs.preprocessors)

    def votes(self, frame: pl.DataFrame) -> LabelMatrix:
        """The votes on some records; what labeling functions failed on is counted."""
        total = self.lfs.total(frame.columns)
        parts = list(
            apply_shards(
                total,
                frame,
                on_failure="continue",
                chunk_size=max(1, frame.height),
                preprocessors=self.lfs.preprocessors,
                like=self._like,
            )
        )
        self.n_points += frame.height
        self.failures.update({name: n_failed for name, _, n_failed in total.counts() if n_failed})
        return in_alphabets_of(total, np.concatenate(parts), self._like, incidents=True)

    def check(self) -> None:
        """``LabelingError`` for labeling functions that failed on a larger part of all records than they may."""
        most = self.lfs.max_error_rate * self.n_points
        wrong = [f"{name!r} on {count:,}" for name, count in sorted(self.failures.items()) if count > most]
        if wrong:
            raise LabelingError(
                f"Labeling functions must fail on at most {self.lfs.max_error_rate:g} of the records "
                f"(max_error_rate); of {self.n_points:,} records failed {', '.join(wrong)}. Mend them, or their "
                "records."
            )


class LabelEngine(Engine):
    """The label model, by the votes of the labeling functions."""

    kind = "label"

    voting: Voting

    def __init__(self, model: LabelModel, voting: Voting | None) -> None:
        assert voting is not None
        self.model, self.voting, self.schema = model, voting, model.schema
        self.columns = None

    @cached_property
    def _reads_records(self) -> bool:
        return isinstance(self.model, FeatureAwareLabelModel) and bool(self.model.feature_model_)

    def proba(self, frame: pl.DataFrame) -> FloatArray:
        return self.proba_of(frame, self.voting.votes(frame))

    def proba_of(self, frame: pl.DataFrame, votes: LabelMatrix) -> FloatArray:
        """:meth:`proba` of records whose votes are known."""
        return self.model.predict_proba(votes, features=frame if self._reads_records else None).end


class BothEngine(Engine):
    """Network and label model together."""

    kind = "both"

    voting: Voting

    def __init__(self, network: "EndModel", model: LabelModel, voting: Voting | None) -> None:
        assert voting is not None
        self._end, self._label = EndEngine(network, voting), LabelEngine(model, voting)
        self.voting, self.schema, self.columns = voting, network.schema, None

    def proba(self, frame: pl.DataFrame) -> FloatArray:
        votes = self.voting.votes(frame)
        return pooled(self._end.proba_of(frame, votes), self._label.proba_of(frame, votes), votes)

    def explain(self, frame: pl.DataFrame, end_label: str) -> "list[FeatureEffect]":
        return self._end.explain(frame, end_label)


def pooled(end: FloatArray, label: FloatArray, votes: LabelMatrix) -> FloatArray:
    """Mean of the end model's and the label model's probabilities on records with votes, else the end model's.

    A linear opinion pool (Stone, 1961) with equal weights; ``benchmarks/end_model_labels.py --group both`` has it
    beside others.
    """
    has_votes = (votes.codes >= 0).any(axis=1, keepdims=True)
    return np.where(has_votes, (end + label) / 2.0, end)
