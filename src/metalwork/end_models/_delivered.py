"""What is done with a trained end model: predicting, explaining, and writing it for other runtimes."""

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from metalwork._checks import FloatArray
from metalwork._estimators import Estimator, as_classes
from metalwork.end_models._arguments import check_rows
from metalwork.end_models._building import has_input_module, pick_threads
from metalwork.end_models._explaining import FeatureEffect, explanation
from metalwork.end_models._inputs import Columns, Inputs, check_finite, read_inputs
from metalwork.end_models._labels import how_right
from metalwork.end_models._scaling import Scaler
from metalwork.end_models._training import predict_log_proba, threads
from metalwork.errors import ConfigError
from metalwork.features import Featurizer
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

if TYPE_CHECKING:
    from metalwork.end_models._onnx import OnnxCheck
    from metalwork.end_models.network import EndNetwork

_PREDICT_ROWS: Final = 1024


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
        as the record has features; what two features do only together shows in neither. Where features of a text
        mean nothing one by one, as embeddings or tokens, each word of the text is taken out in their place.

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
            For a model with an input module, or one that reads pictures alone.
        VotesError
            For a row or an end label that is not there.
        """
        self._check_fitted()
        if self.input_module is not None:
            raise ConfigError("input_module must be None for explain; it reads records that have no features.")
        return explanation(self, X, row, end_label)

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
        return self._inputs(X if featurizer is None else featurizer.transform(X))

    def _inputs(self, features: Any) -> Inputs:
        """Finite features as those of the fit."""
        return check_finite(read_inputs(features, "X", self.input_module is not None, self._columns), "X")

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
