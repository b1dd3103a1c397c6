"""Counts around a known mean: against Polya's urn, a grid of strengths and the strength that was simulated."""

import numpy as np
import numpy.typing as npt
import pytest

from metalwork.inference import dirichlet_strength, log_dirichlet_multinomial

Floats = npt.NDArray[np.float64]


def drawn(seed: int, strength: float, n_rows: int = 300, n_drawn: int = 30) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    mean = rng.dirichlet(np.ones(4), n_rows)
    shares = np.array([rng.dirichlet(strength * part) for part in mean])
    return np.array([rng.multinomial(n_drawn, part / part.sum()) for part in shares]).astype(float), mean


def test_the_log_probability_is_that_of_polyas_urn() -> None:
    alpha = np.array([[0.5, 2.0, 1.0], [3.0, 0.1, 0.2]])
    samples = [[0, 1, 1, 2, 1], [2, 0]]
    expected = 0.0
    for row, sample in zip(alpha, samples, strict=True):
        urn = row.copy()
        for ball in sample:
            expected += np.log(urn[ball] / urn.sum())
            urn[ball] += 1
    counts = np.array([np.bincount(sample, minlength=3) for sample in samples], dtype=float)
    assert log_dirichlet_multinomial(counts, alpha) == pytest.approx(expected)


def test_outcomes_that_never_occur_may_have_no_mean() -> None:
    counts, alpha = np.array([[3.0, 1.0, 0.0]]), np.array([[1.0, 2.0, 0.0]])
    assert log_dirichlet_multinomial(counts, alpha) == log_dirichlet_multinomial(counts[:, :2], alpha[:, :2])


@pytest.mark.parametrize("strength", [0.5, 5.0, 50.0])
def test_the_strength_that_was_simulated_is_found(strength: float) -> None:
    counts, mean = drawn(0, strength)
    assert dirichlet_strength(counts, mean, 1e-2, 1e4) == pytest.approx(strength, rel=0.25)


def test_no_other_strength_makes_the_counts_likelier() -> None:
    counts, mean = drawn(1, 8.0)
    found = dirichlet_strength(counts, mean, 1e-2, 1e4)
    best = log_dirichlet_multinomial(counts, found * mean)
    for other in found * np.exp(np.linspace(-2, 2, 41)):
        assert log_dirichlet_multinomial(counts, other * mean) <= best + 1e-3


def test_rows_as_their_means_have_them_take_the_most_and_certain_ones_the_least() -> None:
    mean = np.tile([0.5, 0.3, 0.2], (20, 1))
    assert dirichlet_strength(100 * mean, mean, 0.1, 1e4) == 1e4
    assert dirichlet_strength(100 * np.eye(3), mean[:3], 0.1, 1e4) == 0.1
    assert dirichlet_strength(np.zeros((5, 3)), mean[:5], 0.1, 1e4) == 1e4
