"""Running jobs here or in spawned processes."""

import math
import os
import re

import numpy as np
import pytest
import torch

import metalwork as mw
from metalwork.errors import MetalworkError
from metalwork.experiments._trials import one_thread, run_jobs, score

SCHEMA = mw.TaskSchema.flat(["ham", "spam"])


THREADS = "__import__('torch').get_num_threads()"


def test_results_keep_the_order_of_the_jobs() -> None:
    done: list[int] = []
    assert run_jobs(math.sqrt, [1.0, 4.0, 9.0], 1, done.append) == [1.0, 2.0, 3.0]
    assert done == [0, 1, 2]


def test_processes_keep_the_order_too_and_have_one_thread_each() -> None:
    done: list[int] = []
    assert run_jobs(eval, ["10", "20", THREADS, "30", THREADS], 2, done.append) == [10, 20, 1, 30, 1]
    assert sorted(done) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_in_a_job_reaches_the_caller(n_jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        run_jobs(eval, ["1", "1 / 0"], n_jobs, lambda position: None)


def test_a_process_that_dies_is_one_clear_error() -> None:
    with pytest.raises(MetalworkError, match=re.escape("Run with n_jobs=1 to do without processes.")):
        run_jobs(os._exit, [3, 3], 2, lambda position: None)


def test_torch_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_scores_are_accuracy_and_calibration() -> None:
    sure = mw.TaskProbabilities(np.array([[1.0, 0.0], [0.0, 1.0]]), SCHEMA)
    assert score(sure, np.array([0, 0]), sure, np.array([0, 1])) == {
        "test": 0.5,
        "train": 1.0,
        "ece": pytest.approx(0.5),
        "brier": pytest.approx(1.0),
    }


def test_hidden_gold_is_scored_only_where_there_is_one() -> None:
    sure = mw.TaskProbabilities(np.array([[1.0, 0.0]]), SCHEMA)
    assert "train" not in score(sure, np.array([0]), sure, None)
