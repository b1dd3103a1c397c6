"""An ordinary scikit-learn classifier around the end model, for one flat list of classes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from metalwork._checks import FloatArray
from metalwork.end_models.model import EndModel
from metalwork.errors import SchemaError, VotesError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema


class FlatClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """:class:`EndModel` as scikit-learn's own classifiers are: classes are found in ``y``, and predicted as given.

    For known labels of one flat task, where code expects any classifier of scikit-learn, whose estimator checks it
    passes. Trees of tasks and probabilistic labels need :class:`EndModel` itself. The cost is the same.

    Parameters
    ----------
    hidden_sizes, scaling, dropout, input_dropout, max_epochs, lr, batch_size, weight_decay, n_threads, device
        As of :class:`EndModel`.
    random_state : int, RandomState or None
        Seed of weights, order and dropout; None draws a new one each time.

    Attributes
    ----------
    classes_ : array (n_classes,)
        The classes of ``y``, sorted.
    model_ : EndModel
    n_features_in_ : int
    feature_names_in_ : object array (n_features,)
        Only there where ``X`` was a data frame.
    """

    def __init__(
        self,
        hidden_sizes: Sequence[int] | None = None,
        random_state: Any = 0,
        *,
        scaling: str = "auto",
        dropout: float = 0.0,
        input_dropout: float | None = None,
        max_epochs: int | None = None,
        lr: float | None = None,
        batch_size: int = 64,
        weight_decay: float = 0.01,
        n_threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.random_state = random_state
        self.scaling = scaling
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.n_threads = n_threads
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on classes ``y`` (n_points,); a weight of 0 leaves a record out."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise VotesError(f"y must hold at least 2 classes; got one class, {str(self.classes_[0])!r}.")
        schema = _schema_of(self.classes_)
        arguments = self.get_params(deep=False) | {"random_state": _seed(self.random_state)}
        probs = TaskProbabilities(np.eye(len(self.classes_))[codes], schema)
        self.model_ = EndModel(schema, **arguments).fit(X, probs, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes: float array (n_points, n_classes), rows sum to 1."""
        check_is_fitted(self)
        return self.model_.predict_proba(
            validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        ).end

    def predict(self, X: Any) -> Any:
        """The most probable class of each record (n_points,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _schema_of(classes: Any) -> TaskSchema:
    """One task whose labels are the classes, by their names where these can be labels."""
    try:
        return TaskSchema.flat([str(name) for name in classes], task="class")
    except SchemaError:
        return TaskSchema.flat([f"class {code}" for code in range(len(classes))], task="class")


def _seed(random_state: Any) -> int | None:
    if random_state is None:
        return None
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
