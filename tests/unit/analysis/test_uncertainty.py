"""The least certain records."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.analysis import least_certain
from metalwork.errors import ConfigError

PROBS = mw.TaskProbabilities(
    [[0.4, 0.3, 0.3], [0.49, 0.5, 0.01], [0.9, 0.05, 0.05], [0.5, 0.49, 0.01]], mw.TaskSchema.flat(["a", "b", "c"])
)


def test_smallest_margins_come_first_and_equals_keep_their_order() -> None:
    assert least_certain(PROBS, 3).tolist() == [1, 3, 0]


def test_largest_entropies_come_first() -> None:
    assert least_certain(PROBS, 2, by="entropy").tolist() == [0, 1]


def test_a_zero_probability_has_no_entropy() -> None:
    probs = mw.TaskProbabilities([[1.0, 0.0], [0.5, 0.5]], mw.TaskSchema.flat(["a", "b"]))
    assert least_certain(probs, 2, by="entropy").tolist() == [1, 0]


@pytest.mark.parametrize("k", [0, 4, 99])
def test_k_may_be_anything_from_zero(k: int) -> None:
    assert len(least_certain(PROBS, k)) == min(k, 4)
    assert least_certain(PROBS, k).dtype == np.int64


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ConfigError, match=r"^k must be a whole number of at least 0; got -1\.$"):
        least_certain(PROBS, -1)
    with pytest.raises(ConfigError, match=r"^by must be one of 'margin', 'entropy'; got 'size'\.$"):
        least_certain(PROBS, 1, by="size")
