"""The classifier of features against sums written out, record by record."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import log_softmax
from scipy.stats import norm

from metalwork.inference import ClassSums, class_sums, fit_temperature, learn_linear, learn_scaling, scaled

N_FOLDS = 3


def case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts of words (40, 6), soft labels (40, 3) and folds."""
    rng = np.random.default_rng(seed)
    return rng.poisson(0.7, (40, 6)), rng.dirichlet(np.ones(3), 40), rng.integers(0, N_FOLDS, 40)


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_scaled_as_written_out(seed: int) -> None:
    counts, _, _ = case(seed)
    features = sp.csr_array(counts.astype(float))
    found = scaled(features, learn_scaling(features)).toarray()
    with_word = (counts > 0).sum(axis=0)
    for row, words in enumerate(counts):
        values = [math.log(1 + c) * (math.log(41 / (1 + n)) + 1) for c, n in zip(words, with_word, strict=True)]
        length = math.sqrt(sum(v * v for v in values)) or 1.0
        np.testing.assert_allclose(found[row], [v / length for v in values], rtol=1e-6)


def test_numbers_are_standardised_and_constants_vanish() -> None:
    numbers = np.column_stack([np.random.default_rng(0).normal(5, 3, 200), np.full(200, 7.0)])
    found = scaled(numbers, learn_scaling(numbers))
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=0), [1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_fold_is_scored_by_the_records_of_the_others(seed: int, sparse: bool) -> None:
    counts, labels, fold = case(seed)
    features = sp.csr_array(counts.astype(np.float32)) if sparse else counts.astype(np.float32)
    linear = learn_linear(class_sums(features, labels, fold, N_FOLDS), counts=sparse)
    found = linear.scores(features, fold)
    for row, (words, own) in enumerate(zip(counts, fold, strict=True)):
        others = np.flatnonzero(fold != own)
        expected = [_log_likelihood(words, counts[others], labels[others, k], sparse) for k in range(3)]
        np.testing.assert_allclose(found[row] - found[row, 0], np.array(expected) - expected[0], atol=2e-5)


def _log_likelihood(words: np.ndarray, counts: np.ndarray, weight: np.ndarray, sparse: bool) -> float:
    """Of one record under one label, but for a constant; 0.3 pseudo-counts a word, 5 pseudo-records at 0."""
    if not sparse:
        means = (weight @ counts) / (weight.sum() + 5.0)
        return float(norm.logpdf(words, means).sum())
    overall = counts.sum(axis=0) / counts.sum()
    smoothed = weight @ counts + 0.3 * counts.shape[1] * overall
    return float(words @ np.log(smoothed / smoothed.sum()))


def test_a_label_of_which_nothing_is_known_has_the_words_of_all() -> None:
    counts, labels, _ = case(0)
    labels[:, 2] = 0.0
    sums = ClassSums(np.stack([counts.T @ labels, np.zeros((6, 3))]), np.stack([labels.sum(axis=0), np.zeros(3)]))
    weights = learn_linear(sums, counts=True).weights[1]
    overall = (counts.T @ labels).sum(axis=1)
    np.testing.assert_allclose(np.exp(weights[:, 2]), overall / overall.sum(), rtol=1e-5)


@pytest.mark.parametrize("factor", [0.2, 1.0, 3.0])
def test_the_temperature_undoes_a_factor(factor: float) -> None:
    rng = np.random.default_rng(1)
    log_prior, scores = np.log([0.5, 0.3, 0.2]), rng.normal(0, 2, (500, 3))
    labels = np.exp(log_softmax(log_prior + scores, axis=1))
    assert fit_temperature(scores * factor, labels, log_prior) == pytest.approx(1 / factor, rel=0.05)


def test_the_temperature_is_the_likeliest() -> None:
    rng = np.random.default_rng(2)
    log_prior, scores = np.log([0.5, 0.5]), rng.normal(0, 1, (300, 2))
    labels = rng.dirichlet([1, 1], 300)
    grid = np.exp(np.linspace(-7, 3.5, 2000))
    losses = [-(labels * log_softmax(log_prior + t * scores, axis=1)).sum() for t in grid]
    found = fit_temperature(scores, labels, log_prior)
    loss = -(labels * log_softmax(log_prior + found * scores, axis=1)).sum()
    assert loss <= min(losses) + 0.01
