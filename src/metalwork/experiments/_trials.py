"""Training end models, one a trial and arm, in this process or in spawned ones: the figures are the same."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import metalwork as mw
from metalwork.errors import MetalworkError, MissingExtraError

Gold = npt.NDArray[np.int64] | None
Scores = dict[str, float]
J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class Evaluation:
    """Features and gold (n_points, n_tasks) to score an end model on; ``train_labels`` is None where hidden."""

    test: Any
    test_labels: Gold
    train: Any
    train_labels: Gold


@dataclass(frozen=True)
class EndModelJob:
    """One end model to train and score. ``dev`` (features, end-label codes) is for model selection."""

    features: Any
    probs: mw.TaskProbabilities
    dev: tuple[Any, Any] | None
    evaluation: Evaluation
    options: Mapping[str, Any]
    seed: int


def run_end_model(job: EndModelJob) -> Scores:
    """Train, then score on the test split, and on the training split where its gold is known."""
    model = mw.EndModel(job.probs.schema, random_state=job.seed, **job.options)
    model.fit(job.features, job.probs, dev=job.dev)
    held = job.evaluation
    train = None if held.train_labels is None else model.predict_proba(held.train)
    return score(model.predict_proba(held.test), held.test_labels, train, held.train_labels)


def score(
    test: mw.TaskProbabilities, test_labels: Gold, train: mw.TaskProbabilities | None, train_labels: Gold
) -> Scores:
    """Accuracy and calibration on test; accuracy on train where its gold is known."""
    measured = mw.evaluate(test, test_labels)
    scores = {"test": measured.accuracy}
    if train is not None and train_labels is not None:
        scores["train"] = mw.evaluate(train, train_labels).accuracy
    if measured.calibration is not None:
        scores |= {"ece": measured.calibration.ece, "brier": measured.calibration.brier}
    return scores


def run_jobs(work: Callable[[J], R], jobs: Sequence[J], n_jobs: int, on_done: Callable[[int], None]) -> list[R]:
    """Results of ``work`` on every job, in order; ``on_done`` is told the position of each as it finishes."""
    if n_jobs == 1 or len(jobs) <= 1:
        with one_thread():
            return list(_run_here(work, jobs, on_done))
    return _run_in_processes(work, jobs, min(n_jobs, len(jobs)), on_done)


def _run_here(work: Callable[[J], R], jobs: Sequence[J], on_done: Callable[[int], None]) -> Iterator[R]:
    for position, job in enumerate(jobs):
        yield work(job)
        on_done(position)


def _run_in_processes(
    work: Callable[[J], R], jobs: Sequence[J], n_jobs: int, on_done: Callable[[int], None]
) -> list[R]:
    results: dict[int, R] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_jobs, mp_context=context, initializer=_use_one_thread) as pool:
        positions = {pool.submit(work, job): position for position, job in enumerate(jobs)}
        try:
            for future in as_completed(positions):
                results[positions[future]] = future.result()
                on_done(positions[future])
        except BrokenProcessPool:
            raise MetalworkError(
                "A trial's process died: it was killed, ran out of memory, or the calling script has no "
                "'if __name__ == \"__main__\":' around the call. Run with n_jobs=1 to do without processes."
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[position] for position in range(len(jobs))]


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread: the paper's networks are too small for more, and results stay the same anywhere."""
    torch = _import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _use_one_thread() -> None:
    _import_torch().set_num_threads(1)


def _import_torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "train", "Training end models") from None
    return torch
