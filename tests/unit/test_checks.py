"""Argument checks say what is allowed and what came."""

from typing import Any

import pytest

from metalwork._checks import check_choice, check_positive


def test_choices() -> None:
    assert check_choice("mode", "soft", ("hard", "soft")) == "soft"
    with pytest.raises(ValueError, match=r"^mode must be one of 'hard', 'soft'; got 'sof'\.$"):
        check_choice("mode", "sof", ("hard", "soft"))


def test_positive_numbers() -> None:
    assert check_positive("tol", 1e-300) == 1e-300
    for value, shown in [(0, "0"), (-1.5, r"-1\.5"), (float("nan"), "nan"), (float("inf"), "inf")]:
        with pytest.raises(ValueError, match=rf"^tol must be a finite number above 0; got {shown}\.$"):
            check_positive("tol", value)
    texts: list[Any] = ["3", None]
    for text in texts:
        with pytest.raises(ValueError, match=rf"^tol must be a finite number above 0; got {text!r}\.$"):
            check_positive("tol", text)
