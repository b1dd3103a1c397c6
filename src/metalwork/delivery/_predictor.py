"""A run's models at work on new records."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import polars as pl

from metalwork._checks import FloatArray, check_fraction
from metalwork.delivery._answers import Codes, Cut, evidence_in
from metalwork.delivery._card import model_card
from metalwork.delivery._engines import BothEngine, EndEngine, Engine, LabelEngine, Voting
from metalwork.delivery._folder import ONNX, FolderSource, is_folder, known_dev, write_folder
from metalwork.delivery._onnx_engine import OnnxEngine, has_onnxruntime
from metalwork.delivery._reading import Explanation, Reading
from metalwork.delivery._sources import RunSource, Source
from metalwork.delivery._tables import prediction_tables
from metalwork.delivery._thresholds import CERTAINTY, Evidence, Threshold, choose
from metalwork.delivery._writing import check_suffix, write_tables
from metalwork.errors import ConfigError, DataError
from metalwork.labeling import LabelingFunction
from metalwork.pipeline import KeptRun, reads_votes
from metalwork.probabilities import TaskProbabilities

if TYPE_CHECKING:
    from metalwork.end_models import EndModel, OnnxCheck


class Predictor(Reading):
    """The models of a finished run, for new records.

    Records are what labeling functions take: a data frame, a list of dicts or of texts, an iterator, files or
    globs. Columns that nothing reads are passed over, and a record without a text has an empty one. Make one by
    :meth:`load`.

    Attributes
    ----------
    schema : TaskSchema
    name : str
        The run's or model's name.
    model : {"end", "label", "both"}
        Which predicts: the trained network, the label model from the votes of labeling functions, or both.
    columns : tuple of str or None
        The columns of records that it reads; None where labeling functions read what they name.

    Examples
    --------
    >>> import metalwork as mw
    >>> predictor = mw.Predictor.load("runs/first")  # doctest: +SKIP
    >>> predictor.predict([{"text": "My money back, please."}])  # doctest: +SKIP
    ['Refund']
    """

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        model: Literal["end", "label", "both"] | None = None,
        lfs: Sequence[LabelingFunction] | None = None,
        run_code: bool = False,
        device: str = "cpu",
        runtime: Literal["torch", "onnx"] = "torch",
    ) -> Self:
        """The predictor of a run's folder.

        Parameters
        ----------
        path : path
            A run folder, in which the label model is fitted at least, or a folder that :meth:`export` wrote.
        model : {"end", "label", "both"}, optional
            Which model predicts; the end model where the run has trained one, else the label model. ``"both"``:
            the mean of their probabilities where a record has votes, else the end model's.
        lfs : list of LabelingFunction, optional
            The run's labeling functions, where the folder does not hold them: for runs of records in memory.
        run_code : bool
            Run the Python file with the labeling functions that the run keeps a copy of. Rules of the project file
            need none; without either, the label model cannot predict and explanations show no votes.
        device : {"cpu", "cuda", "auto"}
            Where the end model computes.
        runtime : {"torch", "onnx"}
            What runs the network. ``"onnx"`` needs a folder exported with it, and does not load torch.

        Raises
        ------
        ConfigError
            When it is no run's folder, the model is not there, or labeling functions are needed and are code that
            may not be run.
        DataError
            When a file has changed since the run wrote it.
        """
        source = _open_source(Path(path))
        chosen = source.pick(model)
        if chosen == "end" and runtime == "onnx":
            return cls(source, _onnx_engine(source, device), source.voting(lfs, run_code, needed=False))
        network = None if chosen == "label" else source.end_model(device)
        needed = chosen != "end" or network is None or reads_votes(network.featurizer_.columns)
        voting = source.voting(lfs, run_code, needed=needed)
        return cls(source, _engine(chosen, source, network, voting), voting)

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
        parts: list[FloatArray] = []
        for frame in self.frames(records):
            with self.counting_from(sum(map(len, parts))):
                parts.append(self._engine.proba(frame))
        self.finish()
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

    def write(
        self,
        records: Any,
        path: str | os.PathLike[str],
        *,
        keep: Sequence[str] = (),
        min_confidence: float = 0.0,
        min_precision: float | None = None,
        explain: bool = False,
        probabilities: bool = True,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> None:
        """Predict records into a file of CSV, JSON lines or Parquet, whole or not at all, in bounded memory.

        Parameters
        ----------
        records : as for :meth:`predict_proba`
        path : path
            Ends in ``.csv``, ``.jsonl`` or ``.parquet``.
        keep : sequence of str
            Columns of the records that the table begins with; by default ``row``, which counts them from 0.
        min_confidence, min_precision
            As for :meth:`predict`. With ``min_precision`` the labels of each task have a threshold of their own.
        explain : bool
            Add the columns ``because``, the words that moved the prediction most, and ``votes`` where labeling
            functions are loaded. Each record is then predicted many times.
        probabilities : bool
            Add the probability of every label.
        progress : callable, optional
            Called as ``progress(n_done, n_points)``; ``n_points`` is None while it is not known.

        Raises
        ------
        ConfigError, DataError, LabelingError
            As :meth:`predict`; for another suffix, and kept columns that the results have, too.
        """
        check_suffix(path)
        cut = self.cut(min_confidence, min_precision)
        write_tables(path, prediction_tables(self, records, keep, cut, explain, probabilities, progress))

    def cut(self, min_confidence: float = 0.0, min_precision: float | None = None) -> Cut:
        """The confidences from which answers are given: by precision, of each task its own where dev shows one.

        Raises
        ------
        ConfigError
            As :meth:`threshold_for`, of end labels. A task for which dev shows no such precision is answered with
            the end label alone.
        """
        least = self.least_confidence(min_confidence, min_precision)
        if min_precision is None or self.schema.n_tasks == 1:
            return Cut(least)
        by_task: dict[str, float] = {}
        for task in self.schema.tasks:
            try:
                by_task[task] = self.threshold_for(min_precision, task=task).confidence
            except ConfigError:
                by_task[task] = math.inf
        return Cut(least, by_task)

    def export(
        self, path: str | os.PathLike[str], *, onnx: bool = False, quantise: bool = False
    ) -> "OnnxCheck | None":
        """Write the end model into a new folder, as model hubs have them, that :meth:`load` reads.

        It holds ``model.safetensors``, ``featurizer.npz``, ``config.json``, the card as ``README.md``, and the
        predictions on dev by which a confidence is chosen; no record, no label model and no labeling function.

        Parameters
        ----------
        path : path
        onnx : bool
            Write ``model.onnx`` besides, for ``runtime="onnx"``.
        quantise : bool
            With weights of 8 bits in that.

        Returns
        -------
        OnnxCheck or None
            How the ONNX file compares with the model, where there is one.

        Raises
        ------
        ConfigError
            When there is something at ``path``; for an exported model, which can be copied.
        MissingExtraError
            When the extra ``onnx`` is not installed and ``onnx`` is asked for.
        """
        return write_folder(self._run, path, onnx, quantise)

    def export_onnx(
        self, path: str | os.PathLike[str], records: Any = None, quantise: bool = False
    ) -> "OnnxCheck":
        """Write the network as one ONNX file: ``EndModel.export_onnx``, compared on records of any form."""
        model = self._source.end_model("cpu")
        given = None if records is None else pl.concat(self.frames(records), how="vertical_relaxed")
        return model.export_onnx(path, given, quantise)

    def card(self) -> str:
        """The model card of a run's end model, in Markdown: what it is, learned from, and how good it is."""
        run = self._run
        run.pick("end")
        return model_card(run.kept, run.name, self.schema, known_dev(run, self.schema))

    @property
    def _run(self) -> RunSource:
        if not isinstance(self._source, RunSource):
            raise ConfigError(
                "The predictor must be of a run's folder; it is of an exported model. Copy its folder."
            )
        return self._source

    def least_confidence(self, min_confidence: float = 0.0, min_precision: float | None = None) -> float:
        """The confidence from which predictions are given, of the two ways to say it."""
        check_fraction("min_confidence", min_confidence)
        if min_precision is None:
            return float(min_confidence)
        if min_confidence:
            raise ConfigError("min_confidence and min_precision must not both be given; leave one out.")
        return self.threshold_for(min_precision).confidence

    def threshold_for(
        self,
        precision: float,
        certainty: float = CERTAINTY,
        dev: tuple[Any, Any] | None = None,
        task: str | None = None,
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
        task : str, optional
            Of the labels of this task, instead of end labels.

        Raises
        ------
        ConfigError
            When the records are too few, or too often wrong, to show such a precision; the message says what they
            can show, and how many there would have to be. Also for a run without known dev labels.
        """
        probs, gold = self._source.dev(self.model, self.schema) if dev is None else self._labeled(*dev)
        known = Evidence.of(probs, gold) if task is None else evidence_in(probs, gold, task)
        return choose(known, precision, certainty)

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

    def _labeled(self, records: Any, labels: Any) -> tuple[TaskProbabilities, Codes]:
        gold = self.schema.end_of(self.schema.known_codes(labels))
        probs = self.predict_proba(records)
        if len(gold) != probs.n_points:
            raise DataError(f"labels must hold one label a record ({probs.n_points}); got {len(gold)}.")
        return probs, gold

    def __repr__(self) -> str:
        return f"Predictor({self.name!r}, model={self.model!r}, end_labels={list(self.schema.end_labels)})"


def _open_source(path: Path) -> Source:
    """What a folder holds: an exported model, or else a run."""
    return FolderSource(path) if is_folder(path) else RunSource(KeptRun(path))


def _engine(chosen: str, source: Source, network: "EndModel | None", voting: Voting | None) -> Engine:
    if network is None:
        return LabelEngine(source.label_model, voting)
    if chosen == "both":
        return BothEngine(network, source.label_model, voting)
    return EndEngine(network, voting)


def _onnx_engine(source: Source, device: str) -> OnnxEngine:
    if not isinstance(source, FolderSource) or not source.has_onnx:
        raise ConfigError(
            "runtime='onnx' must go with a folder that holds model.onnx; this one does not. "
            "Write one: metalwork export RUN --folder PATH --with-onnx."
        )
    return OnnxEngine(source.file(ONNX), source.featurizer, source.schema, lambda: source.end_model(device))


def best_runtime(path: Path) -> Literal["torch", "onnx"]:
    """What a server runs the network of a folder by: onnxruntime where both are there."""
    there = is_folder(path) and FolderSource(path).has_onnx and has_onnxruntime()
    return "onnx" if there else "torch"
