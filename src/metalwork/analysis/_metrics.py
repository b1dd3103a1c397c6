"""How good predictions are: overall, by end label, by task, and down the tree."""

from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import polars as pl

from metalwork import _html
from metalwork._checks import check_count
from metalwork.analysis import _flat
from metalwork.analysis._calibration import Calibration, calibrate
from metalwork.analysis._confusion import NO_PREDICTION, OTHER_BRANCH, Confusion, confusion, count_pairs, cross
from metalwork.analysis._flat import LabelMetrics
from metalwork.analysis._gold import Codes, is_known, read_gold
from metalwork.analysis._hierarchical import DepthMetrics, PathCounts, count_paths
from metalwork.analysis._one_tree import check_space, refuse_roots
from metalwork.errors import VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import Space


@dataclass(frozen=True)
class TaskMetrics:
    """One task, over the ``n_points`` records whose label of it is known; ``accuracy`` is None without any."""

    task: str
    n_points: int
    accuracy: float | None
    confusion: Confusion


@dataclass(frozen=True, repr=False)
class Metrics:
    """Quality of predictions on ``n_points`` records whose label is known, or known in part.

    A label that is known down to an inner label only is compared down to there: ``accuracy``, ``tasks`` and the
    metrics of the tree take such records in. Metrics of end labels are over the ``n_exact`` records of known end
    label. A figure that is not defined is None.

    Attributes
    ----------
    n_points, n_exact : int
    coverage : float
        Share of the ``n_points`` with a prediction.
    accuracy : float
        Share of the ``n_points`` whose prediction agrees with all that is known; none is wrong.
    covered_accuracy : float or None
        The same among the records with a prediction.
    macro_precision, macro_recall, macro_f1 : float or None
        Mean over the end labels that occur, as truth or prediction; what is not defined for a label counts 0, as
        in scikit-learn.
    micro_precision, micro_recall, micro_f1 : float or None
        Over all records alike; a record without a prediction lowers the recall alone.
    weighted_precision, weighted_recall, weighted_f1 : float or None
        Mean over end labels by how many records have them.
    mcc : float or None
        Matthews' correlation coefficient, for several labels by Gorodkin (2004); in [-1, 1].
    roc_auc, average_precision : float or None
        Mean over the end labels that some records have and others do not, each against all others.
    hierarchical_precision, hierarchical_recall, hierarchical_f1 : float or None
        Kiritchenko et al. (2006): of a record, the set of labels on the path to its label, the end label included
        and the root left out; over all records, the labels that predicted and true path share, by those
        predicted, and by the true ones; and the harmonic mean of the two.
    lca_error : float or None
        Mean over records with a prediction of the height of the lowest common ancestor of predicted and true
        label: 0 where they are the same, 1 for labels of one task that has no tasks below, and the height of the
        tree where they part at the root (Deng et al. 2010).
    tree_distance : float or None
        Mean over records with a prediction of the number of edges between predicted and true label (the
        tree-induced error of Dekel et al. 2004).
    depths : tuple of DepthMetrics
        Accuracy at every depth of the tree.
    labels : tuple of LabelMetrics
        One an end label, in the order of the schema.
    confusion : Confusion
        Of end labels.
    tasks : tuple of TaskMetrics
        One a task, in the order of the schema.
    calibration : Calibration or None
        None for predictions without probabilities.
    """

    n_points: int
    n_exact: int
    coverage: float
    accuracy: float
    covered_accuracy: float | None
    macro_precision: float | None
    macro_recall: float | None
    macro_f1: float | None
    micro_precision: float | None
    micro_recall: float | None
    micro_f1: float | None
    weighted_precision: float | None
    weighted_recall: float | None
    weighted_f1: float | None
    mcc: float | None
    roc_auc: float | None
    average_precision: float | None
    hierarchical_precision: float | None
    hierarchical_recall: float | None
    hierarchical_f1: float | None
    lca_error: float | None
    tree_distance: float | None
    depths: tuple[DepthMetrics, ...]
    labels: tuple[LabelMetrics, ...]
    confusion: Confusion
    tasks: tuple[TaskMetrics, ...]
    calibration: Calibration | None

    @property
    def task_accuracy(self) -> dict[str, float | None]:
        """Accuracy by task name, over the records to which the task applies."""
        return {task.task: task.accuracy for task in self.tasks}

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def to_frame(self) -> pl.DataFrame:
        """A polars frame with one row an end label; its columns are the fields of :class:`LabelMetrics`."""
        kinds: dict[Any, Any] = {str: pl.String, int: pl.Int64}
        schema = {field.name: kinds.get(field.type, pl.Float64) for field in fields(LabelMetrics)}
        return pl.DataFrame([asdict(label) for label in self.labels], schema=schema, orient="row")

    def _figures(self) -> list[tuple[str, float]]:
        """The single figures that are defined, by their names in words."""
        found = [(field.name, getattr(self, field.name)) for field in fields(self)]
        if self.calibration is not None:
            found += [("ece", self.calibration.ece), ("log_loss", self.calibration.log_loss)]
        return [(name.replace("_", " "), value) for name, value in found if isinstance(value, float)]

    def _title(self) -> str:
        exact = "" if self.n_exact == self.n_points else f", {self.n_exact:,} known down to an end label"
        return f"Predictions on {self.n_points:,} records of known label{exact}"

    def __repr__(self) -> str:
        names = ("coverage", "accuracy", "macro_f1")
        figures = [f"{name}={_html.figure(getattr(self, name))}" for name in names]
        return f"Metrics(n_points={self.n_points}, {', '.join(figures)})"

    def __str__(self) -> str:
        figures = self._figures()
        width = max(len(name) for name, _ in figures)
        return "\n".join([self._title(), *(f"{name:<{width}}  {value:.3f}" for name, value in figures)])

    def _repr_html_(self) -> str:
        labels = [list(asdict(label).values()) for label in self.labels]
        headings = [field.name.replace("_", " ").replace("n points", "records") for field in fields(LabelMetrics)]
        return _html.block(self._title(), _html.table([], self._figures()), _html.table(headings, labels))


