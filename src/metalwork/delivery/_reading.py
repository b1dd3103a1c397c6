"""What a predictor does with frames of records."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from metalwork.data import RecordSource, open_records
from metalwork.delivery._engines import Engine, Voting
from metalwork.delivery._records import frames_of, opened
from metalwork.delivery._sources import Source
from metalwork.errors import DataError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import FeatureEffect
    from metalwork.label_models import VoteEffect


@dataclass(frozen=True)
class Explanation:
    """Why a record has its prediction.

    Attributes
    ----------
    end_label, confidence
        The end label that is explained, and its probability.
    features : tuple of FeatureEffect
        What the end model read: by how much each word or number moved the log odds of the label of each task on
        the end label's path. Empty where the label model predicts.
    votes : tuple of VoteEffect
        By how much each labeling function's vote moved the label model's log odds of the end label. Empty where
        the labeling functions are not loaded, or the record has not all their columns.
    """

    end_label: str
    confidence: float
    features: "tuple[FeatureEffect, ...]" = ()
    votes: "tuple[VoteEffect, ...]" = ()


class Reading:
    """The half of :class:`Predictor` that reads records."""

    def __init__(self, source: Source, engine: Engine, voting: Voting | None) -> None:
        self._source, self._engine, self._voting = source, engine, voting
        self.schema: TaskSchema = engine.schema
        self.name = source.name
        self.model = engine.kind
        self.columns = engine.columns

    @property
    def has_votes(self) -> bool:
        """Whether the run's labeling functions are loaded."""
        return self._voting is not None

    def votes(self, records: Any) -> LabelMatrix:
        """The votes of the run's labeling functions, in the alphabets of its label model.

        Raises
        ------
        ConfigError
            When the labeling functions are not loaded: see :meth:`load`.
        DataError, LabelingError
            As :meth:`predict_proba`.
        """
        voting = self._source.voting(None, False, needed=True) if self._voting is None else self._voting
        assert voting is not None
        parts = [voting.votes(frame) for frame in self.frames(records, every_column=True)]
        voting.check()
        return LabelMatrix.concatenate(parts)

    def votes_on(self, frame: pl.DataFrame) -> LabelMatrix:
        """:meth:`votes` of a frame that :meth:`frames` gave."""
        assert self._voting is not None
        return self._voting.votes(frame)

    def kept_predictions(self, split: str) -> Iterator[TaskProbabilities]:
        """What the run predicted on one of its splits, in parts."""
        return self._source.predictions(self.model, self.schema, split)

    def kept_votes(self, split: str) -> Iterator[LabelMatrix]:
        """The votes that the run has of one of its splits, in parts."""
        assert self._voting is not None
        return self._source.votes(split, self._voting.lfs)

    def proba(self, frame: pl.DataFrame) -> TaskProbabilities:
        """:meth:`predict_proba` of a frame that :meth:`frames` gave."""
        return TaskProbabilities(self._engine.proba(frame), self.schema)

    def frames(self, records: Any, keep: Sequence[str] = (), every_column: bool = False) -> Iterator[pl.DataFrame]:
        """The records a bounded number at a time, with the columns that are read and those to ``keep``.

        Raises
        ------
        DataError
            When they are none, or a column is not there.
        """
        columns = None if every_column else self.columns
        source = opened(self.open(records), columns or (), keep)
        return frames_of(source, columns, keep, self.schema.n_end_labels)

    def open(self, records: Any) -> RecordSource:
        """The records, with the column types that the run's project declares."""
        source = open_records(records)
        types = {name: kind for name, kind in self._source.types.items() if name in source.columns}
        return open_records(source, types=types) if types else source

    def finish(self) -> None:
        """``LabelingError`` where the model reads votes, and a labeling function failed too often."""
        if self._engine.voting is not None:
            self._engine.voting.check()

    @contextmanager
    def counting_from(self, start: int) -> Iterator[None]:
        """Let errors about a frame say which records it holds, where these are not the first."""
        try:
            yield
        except DataError as error:
            if not start:
                raise
            raise DataError(
                f"Of the records from number {start:,}, which are rows from 0 here: {error}"
            ) from error

    def explain_frame(self, frame: pl.DataFrame, end_label: str | None = None) -> Explanation:
        """:meth:`explain` of the one record of a frame."""
        probs = TaskProbabilities(self._engine.proba(frame), self.schema)
        name = self.schema.end_labels[int(probs.predict()[0])] if end_label is None else end_label
        code = int(self.schema.end_codes([name])[0])
        votes: Sequence[VoteEffect] = ()
        features = self._engine.explain(frame, name)
        if self._voting is not None and self._voting.can_read(frame.columns):
            votes = self._source.label_model.explain(self._voting.votes(frame), 0, name)
        return Explanation(name, float(probs.end[0, code]), tuple(features), tuple(votes))
