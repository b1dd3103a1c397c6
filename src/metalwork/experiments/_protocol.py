"""The protocol of the paper's section 5, on any data set with labeling functions at several levels."""

import inspect
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Final

import numpy as np

import metalwork as mw
from metalwork.errors import ConfigError, MetalworkWarning
from metalwork.examples import load_example
from metalwork.experiments._arms import LABEL_ARMS, Labeled, Prepared, end_model_job, fit_label_arm, prepare
from metalwork.experiments._layout import LabelScores, build_tables, describe
from metalwork.experiments._tables import Results
from metalwork.experiments._trials import Scores, run_end_model, run_jobs
from metalwork.pipeline import Job
from metalwork.schema import unknown_name

EXPERIMENTS: Final = ("openi", "rcv1", "reuters")

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what was just done)."""

_STEPS_BEFORE_TRIALS = 4

NOTES: Final = (
    "†: the method has no random step, so every trial gives the same figure; the deviation is 0 by construction.",
    "Words and labeling functions see no gold label of train or test; the words are those of the training texts.",
    "The end model is given raw word counts. What it does with them beyond the paper (scaling, dropout, learning "
    "rate, epochs) stands under end_model in the JSON; it is the same for every arm, trial and data set.",
    "Training records on which every labeling function abstains are left out of end-model training; every test "
    "record counts.",
    "The dev split is used as the paper uses its own: to write the labeling functions, to fit the label model "
    "where a row says so, and to select among the epochs of an end model. The end model of the dev labels trains "
    "on all of them and selects nothing.",
)


def reproduce(
    name: str,
    trials: int = 20,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    n_jobs: int | None = None,
) -> Results:
    """Run the paper's experiments (section 5) on one data set, and set them beside the paper's figures.

    Parameters
    ----------
    name : "openi", "rcv1" or "reuters"
    trials : int, default 20
        Repetitions that differ in seed alone; at least 1. More trials keep the first ones as they were.
    out : folder, optional
        Where to write ``NAME.json`` and ``NAME.md``.
    seed : int, at least 0
    progress : callable, optional
        Called with (steps done, steps in all, text) as the run goes on.
    n_jobs : int, optional
        Processes that train end models: 2 by default, 1 on a single core. They are spawned, so a script that
        uses more than one must call this under ``if __name__ == "__main__":``. The figures do not depend on it.

    Raises
    ------
    ConfigError
        For an unknown ``name``, or a number out of range.
    DataError
        When the data set is not on this machine; the message says how to get it.
    MissingExtraError
        When torch or scikit-learn is not installed.
    """
    if name not in EXPERIMENTS:
        raise ConfigError(unknown_name("experiment", name, EXPERIMENTS))
    results = run_experiment(
        name, lambda: load_example(name), trials=trials, seed=seed, progress=progress, n_jobs=n_jobs
    )
    if out is not None:
        results.write(out)
    return results


def run_experiment(
    name: str,
    load: Callable[[], Job],
    trials: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
    n_jobs: int | None = None,
) -> Results:
    """:func:`reproduce` on the job that ``load`` makes: its records, labeling functions, features and end model.

    Its splits dev and test must have known labels; ``name`` stands in the results.
    """
    check_whole("trials", trials, 1)
    check_whole("seed", seed, 0)
    if n_jobs is not None:
        check_whole("n_jobs", n_jobs, 1)
    start = time.perf_counter()
    report = _Reporter(progress, trials)
    job = load()
    report("read the records")
    prepared = prepare(job, report)
    report.expect(trials * len(prepared.end_arms))
    seeds = [int(state) for state in np.random.SeedSequence(seed).generate_state(trials)]
    with _noted_warnings() as warned:
        labeled, label_scores = _fit_label_models(prepared, seeds)
    report("fitted the label models")
    end_scores = _train_end_models(prepared, labeled, seeds, n_jobs or default_jobs(), report)
    return Results(
        name=name,
        trials=trials,
        seed=seed,
        tables=build_tables(name, prepared, label_scores, end_scores),
        facts=describe(prepared),
        settings={"min_df": job.features.min_df, "end_model": _arguments(prepared), "versions": versions()},
        notes=(*NOTES, *warned),
        seconds=time.perf_counter() - start,
    )


def _fit_label_models(prepared: Prepared, seeds: Sequence[int]) -> tuple[dict[str, Labeled], LabelScores]:
    """The first trial's labels of every label arm, and the scores of every trial that can differ from it."""
    labeled: dict[str, Labeled] = {}
    scores: dict[str, list[Scores]] = {}
    for key in prepared.label_arms:
        runs = [fit_label_arm(prepared, key, seed) for seed in (seeds if LABEL_ARMS[key].seeded else seeds[:1])]
        labeled[key], scores[key] = runs[0], [run.scores for run in runs]
    return labeled, scores


def _train_end_models(
    prepared: Prepared,
    labeled: dict[str, Labeled],
    seeds: Sequence[int],
    n_jobs: int,
    report: Callable[[str], None],
) -> dict[str, list[Scores]]:
    """Scores of every end arm, one a trial."""
    plan = [(trial, key) for trial in range(len(seeds)) for key in prepared.end_arms]
    jobs = [end_model_job(prepared, key, labeled, seeds[trial]) for trial, key in plan]
    found = run_jobs(
        run_end_model,
        jobs,
        n_jobs,
        lambda i: report(f"trial {plan[i][0] + 1} of {len(seeds)}: trained {plan[i][1]}"),
    )
    scores: dict[str, list[Scores]] = {key: [] for key in prepared.end_arms}
    for (_, key), result in zip(plan, found, strict=True):
        scores[key].append(result)
    return scores


class _Reporter:
    """Counts steps, and passes them on to the caller's ``progress``."""

    def __init__(self, progress: Progress | None, trials: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = _STEPS_BEFORE_TRIALS + trials

    def expect(self, jobs: int) -> None:
        """Tell how many end models there will be."""
        self._total = _STEPS_BEFORE_TRIALS + jobs

    def __call__(self, what: str) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total, what)


@contextmanager
def _noted_warnings() -> Iterator[list[str]]:
    """Collect the models' warnings as texts, each once, for the results to carry; let others through."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MetalworkWarning)
        yield texts
    for warning in caught:
        text = str(warning.message)
        if not issubclass(warning.category, MetalworkWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif text not in texts:
            texts.append(text)


def check_whole(name: str, value: Any, low: int) -> None:
    """``ConfigError`` unless ``value`` is a whole number of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ConfigError(f"{name} must be a whole number of at least {low}; got {value!r}.")


def default_jobs() -> int:
    """How many processes train end models where no number is given."""
    return min(2, os.cpu_count() or 1)


def _arguments(prepared: Prepared) -> dict[str, Any]:
    """The end model's plain arguments: those that were set, and its defaults for the others."""
    declared = inspect.signature(mw.EndModel).parameters
    arguments = {name: p.default for name, p in declared.items() if p.default is not inspect.Parameter.empty}
    arguments |= prepared.end_model
    return {name: value for name, value in arguments.items() if name not in ("architecture", "random_state")}


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    return {name: metadata.version(name) for name in ("metalwork", "numpy", "scikit-learn", "torch")}