def evaluate(predicted: TaskProbabilities | Any, y: Any, schema: Space | None = None, n_bins: int = 10) -> Metrics:
    """Compare probabilities or predictions with known labels.

    A task's predicted label is the most probable in ``probs[task]``, whatever the other tasks say; for plain end
    labels it is the one on their path, and a path that misses the task counts as wrong.

    Parameters
    ----------
    predicted : TaskProbabilities, what these are made of, or end labels (n_points,)
        Labels as names or codes; None or -1 where there is no prediction.
    y : sequence (n_points,)
        Known labels, as ``schema.known_codes`` takes them: end labels (names or codes), inner labels where no more
        is known; records with None, NaN, "" or -1 are left out.
    schema : TaskSchema or FeasibleLabels, optional
        May be left out with ``TaskProbabilities``, which have their own. With ``FeasibleLabels`` the figures by
        task are those of its own tasks.
    n_bins : int
        Bins of the reliability diagram; at least 1.

    Raises
    ------
    VotesError
        When lengths or schemas differ, a label is not in the schema, or of no record anything is known.
    """
    check_count("n_bins", n_bins)
    probs, codes, space = _read_predictions(predicted, schema)
    gold = read_gold(y, space, len(codes))
    known = is_known(gold)
    if not known.any():
        raise VotesError("y must hold at least one known label; got none.")
    if not known.all():
        gold, codes, probs = gold[known], codes[known], None if probs is None else probs.rows(known)
    return _measure(space, gold, codes, probs, n_bins)


def _read_predictions(predicted: Any, space: Space | None) -> tuple[TaskProbabilities | None, Codes, Space]:
    refuse_roots("predicted", predicted)
    if space is not None:
        check_space(space)
    if isinstance(predicted, TaskProbabilities):
        if space is not None and space.schema != predicted.schema:
            raise VotesError("schema must be the one of the probabilities; it differs. Leave it out.")
        return predicted, predicted.predict(), predicted.schema if space is None else space
    if space is None:
        raise VotesError("schema must be given with predictions that carry none; got None. Pass schema=.")
    if _is_table(predicted):
        probs = TaskProbabilities(predicted, space.schema)
        return probs, probs.predict(), space
    return None, space.schema.end_codes(predicted, allow_missing=True), space


