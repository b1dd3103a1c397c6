"""Argument checks say what is allowed and what came, in one kind of error."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metalwork._checks import (
    check_choice,
    check_count,
    check_fraction,
    check_instance,
    check_not_negative,
    check_positive,
)
from metalwork.errors import ConfigError
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

NAN, INF = float("nan"), float("inf")


def refused(check: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        check("n", *arguments)
    return str(caught.value)


def test_choices() -> None:
    assert check_choice("mode", "soft", ("hard", "soft")) == "soft"
    assert refused(check_choice, "sof", ("hard", "soft")) == "n must be one of 'hard', 'soft'; got 'sof'."
    assert refused(check_choice, ["hard"], ("hard", "soft")) == "n must be one of 'hard', 'soft'; got ['hard']."


@pytest.mark.parametrize(
    ("check", "rule", "good", "bad"),
    [
        (
            check_positive,
            "a finite number above 0",
            [1e-300, 3, np.float32(2)],
            [0, -1.5, NAN, INF, True, "3", None],
        ),
        (check_not_negative, "a finite number of at least 0", [0, 0.5], [-1e-9, NAN, INF, False, "0"]),
        (check_count, "a whole number of at least 1", [1, np.int32(7)], [0, 2.0, True, "1", None, 10**30]),
    ],
)
def test_numbers(check: Callable[..., Any], rule: str, good: list[Any], bad: list[Any]) -> None:
    assert [check("n", value) for value in good] == good
    for value in bad:
        assert refused(check, value) == f"n must be {rule}; got {value!r}."


def test_counts_may_start_elsewhere_and_say_what_to_do() -> None:
    assert check_count("k", 0, least=0) == 0
    with pytest.raises(ConfigError, match=re.escape("k must be a whole number of at least 0; got -1. Pass one.")):
        check_count("k", -1, least=0, remedy="Pass one.")


@pytest.mark.parametrize(("bounds", "inside"), [("[]", [0, 1]), ("[)", [0]), ("(]", [1]), ("()", [])])
def test_fractions(bounds: str, inside: list[float]) -> None:
    for value in [0.5, *inside]:
        assert check_fraction("n", value, bounds) == value
    for value in {0, 1, -0.1, 1.1, INF} - set(inside):
        expected = f"n must be a number in {bounds[0]}0, 1{bounds[1]}; got {value!r}."
        assert refused(check_fraction, value, bounds) == expected


def test_kinds() -> None:
    schema = TaskSchema.flat(["a", "b"])
    assert check_instance("schema", schema, TaskSchema) is schema
    assert refused(check_instance, None, TaskSchema) == "n must be a TaskSchema; got NoneType."
    assert refused(check_instance, TaskSchema, TaskSchema) == "n must be a TaskSchema; got the class TaskSchema."
    expected = "n must be TaskProbabilities; got list. Make some."
    assert refused(check_instance, [], TaskProbabilities, "Make some.") == expected
