"""A run's models at work on new records."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import polars as pl

from metalwork._checks import check_fraction
from metalwork.data import RecordSource, open_records
from metalwork.delivery._engines import EndEngine, Engine, LabelEngine, Voting
from metalwork.delivery._records import frames_of, opened
from metalwork.delivery._sources import Source, open_source
from metalwork.delivery._thresholds import CERTAINTY, Evidence, Threshold, choose
from metalwork.errors import ConfigError, DataError
from metalwork.labeling import LabelingFunction
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
        the labeling functions are not loaded.
    """

    end_label: str
    confidence: float
    features: "tuple[FeatureEffect, ...]" = ()
    votes: "tuple[VoteEffect, ...]" = ()


class Predictor:
    """The models of a finished run, for new records.

    Records are what labeling functions take: a data frame, a list of dicts or of texts, an iterator, files or
    globs. Columns that nothing reads are passed over, and a record without a text has an empty one. Make one by
    :meth:`load`.

    Attributes
    ----------
    schema : TaskSchema
    name : str
        The run's or model's name.
    model : {"end", "label"}
        Which model predicts: the trained network, or the label model from the votes of the labeling functions.
    columns : tuple of str or None
        The columns of records that it reads; None where labeling functions read what they name.

    Examples
    --------
    >>> import metalwork as mw
    >>> predictor = mw.Predictor.load("runs/first")  # doctest: +SKIP
    >>> predictor.predict([{"text": "My money back, please."}])  # doctest: +SKIP
    ['Refund']
    """

    def __init__(self, source: Source, engine: Engine, voting: Voting | None) -> None:
        self._source, self._engine, self._voting = source, engine, voting
        self.schema: TaskSchema = engine.schema
        self.name = source.name
        self.model = engine.kind
        self.columns = engine.columns

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        model: Literal["end", "label"] | None = None,
        lfs: Sequence[LabelingFunction] | None = None,
        run_code: bool = False,
        device: str = "cpu",
    ) -> Self:
        """The predictor of a run's folder.

        Parameters
        ----------
        path : path
            A run folder, in which the label model is fitted at least.
        model : {"end", "label"}, optional
            Which model predicts; the end model where the run has trained one, else the label model.
        lfs : list of LabelingFunction, optional
            The run's labeling functions, where the folder does not hold them: for runs of records in memory.
        run_code : bool
            Run the Python file with the labeling functions that the run keeps a copy of. Rules of the project file
            need none; without either, the label model cannot predict and explanations show no votes.
        device : {"cpu", "cuda", "auto"}
            Where the end model computes.

        Raises
        ------
        ConfigError
            When it is no run's folder, the model is not there, or labeling functions are needed and are code that
            may not be run.
        DataError
            When a file has changed since the run wrote it.
        """
        source = open_source(path)
        chosen = source.pick(model)
        voting = source.voting(lfs, run_code, needed=chosen == "label")
        if chosen == "end":
            return cls(source, EndEngine(source.end_model(device)), voting)
        assert voting is not None
        return cls(source, LabelEngine(source.label_model, voting), voting)

    @property
    def has_votes(self) -> bool:
        """Whether the run's labeling functions are loaded."""
        return self._voting is not None

    def predict_proba(self, records: Any) -> TaskProbabilities:
        """Probabilities of the end labels, and of every task's labels.

        Raises
        ------
        DataError
            When there are no records, they cannot be read, or lack a column that the model reads; for a number
            that is missing.
        LabelingError
            When the label model predicts, and a labeling function fails too often.
        """
        parts = [self._engine.proba(frame) for frame in self.frames(records)]
        self._finish()
        return TaskProbabilities(np.concatenate(parts), self.schema)

    def predict(
        self, records: Any, *, min_confidence: float = 0.0, min_precision: float | None = None
    ) -> list[str | None]:
        """The most probable end label of each record, by name; None where it is not sure enough.

        Parameters
        ----------
        records : as for :meth:`predict_proba`
        min_confidence : float in [0, 1]
            The least probability that a label is given with.
        min_precision : float in (0, 1), optional
            Take the confidence of :meth:`threshold_for` instead.

        Raises
        ------
        ConfigError, DataError, LabelingError
            As :meth:`predict_proba` and :meth:`threshold_for`.
        """
        least = self.least_confidence(min_confidence, min_precision)
        probs = self.predict_proba(records)
        codes = probs.predict()
        sure = probs.end[np.arange(len(codes)), codes] >= least
        names = self.schema.end_labels
        return [names[code] if given else None for code, given in zip(codes.tolist(), sure.tolist(), strict=True)]

    def least_confidence(self, min_confidence: float = 0.0, min_precision: float | None = None) -> float:
        """The confidence from which predictions are given, of the two ways to say it."""
        check_fraction("min_confidence", min_confidence)
        if min_precision is None:
            return float(min_confidence)
        if min_confidence:
            raise ConfigError("min_confidence and min_precision must not both be given; leave one out.")
        return self.threshold_for(min_precision).confidence

    def threshold_for(
        self, precision: float, certainty: float = CERTAINTY, dev: tuple[Any, Any] | None = None
    ) -> Threshold:
        """The lowest confidence from which predictions have this precision, by records of known label.

        The run's dev records by default. They have guided the models, so what they say is a little too good: pass
        other ones where you have some.

        Parameters
        ----------
        precision : float in (0, 1)
            The share of the predictions given that must be right.
        certainty : float in (0, 1)
            How certain that must be; the bounds of the threshold are exact to it.
        dev : (records, labels), optional
            Other records, with the names or codes of their end labels; those not known down to one are left out.

        Raises
        ------
        ConfigError
            When the records are too few, or too often wrong, to show such a precision; the message says what they
            can show, and how many there would have to be. Also for a run without known dev labels.
        """
        return choose(self.evidence if dev is None else self._evidence(*dev), precision, certainty)

    @property
    def evidence(self) -> Evidence:
        """How sure and how right the predictions are on the run's dev records."""
        return self._source.evidence(self.model, self.schema)

    def explain(self, record: Any, end_label: str | None = None) -> Explanation:
        """What moved the prediction of one record: what the end model read, and the votes where LFs are loaded.

        Parameters
        ----------
        record : dict from column to value, text, or records of which there is one
        end_label : str, optional
            Explain this end label instead of the predicted one.

        Raises
        ------
        DataError
            As :meth:`predict_proba`; when there are several records.
        VotesError
            For an end label that is not there.
        """
        several = not isinstance(record, Mapping | str)
        frames = list(self.frames(record if several else [record], every_column=self.has_votes))
        if len(frames) > 1 or frames[0].height != 1:
            raise DataError(f"record must be one; got {sum(frame.height for frame in frames)}. Pick one of them.")
        return self.explain_frame(frames[0], end_label)

    def explain_frame(self, frame: pl.DataFrame, end_label: str | None = None) -> Explanation:
        """:meth:`explain` of the one record of a frame."""
        probs = TaskProbabilities(self._engine.proba(frame), self.schema)
        name = self.schema.end_labels[int(probs.predict()[0])] if end_label is None else end_label
        code = int(self.schema.end_codes([name])[0])
        features: Sequence[FeatureEffect] = ()
        votes: Sequence[VoteEffect] = ()
        if isinstance(self._engine, EndEngine):
            features = self._engine.model.explain(frame, 0, name)
        if self._voting is not None:
            model = self._source.label_model
            found = self._voting.votes(frame)
            votes = model.explain(found, 0, name)
        return Explanation(name, float(probs.end[0, code]), tuple(features), tuple(votes))

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

    def _finish(self) -> None:
        if isinstance(self._engine, LabelEngine):
            self._engine.voting.check()

    def _evidence(self, records: Any, labels: Any) -> Evidence:
        gold = self.schema.end_of(self.schema.known_codes(labels))
        probs = self.predict_proba(records)
        if len(gold) != probs.n_points:
            raise DataError(f"labels must hold one label a record ({probs.n_points}); got {len(gold)}.")
        return Evidence.of(probs, gold)

    def __repr__(self) -> str:
        return f"Predictor({self.name!r}, model={self.model!r}, end_labels={list(self.schema.end_labels)})"