def _is_table(predicted: Any) -> bool:
    """Whether predictions have two dimensions: an array, a frame, or a list of rows."""
    if hasattr(predicted, "shape"):
        return len(predicted.shape) == 2
    return isinstance(predicted, list) and isinstance(next(iter(predicted), None), list | tuple | np.ndarray)


def _measure(space: Space, known: Codes, codes: Codes, probs: TaskProbabilities | None, n_bins: int) -> Metrics:
    tree = space.schema
    gold = known if space is tree else known[:, -1:]  # last, the flat task: which vector it is
    end = tree.end_of(gold)
    exact = end >= 0
    truth, guess = end[exact], codes[exact]
    scores = None if probs is None else probs.end[exact]
    columns = (*tree.end_labels, *([NO_PREDICTION] if (guess < 0).any() else []))
    pairs = count_pairs(truth, np.where(guess < 0, tree.n_end_labels, guess), tree.n_end_labels, len(columns))
    counts = _flat.Counts.of(pairs)
    labels = _flat.score_labels(tree.end_labels, counts, truth, scores)
    macro, micro, weighted = _flat.macro(counts), _flat.micro(counts), _flat.weighted(counts)
    paths = count_paths(tree, gold, codes)
    return Metrics(
        n_points=len(gold),
        n_exact=len(truth),
        coverage=paths.n_covered / len(gold),
        accuracy=paths.n_right / len(gold),
        covered_accuracy=_flat.share(paths.n_right, paths.n_covered),
        macro_precision=macro.precision,
        macro_recall=macro.recall,
        macro_f1=macro.f1,
        micro_precision=micro.precision,
        micro_recall=micro.recall,
        micro_f1=micro.f1,
        weighted_precision=weighted.precision,
        weighted_recall=weighted.recall,
        weighted_f1=weighted.f1,
        mcc=_flat.correlation(pairs),
        roc_auc=_flat.mean([label.roc_auc for label in labels]),
        average_precision=_flat.mean([label.average_precision for label in labels]),
        **_tree_figures(paths),
        depths=paths.by_depth(),
        labels=tuple(labels),
        confusion=confusion(tree.end_labels, columns, pairs),
        tasks=tuple(_task_metrics(t, known, codes, probs, space) for t in range(len(space.tasks))),
        calibration=None if scores is None or not len(truth) else calibrate(scores, truth, n_bins),
    )


def _tree_figures(paths: PathCounts) -> dict[str, float | None]:
    return {
        "hierarchical_precision": _flat.share(paths.n_both, paths.n_predicted),
        "hierarchical_recall": _flat.share(paths.n_both, paths.n_true),
        "hierarchical_f1": _flat.share(2 * paths.n_both, paths.n_predicted + paths.n_true),
        "lca_error": _flat.share(paths.lca_height, paths.n_covered),
        "tree_distance": _flat.share(paths.distance, paths.n_covered),
    }


def _task_metrics(t: int, gold: Codes, codes: Codes, probs: TaskProbabilities | None, space: Space) -> TaskMetrics:
    task = space.tasks[t]
    labels, under = space.labels(task), space.members(task)
    applies = gold[:, t] >= 0
    truth = gold[applies, t]
    columns = labels
    if probs is not None:
        guess = _best(probs, space, task)[applies]
    else:
        columns = (*labels, *([] if under.any(axis=0).all() else [OTHER_BRANCH]))
        end = codes[applies]
        guess = np.append(np.where(under.any(axis=0), under.argmax(axis=0), len(labels)), len(labels))[end]
        if (end < 0).any():
            guess[end < 0] = len(columns)
            columns = (*columns, NO_PREDICTION)
    return TaskMetrics(
        task=task,
        n_points=len(truth),
        accuracy=float(np.mean(truth == guess)) if len(truth) else None,
        confusion=cross(truth, guess, labels, columns),
    )


def _best(probs: TaskProbabilities, space: Space, task: str) -> Codes:
    if space is space.schema:
        return np.asarray(probs[task].argmax(axis=1), dtype=np.int64)
    shares = probs.end @ space.members(task).T.astype(probs.end.dtype)
    return np.asarray(shares.argmax(axis=1), dtype=np.int64)


def _plain(value: Any) -> Any:
    if isinstance(value, Confusion):  # may hold millions of counts
        return {"labels": [*value.labels], "columns": [*value.columns], "counts": [*map(list, value.counts)]}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
