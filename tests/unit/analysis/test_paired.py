"""What a few records can tell."""

import math

import numpy as np
import pytest

from metalwork.analysis import doubt_of_gain


def test_only_records_on_which_two_models_differ_tell_them_apart() -> None:
    before = np.array([True] * 30 + [False] * 20)
    right = before.copy()
    assert doubt_of_gain(right, before) == 1.0
    right[30:36] = True
    assert doubt_of_gain(right, before) == pytest.approx(0.5**6)
    right[0] = False  # six gained, one lost
    assert doubt_of_gain(right, before) == pytest.approx(sum(math.comb(7, k) for k in (6, 7)) / 2**7)
    assert doubt_of_gain(before, right) == pytest.approx(1 - 0.5**7)
