"""A linear classifier of features, learned from soft labels in closed form: naive Bayes.

What it learns from are sums over records, so that any part of the records can be left out by subtraction.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Floats = npt.NDArray[np.floating[Any]]
Int64Array = npt.NDArray[np.int64]
Features = Any
"""A float array (n_rows, n_features), or a CSR array of counts."""

_SMOOTHING = 0.3
"""Pseudo-counts a word in each label's counts: spread over the words as all records' words are."""
_PRIOR_RECORDS = 5.0
"""Records at the mean of all that stand in each label's mean of numbers."""
_TINY = 1e-12
_LOG_TEMPERATURES = (-7.0, 3.5)


class Scaling(NamedTuple):
    """How features are scaled: by ``factor`` (n_features,), numbers less ``centre`` (n_features,) first.

    ``centre`` is empty for counts.
    """

    centre: Floats
    factor: Floats

    @property
    def counts(self) -> bool:
        """Whether the features are counts, of words mostly."""
        return not self.centre.size


def learn_scaling(features: Features) -> Scaling:
    """Of a sparse matrix, of counts: each column by how rare it is (idf). Of an array: to mean 0, deviation 1."""
    if sp.issparse(features):
        n_with = np.bincount(features.indices, minlength=features.shape[1])
        return Scaling(np.empty(0), np.log((1 + features.shape[0]) / (1 + n_with)) + 1.0)
    deviation = features.std(axis=0)
    return Scaling(features.mean(axis=0), 1.0 / np.where(deviation > 1e-9, deviation, np.inf))


def scaled(features: Features, scaling: Scaling) -> Features:
    """float32, of the same shape; rows of counts have length 1, with the logarithm of each count."""
    if not scaling.counts:
        return ((features - scaling.centre) * scaling.factor).astype(np.float32)
    values = np.log1p(features.data) * scaling.factor[features.indices]
    rows = np.repeat(np.arange(features.shape[0]), np.diff(features.indptr))
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=features.shape[0]))
    values = (values / np.maximum(lengths, _TINY)[rows]).astype(np.float32)
    return sp.csr_array((values, features.indices, features.indptr), shape=features.shape)


class ClassSums(NamedTuple):
    """Sums over the records of each fold: of their features by label, and of their labels."""

    features: Floats
    """(n_folds, n_features, n_labels)"""
    labels: Floats
    """(n_folds, n_labels)"""

    def without(self, fold: int) -> tuple[Floats, Floats]:
        """Both, over the records of all other folds."""
        kept = np.arange(len(self.labels)) != fold
        return self.features[kept].sum(axis=0), self.labels[kept].sum(axis=0)


def class_sums(features: Features, labels: Floats, fold: Int64Array, n_folds: int) -> ClassSums:
    """Sums over scaled features and soft labels (n_rows, n_labels); ``fold`` (n_rows,) is 0..n_folds - 1."""
    by_fold = [np.flatnonzero(fold == f) for f in range(n_folds)]
    of_features = [np.asarray(features[rows].T @ labels[rows].astype(np.float32)) for rows in by_fold]
    return ClassSums(np.stack(of_features), np.stack([labels[rows].sum(axis=0) for rows in by_fold]))


class Linear(NamedTuple):
    """Scores ``features @ weights[f] + bias[f]`` by the classifier that never saw fold ``f``."""

    weights: Floats
    """float32 (n_folds, n_features, n_labels)"""
    bias: Floats
    """(n_folds, n_labels)"""

    def scores(self, features: Features, fold: Int64Array) -> Floats:
        """Log likelihoods (n_rows, n_labels) of scaled features, but for a constant a row."""
        found = np.empty((features.shape[0], self.bias.shape[1]))
        for f, (weights, bias) in enumerate(zip(self.weights, self.bias, strict=True)):
            rows = np.flatnonzero(fold == f)
            found[rows] = features[rows] @ weights + bias
        return found


def learn_linear(sums: ClassSums, counts: bool) -> Linear:
    """One classifier a fold, from all the others.

    Of counts: multinomial naive Bayes. A label of which little is known has the words of all records, so that its
    words speak neither for nor against it. Of numbers: naive Bayes with normal distributions of deviation 1.
    """
    learn = _naive_bayes if counts else _means
    found = [learn(*sums.without(f)) for f in range(len(sums.labels))]
    return Linear(np.stack([w.astype(np.float32) for w, _ in found]), np.stack([b for _, b in found]))


def _naive_bayes(of_features: Floats, of_labels: Floats) -> tuple[Floats, Floats]:
    overall = of_features.sum(axis=1, keepdims=True, dtype=np.float64) + _TINY
    pseudo = _SMOOTHING * len(overall) * overall / overall.sum()
    found = of_features + pseudo
    return np.log(found) - np.log(found.sum(axis=0)), np.zeros(len(of_labels))


def _means(of_features: Floats, of_labels: Floats) -> tuple[Floats, Floats]:
    means = of_features / (of_labels + _PRIOR_RECORDS)
    return means, -0.5 * (means**2).sum(axis=0)


def fit_temperature(scores: Floats, labels: Floats, log_prior: Floats) -> float:
    """What to multiply scores by, so that with the prior they predict soft labels (n_rows, n_labels) best.

    Features of a record depend on each other, which naive Bayes does not see: mostly below 1.
    """

    def loss(log_temperature: float) -> float:
        return -float((labels * log_softmax(log_prior + np.exp(log_temperature) * scores, axis=1)).sum())

    best = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 0.02})
    return float(np.exp(best.x))
