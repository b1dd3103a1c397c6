"""What label models learn from the features of records, beside the votes: a classifier, out of fold."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import log_softmax

from metalwork._checks import ABSTAIN, BoolArray, FloatArray
from metalwork.errors import VotesError
from metalwork.inference import (
    Linear,
    Scaling,
    class_sums,
    fit_temperature,
    learn_linear,
    learn_scaling,
    scaled,
)
from metalwork.label_models._stored import Sizes
from metalwork.label_models._worth import Posterior, measured_weight, tilted
from metalwork.votes import LabelMatrix

N_FOLDS: Final = 5
"""Parts of the records, and groups of LFs, of which one is left out at a time."""
MOST_JUDGED: Final = 20_000
"""Records on which the classifier is calibrated and its worth is measured."""
UNVOTED_WEIGHT: Final = 1.0
"""The weight where no LF votes: there is nothing that the features could repeat."""
_MOST_CELLS: Final = 1 << 28
_FLOOR: Final = 1e-12
_NAMES: Final = ("balance", "bias", "centre", "factor", "log_prior", "weight", "weights")

Int64Array = npt.NDArray[np.int64]
FeatureModel = dict[str, npt.NDArray[Any]]
"""A classifier as arrays by name, as files hold it; empty where no features were given."""
Matrix = Any
"""Checked features: a float64 array (n_points, n_features), or a CSR array of counts."""


def as_matrix(features: Any, n_points: int, n_features: int | None = None) -> Matrix:
    """Checked features (n_points, n_features): a float64 array, or a CSR array of counts."""
    sparse = sp.issparse(features)
    try:
        found = sp.csr_array(features, dtype=np.float64) if sparse else np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 2:
        raise VotesError(
            f"features must be a float array or sparse matrix (n_points, n_features); got {_got(features)}. "
            "Count the words of texts by mw.WordCounts().fit_transform(texts), or use mw.FeatureAwareLabelModel."
        )
    if found.shape[0] != n_points:
        raise VotesError(
            f"features must have one row a record of votes ({n_points:,}); got {found.shape[0]:,} rows. "
            "Make them from the same records, in the same order."
        )
    if n_features is not None and found.shape[1] != n_features:
        raise VotesError(
            f"features must have {n_features:,} columns, as those of fit; got {found.shape[1]:,}. "
            "Make them the same way."
        )
    _check_values(found, sparse)
    return found


def _check_values(found: Matrix, sparse: bool) -> None:
    values = found.data if sparse else found
    if values.size and not np.isfinite(values.sum()):
        row = _row_of(found, int(np.flatnonzero(~np.isfinite(values))[0]))
        raise VotesError(f"features must be finite; got NaN or infinity at row {row}. Fill what is missing first.")
    if sparse and values.size and values.min() < 0:
        row = _row_of(found, int(values.argmin()))
        raise VotesError(
            f"features must be counts, of at least 0, where they are sparse; got {values.min():g} at row {row}. "
            "Give other numbers as an array: features.toarray()."
        )


def _row_of(found: Matrix, position: int) -> int:
    if sp.issparse(found):
        return int(np.searchsorted(found.indptr, position, side="right")) - 1
    return int(position // max(found.shape[1], 1))


def _got(features: Any) -> str:
    return f"{type(features).__name__}" + (f" of shape {features.shape}" if hasattr(features, "shape") else "")


def keys_of_rows(features: Matrix) -> npt.NDArray[np.uint64]:
    """A number for each row (n_points,), from its content alone: equal rows have equal numbers."""
    n_columns = features.shape[1]
    mix = _mixed(np.arange(1, n_columns + 1, dtype=np.uint64)) | np.uint64(1)
    if sp.issparse(features):
        total = np.zeros(len(features.data) + 1, np.uint64)
        np.cumsum(_bits(features.data) * mix[features.indices], out=total[1:])  # wraps, and so do differences
        return _mixed(total[features.indptr[1:]] - total[features.indptr[:-1]])
    found = np.zeros(len(features), np.uint64)
    for column in range(n_columns):
        found += _bits(features[:, column]) * mix[column]
    return _mixed(found)


def _bits(values: FloatArray) -> npt.NDArray[np.uint64]:
    """Of values as float32, where 0 is 0: what is left out of a sparse matrix."""
    return (values.astype(np.float32) + np.float32(0.0)).view(np.uint32).astype(np.uint64)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Bits well mixed (splitmix64)."""
    found = numbers + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def _folds(keys: npt.NDArray[np.uint64]) -> Int64Array:
    return (keys % np.uint64(N_FOLDS)).astype(np.int64)


