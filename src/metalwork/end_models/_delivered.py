"""What is done with a trained end model: predicting, explaining, and writing it for other runtimes."""

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from metalwork._checks import FloatArray, check_count
from metalwork._estimators import Estimator, as_classes
from metalwork.end_models._arguments import check_rows
from metalwork.end_models._building import has_input_module, pick_threads
from metalwork.end_models._inputs import Columns, DenseInputs, Inputs, SparseInputs, check_finite, read_inputs
from metalwork.end_models._labels import how_right
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._training import predict_log_proba, threads
from metalwork.errors import ConfigError, VotesError
from metalwork.features import Featurizer
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

if TYPE_CHECKING:
    from metalwork.end_models._onnx import OnnxCheck
    from metalwork.end_models.network import EndNetwork

_PREDICT_ROWS: Final = 1024
_MOST_CELLS: Final = 1 << 22  # numbers in the altered copies of a record at a time
_LEAST: Final = 1e-12


class FeatureEffect(NamedTuple):
    """One feature of a record, and by how much it moved the log odds of a label of one task.

    ``effect`` is the log odds of the label, given that its task applies, less those with the feature taken out:
    a word that does not stand there, a number at its mean over the training records.
    """

    feature: str
    value: float
    task: str
    label: str
    effect: float


class Delivered(Estimator):
    """The half of :class:`EndModel` that a trained model needs."""

    schema: TaskSchema
    input_module: Any
    batch_size: int
    network_: "EndNetwork"
    featurizer_: Featurizer
    _scaler: Scaler
    _named: bool
    n_features_in_: int | None

    @property
    def classes_(self) -> npt.NDArray[np.object_]:
        """object array (n_end_labels,): the end labels' names, whose positions :meth:`predict` returns."""
        return as_classes(self.schema)

    def predict_proba(self, X: Any) -> TaskProbabilities:
        """Probabilities of the end labels, and of every task's labels.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        DataError
            For an ``X`` that does not look like the one of ``fit``, or is not finite. Columns of frames may stand
            in any order.
        """
        self._check_fitted()
        return TaskProbabilities(self._proba(self._read(X)), self.schema)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Most probable end labels (n_points,): codes, or names where known labels of :meth:`fit` were names.

        So scikit-learn's scorers by name compare like with like. Those of probabilities, such as "neg_log_loss",
        take columns for sorted labels: give them codes.
        """
        codes = self.predict_proba(X).predict()
        return self.classes_[codes] if self._named else codes

    def score(self, X: Any, y: Any) -> float:
        """Accuracy in [0, 1] on labels ``y`` (names or codes), of the records that have one.

        A prediction under a coarse label is right. For probabilities ``y`` it is the accuracy that they expect.
        """
        found, (right, known) = self.predict_proba(X).predict(), how_right(y, self.schema)
        check_rows("y", len(known), len(found))
        return float(np.mean(right[known, found[known]]))

    def explain(self, X: Any, row: int = 0, end_label: str | None = None) -> list[FeatureEffect]:
        """How much each feature of one record moved its prediction, task by task down the tree.

        Each feature is taken out alone and the record predicted anew, so that cost is that of as many predictions
        as the record has features; what two features do only together shows in neither.

        Parameters
        ----------
        X : as for :meth:`predict_proba`
        row : int
            Position of the record in ``X``.
        end_label : str, optional
            Explain this end label instead of the predicted one.

        Returns
        -------
        list of FeatureEffect
            Of the tasks on the end label's path, from the root downwards, the strongest effect of each first;
            features that change nothing are left out.

        Raises
        ------
        ConfigError
            For a model with an input module, whose features have no names.
        VotesError
            For a row or an end label that is not there.
        """
        self._check_fitted()
        if self.input_module is not None:
            raise ConfigError("input_module must be None for explain; it reads records that have no features.")
        read = self._read(X)
        if check_count("row", row, least=0) >= len(read):
            raise VotesError(f"row must be 0..{len(read) - 1}; got {row}.")
        record = read.rows(np.array([row]))
        whole = TaskProbabilities(self._proba(record), self.schema)
        target = int(whole.predict()[0]) if end_label is None else int(self.schema.end_codes([end_label])[0])
        columns, values = _present(record, self._neutral)
        altered = TaskProbabilities(self._without(record, columns), self.schema)
        names = self._feature_names()
        found: list[FeatureEffect] = []
        for task, label in self._path(target):
            code = self.schema.labels(task).index(label)
            moved = _log_odds(whole.conditional(task)[0, code]) - _log_odds(altered.conditional(task)[:, code])
            effects = [
                FeatureEffect(names[column], float(value), task, label, float(effect))
                for column, value, effect in zip(columns.tolist(), values, moved, strict=True)
                if abs(effect) > _LEAST
            ]
            found += sorted(effects, key=lambda effect: -abs(effect.effect))
        return found

    def export_onnx(self, path: str | os.PathLike[str], X: Any = None, quantise: bool = False) -> "OnnxCheck":
        """Write scaling, network and the product along the tree as one ONNX file, whole or not at all.

        Its input ``features`` is float32 (n_points, n_features), any number of points: what the featurizer makes
        of records, dense, also where that is sparse (:meth:`features_of`). Its output ``probabilities`` is float32
        (n_points, n_end_labels). The file is run by onnxruntime and compared with the model before it is kept.

        Parameters
        ----------
        path : path
        X : as for :meth:`predict_proba`, optional
            Records to compare on; made-up features by default. Give real ones to know what quantising costs.
        quantise : bool
            Weights of 8 bits: a quarter of the size, at some loss, which is returned.

        Returns
        -------
        OnnxCheck
            The largest difference of two probabilities, and how often the end label is the same.

        Raises
        ------
        ConfigError
            For a model with an input module; when the file's probabilities differ by more than 1e-5.
        MissingExtraError
            When the extra ``onnx`` is not installed.
        """
        from metalwork.end_models._onnx import write_onnx

        self._check_fitted()
        return write_onnx(path, self, X, quantise)

    def features_of(self, X: Any) -> FloatArray:
        """What the network reads of records, before scaling: float32 (n_points, n_features), dense.

        Raises
        ------
        DataError
            As :meth:`predict_proba`.
        """
        from metalwork.end_models._onnx import dense_rows

        self._check_fitted()
        return dense_rows(self._read(X))

    def _read(self, X: Any) -> Inputs:
        """The finite features of records or features that are given, before scaling."""
        featurizer = vars(self).get("featurizer_")
        given = X if featurizer is None else featurizer.transform(X)
        return check_finite(read_inputs(given, "X", self.input_module is not None, self._columns), "X")

    def _proba(self, read: Inputs) -> FloatArray:
        """Probabilities of the end labels (n_points, n_end_labels)."""
        size = self.batch_size if has_input_module(self.network_) else max(self.batch_size, _PREDICT_ROWS)
        with threads(pick_threads(self, self.network_)):
            proba = np.exp(predict_log_proba(self.network_, self._scaler.transform(read), size))
        normalised: FloatArray = proba / proba.sum(axis=1, keepdims=True)
        return normalised

    @property
    def _columns(self) -> Columns:
        names = vars(self).get("feature_names_in_")
        return Columns(self.n_features_in_, None if names is None else tuple(names))

    @property
    def _neutral(self) -> FloatArray | None:
        """What a feature is where it says nothing (n_features,): its mean where it is scaled by that; None: 0."""
        found: FloatArray | None = self._scaler.neutral
        return found

    def _without(self, record: Inputs, columns: Any) -> FloatArray:
        """Probabilities of the record with each of these features taken out alone: (n_columns, n_end_labels)."""
        width = max(1, _width(record))
        size = max(1, _MOST_CELLS // width)
        parts = [
            self._proba(_altered(record, columns[start : start + size], self._neutral))
            for start in range(0, len(columns), size)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.schema.n_end_labels))

    def _path(self, end_code: int) -> list[tuple[str, str]]:
        """The tasks on the path of an end label, with the label of each."""
        codes = self.schema.task_codes[end_code]
        pairs = zip(self.schema.tasks, codes.tolist(), strict=True)
        return [(task, self.schema.labels(task)[code]) for task, code in pairs if code >= 0]

    def _feature_names(self) -> Any:
        featurizer = vars(self).get("featurizer_")
        if featurizer is not None:
            return featurizer.get_feature_names_out()
        names = self._columns.names
        return [str(column) for column in range(self._columns.number or 0)] if names is None else names


def _present(record: Inputs, neutral: FloatArray | None) -> tuple[Any, FloatArray]:
    """The features of one record that say something: their columns, and their values."""
    if isinstance(record, SparseInputs):
        return record.matrix.indices, record.matrix.data
    assert isinstance(record, DenseInputs)
    values = record.array[0]
    columns = np.flatnonzero(values != (0.0 if neutral is None else neutral))
    return columns, values[columns]


def _width(record: Inputs) -> int:
    return int(record.matrix.nnz if isinstance(record, SparseInputs) else record.array.shape[1])  # type: ignore[union-attr]


def _altered(record: Inputs, columns: Any, neutral: FloatArray | None) -> Inputs:
    """Copies of one record, each with one of the columns taken out."""
    n_rows = len(columns)
    if isinstance(record, SparseInputs):
        matrix = record.matrix
        values = np.tile(matrix.data, (n_rows, 1))
        values[np.arange(n_rows), np.searchsorted(matrix.indices, columns)] = (
            0.0 if neutral is None else neutral[columns]
        )
        starts = np.arange(n_rows + 1) * matrix.nnz
        parts = values.ravel(), np.tile(matrix.indices, n_rows), starts
        return SparseInputs(sp.csr_array(parts, shape=(n_rows, matrix.shape[1])))
    assert isinstance(record, DenseInputs)
    array = np.repeat(record.array, n_rows, axis=0)
    array[np.arange(n_rows), columns] = 0.0 if neutral is None else neutral[columns]
    return DenseInputs(array, record.names)


def _log_odds(share: Any) -> Any:
    share = np.clip(share, _LEAST, 1.0 - _LEAST)
    return np.log(share) - np.log1p(-share)
