"""What an LF is: told apart where it matters, and the same in every process."""

import functools
import logging
import operator
import os
import re
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import metalwork as mw
from metalwork.labeling import functions_digest
from metalwork.labeling._fingerprint import LFDigests

SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


class Color(Enum):
    RED = 1
    BLUE = 2


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: Any, b: Any = None) -> None:
        self.a, self.b = a, b


class Words(list[str]):
    extra = 1


@dataclass
class Rule:
    word: str
    others: list[str] = field(default_factory=list)


Pair = namedtuple("Pair", "a b")


def plus(a: int, b: int) -> int:
    return a + b


def twice(a: int) -> int:
    return 2 * a


@functools.lru_cache(maxsize=3)
def cached_plus(a: int) -> int:
    return plus(a, 1)


@functools.lru_cache(maxsize=3)
def cached_twice(a: int) -> int:
    return twice(a)


def ring() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


VALUES: list[Any] = [
    None,
    0,
    False,
    0.0,
    "0",
    b"0",
    1,
    True,
    1.0,
    ...,
    [],
    (),
    {},
    set(),
    frozenset({1}),
    {1},
    [1],
    (1,),
    deque([1]),
    [[1], [1]],
    [[1, 1]],
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    OrderedDict(a=1),
    {"a": 1},
    defaultdict(int, a=1),
    defaultdict(list, a=1),
    Counter("a"),
    {"x", "y"},
    {"x", "z"},
    re.compile("a"),
    re.compile("a", re.IGNORECASE),
    Path("a"),
    "a",
    date(2020, 1, 2),
    date(2020, 1, 3),
    np.array([1, 2]),
    np.array([1, 2], np.int32),
    np.array([[1, 2]]),
    np.array([1, 3]),
    np.array(["a", None], dtype=object),
    np.array([], dtype=float),
    np.float32(1),
    np.float64(1),
    pl.Series("a", ["x", None]),
    pl.Series("a", ["x", ""]),
    pl.Series("b", ["x", None]),
    pl.Series("a", [1, None]),
    pl.Series("a", [1.0, None]),
    pl.Series("a", [[1], None]),
    pl.DataFrame({"a": ["x", None]}),
    Color.RED,
    Color.BLUE,
    Color,
    Slotted(1),
    Slotted(2),
    Slotted(1, 2),
    Words(["a"]),
    Words(["b"]),
    Rule("a"),
    Rule("b"),
    Rule("a", ["b"]),
    Pair(1, 2),
    (1, 2),
    plus,
    twice,
    cached_plus,
    cached_twice,
    functools.partial(plus, 1),
    functools.partial(plus, 2),
    functools.partial(twice, 1),
    operator.itemgetter(1),
    operator.itemgetter(2),
    str.lower,
    str.upper,
    "a".startswith,
    "b".startswith,
    len,
    max,
    np.add,
    np.subtract,
    np,
    re,
    logging.getLogger("a"),
    logging.getLogger("b"),
    ring(),
    slice(1, 2),
    range(3),
    int,
    Slotted(1).__init__,  # type: ignore[misc]
]


def digests() -> list[str]:
    return [LFDigests().root(value).digest.hex() for value in VALUES]


def test_values_are_told_apart() -> None:
    found = digests()
    same = [(VALUES[i], VALUES[j]) for i in range(len(found)) for j in range(i) if found[i] == found[j]]
    assert same == []
    assert [value for value in VALUES if LFDigests().root(value).blind] == []


def test_all_processes_agree() -> None:
    script = "from tests.unit.labeling.test_fingerprint import digests; print(digests())"
    found = {str(digests())}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_equal_values_are_the_same() -> None:
    for one, other in (
        ({"x", "y"}, {"y", "x"}),
        (Slotted(1), Slotted(1)),
        (ring(), ring()),
        (np.arange(6).reshape(2, 3).T, np.ascontiguousarray(np.arange(6).reshape(2, 3).T)),
        (pl.Series("a", ["x", "y", "z"]).slice(1), pl.Series("a", ["y", "z"])),
        (threading.Lock(), threading.Lock()),
    ):
        assert LFDigests().root(one).digest == LFDigests().root(other).digest


def test_what_is_shared_and_what_is_alone_count_the_same() -> None:
    part = Slotted([1, 2])
    assert LFDigests().root([part, part]).digest == LFDigests().root([part, Slotted([1, 2])]).digest


def test_what_came_before_does_not_count() -> None:
    """LFs that share helpers which call each other have the same digest, whichever is looked at first."""
    names: dict[str, Any] = {"__name__": "of_a_user"}
    exec(
        "def even(n): return n == 0 or odd(n - 1)\n"
        "def odd(n): return n != 0 and even(n - 1)\n"
        "def first(text): return even(len(text))\n"
        "def second(text): return odd(len(text))\n"
        "def third(text): return first(text) or second(text)",
        names,
    )
    functions = [names[name] for name in ("first", "second", "third")]
    alone = [LFDigests().root(function).digest for function in functions]
    together = LFDigests()
    assert [together.root(function).digest for function in functions] == alone
    assert [together.root(function).digest for function in reversed(functions)] == alone[::-1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ((x for x in "ab"), "it refers to an object of builtins.generator"),
        (sys.stdout, "it refers to an object of"),
        (memoryview(b"a"), "it refers to an object of builtins.memoryview"),
        ([[[]]], ""),
    ],
)
def test_what_has_no_stable_form_is_said(value: Any, reason: str) -> None:
    assert " ".join(LFDigests().root(value).blind)[: len(reason)] == reason


def test_too_deep_a_value_is_said() -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert list(LFDigests().root(deep).blind) == ["it refers to values nested more than 100 deep"]


def test_models_of_scikit_learn_are_the_same_elsewhere() -> None:
    script = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from metalwork.labeling._fingerprint import LFDigests
for n in (2, 3):
    model = make_pipeline(TfidfVectorizer(), RandomForestClassifier(n, random_state=0))
    print(LFDigests().root(model.fit(["a bb", "cc dd", "bb"], ["x", "y", "x"])).digest.hex())
"""
    runs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        runs.append(done.stdout.split())
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_the_digest_of_all_heeds_names() -> None:
    lfs = [mw.keywords("kind", "spam", ["a"], name=name) for name in ("one", "two")]
    assert functions_digest(lfs[:1], SCHEMA) != functions_digest(lfs[1:], SCHEMA)
    assert functions_digest(lfs, SCHEMA) == functions_digest(list(lfs), SCHEMA)