def learn_features(votes: LabelMatrix, features: Matrix, posterior: Posterior) -> FeatureModel:
    """A classifier of the features, taught by the posterior of the votes on records that have some.

    Records are dealt to folds by the content of their features, so that records that are the same never teach each
    other, and a record is judged by what never saw it whenever it comes.
    """
    scaling, keys = learn_scaling(features), keys_of_rows(features)
    n_cells = N_FOLDS * features.shape[1] * votes.schema.n_end_labels
    if n_cells > _MOST_CELLS:
        raise VotesError(
            f"features times end labels must be at most {_MOST_CELLS // N_FOLDS:,}; got {n_cells // N_FOLDS:,}. "
            "Keep the most frequent words: mw.WordCounts(max_features=...)."
        )
    inputs, fold = scaled(features, scaling), _folds(keys)
    voted = np.flatnonzero((votes.codes != ABSTAIN).any(axis=1))
    judged = np.zeros(votes.n_points, dtype=bool)
    judged[voted[np.argsort(keys[voted], kind="stable")[:MOST_JUDGED]]] = True

    def taught(rows: Int64Array, labels: FloatArray) -> Linear:
        return learn_linear(class_sums(inputs[rows], labels, fold[rows], N_FOLDS), scaling.counts)

    labels = posterior(votes.rows(voted))
    prior = _shares(labels)
    linear, rows = taught(voted, labels), np.flatnonzero(judged)
    scores = linear.scores(inputs[rows], fold[rows])
    temperature = fit_temperature(scores, labels[judged[voted]], np.log(prior))
    balance = _shares(np.exp(log_softmax(np.log(prior) + temperature * scores, axis=1)))

    def log_ratios(rows: Int64Array, labels: FloatArray, asked: Int64Array) -> FloatArray:
        found, log_prior = taught(rows, labels), np.log(_shares(labels))
        chosen = rows[judged[rows]]
        logs = log_softmax(log_prior + temperature * found.scores(inputs[chosen], fold[chosen]), axis=1)
        ratios: FloatArray = (logs - np.log(_shares(np.exp(logs))))[np.searchsorted(chosen, asked)]
        return ratios

    weight = measured_weight(votes, judged, posterior, log_ratios, min(N_FOLDS, votes.n_lfs))
    return {
        "balance": balance,
        "bias": linear.bias * temperature,
        "centre": scaling.centre,
        "factor": scaling.factor,
        "log_prior": np.log(prior),
        "weight": np.array([weight]),
        "weights": linear.weights * np.float32(temperature),
    }


def _shares(labels: FloatArray) -> FloatArray:
    """Mean of distributions (n_labels,), none of them 0; uniform where there are no records."""
    total = labels.sum(axis=0) + _FLOOR
    shares: FloatArray = np.maximum(total / total.sum(), _FLOOR)
    return shares


def with_features(posterior: FloatArray, voted: BoolArray, model: FeatureModel, features: Matrix) -> FloatArray:
    """The posterior of the votes (n_points, n_end_labels) times what the classifier says of the features.

    ``p(y | votes, x)`` is proportional to ``p(y | votes) (q(y | x) / q(y)) ** weight``.
    """
    linear = Linear(model["weights"], model["bias"])
    inputs = scaled(features, Scaling(model["centre"], model["factor"]))
    scores = linear.scores(inputs, _folds(keys_of_rows(features)))
    log_ratios = log_softmax(model["log_prior"] + scores, axis=1) - np.log(model["balance"])
    return tilted(posterior, log_ratios, np.where(voted, model["weight"], UNVOTED_WEIGHT)[:, None])


def feature_model_rule(value: Any, sizes: Sizes) -> str | None:
    """Arrays of a classifier of features, or none."""
    if not isinstance(value, Mapping) or (value and sorted(value) != list(_NAMES)):
        return f"empty, or arrays named {', '.join(_NAMES)}"
    if not value:
        return None
    n_labels, n_features = sizes.n_end_labels, len(value["factor"])
    shapes = {
        "balance": (n_labels,),
        "bias": (N_FOLDS, n_labels),
        "centre": (n_features if value["centre"].size else 0,),
        "factor": (n_features,),
        "log_prior": (n_labels,),
        "weight": (1,),
        "weights": (N_FOLDS, n_features, n_labels),
    }
    for name, shape in shapes.items():
        array = value[name]
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            return f"finite numbers; {name} of shape {shape}"
    return (
        None
        if (value["balance"] > 0).all() and value["weight"][0] >= 0
        else "shares above 0 and a weight of at least 0"
    )
