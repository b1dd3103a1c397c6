"""Thresholds keep what they promise, and are refused where nothing can be shown."""

import numpy as np
import pytest

from metalwork.delivery._thresholds import Evidence, choose, fewest
from metalwork.errors import ConfigError


def known(right: list[int]) -> Evidence:
    """Predictions from the surest downwards."""
    return Evidence(np.linspace(0.99, 0.5, len(right)), np.array(right, dtype=bool))


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    found = choose(known([1] * 30 + [0]), 0.9, 0.9)
    assert (found.n_known, found.n_given, found.n_right) == (31, 30, 30)
    assert found.low == pytest.approx(0.1 ** (1 / 30))  # all of n right: the tail is low ** n
    assert found.high == 1.0
    found = choose(known([1] * 99 + [0]), 0.9, 0.9)
    assert found.n_given == 100
    assert (found.low, found.high) == pytest.approx((0.9616, 0.99895), abs=1e-4)


def test_fewest_is_how_many_must_be_right() -> None:
    assert fewest(0.95, 0.9) == 45
    assert fewest(0.9, 0.9) == 22
    with pytest.raises(
        ConfigError, match=r"got 44 dev records with a known end label, of which 45 would have to be"
    ):
        choose(known([1] * 44), 0.95)
    assert choose(known([1] * 45), 0.95).n_given == 45


def test_what_can_be_shown_is_said() -> None:
    said = r"of whose 22 surest predictions 19 are right\. What they show is 0\.88, for 19 of them\."
    with pytest.raises(ConfigError, match=said):
        choose(known([1] * 19 + [0] * 3 + [1] * 8), 0.9)


def test_predictions_as_sure_as_one_another_go_together() -> None:
    same = Evidence(np.array([0.9] * 30 + [0.8] * 2), np.array([True] * 31 + [False]))
    assert choose(same, 0.9).n_given == 30


def test_nothing_known_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"got 0 dev records with a known end label"):
        choose(Evidence(np.zeros(0), np.zeros(0, dtype=bool)), 0.9)


@pytest.mark.parametrize(("wanted", "certainty"), [(1.0, 0.9), (0.0, 0.9), (0.9, 1.0), ("high", 0.9)])
def test_what_is_no_share_is_refused(wanted: float, certainty: float) -> None:
    with pytest.raises(ConfigError, match=r"^(precision|certainty) must be a number in \(0, 1\)"):
        choose(known([1] * 50), wanted, certainty)


@pytest.mark.parametrize("lead", [0.0, 0.1])
def test_the_precision_is_missed_no_more_often_than_promised(lead: float) -> None:
    """By simulation: confidences that are right, or too high by 10 points; fixed-sequence testing keeps 10 %."""
    rng = np.random.default_rng(0)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        sure = 0.4 + 0.6 * rng.beta(2.5, 1.0, size=n)
        return sure, np.clip(sure - lead, 0.0, 1.0)

    sure_new, right_new = draw(100_000)
    missed = 0
    for _ in range(500):
        sure, chance = draw(300)
        try:
            found = choose(Evidence(sure, rng.random(300) < chance), 0.85)
        except ConfigError:
            continue
        given = sure_new >= found.confidence
        missed += bool(given.any() and right_new[given].mean() < 0.85)
    assert missed <= 0.1 * 500
