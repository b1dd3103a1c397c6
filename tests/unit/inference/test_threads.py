"""Threads: how many there are is a setting, and changes no bit."""

import os
import threading

import numpy as np
import pytest

import metalwork as mw
from metalwork.errors import ConfigError
from metalwork.inference._threads import in_threads, n_threads


def test_the_setting_wins_over_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("METALWORK_THREADS", raising=False)
    assert n_threads() == 3
    monkeypatch.setenv("METALWORK_THREADS", "2")
    assert n_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    monkeypatch.delenv("METALWORK_THREADS")
    assert 1 <= n_threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5"])
def test_the_setting_is_checked(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALWORK_THREADS", given)
    with pytest.raises(ConfigError, match="METALWORK_THREADS") as caught:
        n_threads()
    assert str(caught.value) == f"METALWORK_THREADS must be a whole number from 1 to 1,024; got {given!r}."


def test_blocks_are_worked_on_at_the_same_time_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALWORK_THREADS", "3")
    all_here = threading.Barrier(3, timeout=60)

    def work(block: int) -> int:
        all_here.wait()
        return -block

    assert list(in_threads(work, range(6))) == [0, -1, -2, -3, -4, -5]


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = mw.TaskSchema.flat(["a", "b", "c"])
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=5_000)
    codes = np.where(rng.random((5_000, 12)) < 0.7, gold[:, None], rng.integers(3, size=(5_000, 12)))
    codes[rng.random(codes.shape) < 0.4] = mw.ABSTAIN
    votes = mw.LabelMatrix(codes, schema)
    monkeypatch.setattr("metalwork.inference._expected._CHUNK_ROWS", 256)
    monkeypatch.setattr("metalwork.inference._end_posteriors._MOST_ROWS", 256)
    found = []
    for n in (1, 2, 5):
        monkeypatch.setenv("METALWORK_THREADS", str(n))
        found.append(mw.HierarchicalLabelModel(schema).fit(votes).predict_proba(votes).end)
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()
