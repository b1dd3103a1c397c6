"""Options of models in a project file, tried on two records, so that a wrong one shows before any work is done."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import scipy.sparse as sp

from metalwork._documents import Key
from metalwork.errors import MetalworkError, MissingExtraError
from metalwork.pipeline._candidates import end_models, label_models
from metalwork.pipeline._faults import Fault, dotted
from metalwork.pipeline._features import label_model_featurizer
from metalwork.pipeline._job import Job
from metalwork.pipeline._models import build_end_model, build_label_model, known_options, label_model_class
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import unknown_name
from metalwork.votes import votes_in

LEAST_DEV: Final = 10
"""Dev records that settings can be tried on; fewer tell nothing."""

Trial = Callable[[Job, Mapping[str, Any]], None]
"""Fits a model with these options; raises what the model raises."""


def option_faults(job: Job) -> Iterator[Fault]:
    """Options that a model does not have, and values that it refuses.

    The other keys of ``end_model`` are checked as the file is read, so torch is imported for options alone.
    """
    if options := job.label_model.options:
        known = known_options(label_model_class(job.label_model))
        yield from _faults(("label_model", "options"), job, options, known, _try_label_model)
    if options := job.end_model.options:
        try:
            from metalwork.end_models import EndModel
        except MissingExtraError:  # the step that trains it says so
            return
        yield from _faults(("end_model", "options"), job, options, known_options(EndModel), _try_end_model)


def tuning_faults(job: Job) -> Iterator[Fault]:
    """Too few dev records to try settings on, and settings that no model has."""
    if job.tune is None:
        return
    n_known = job.split("dev").n_known if "dev" in job.splits else 0
    if n_known < LEAST_DEV:
        yield (
            ("tune",),
            f"tune must go with at least {LEAST_DEV} dev records of known label; got {n_known}. Label some, or "
            "leave tune out.",
        )
    try:
        labels = label_models(job.label_model, job.tune, job.features)
        ends = end_models(job.end_model, job.tune, job.random_state)
    except MetalworkError as error:
        yield ("tune",), str(error)
        return
    if label_model_featurizer(job.features) is None and any(own.settings.features for own in labels[1:]):
        text = "may not try features: true where the end model reads images alone, which a label model cannot."
        yield ("tune", "label_models"), f"tune.label_models {text}"
    for section, part, found in (("label_models", "label_model", labels), ("end_models", "end_model", ends)):
        for candidate in (own for own in found if own.place >= 0):
            place = ("tune", section, candidate.place)
            for _, text in option_faults(replace(job, **{part: candidate.settings})):
                yield place, f"{dotted(place)}: {text}"


def _faults(
    place: tuple[Key, ...], job: Job, options: Mapping[str, Any], known: list[str], trial: Trial
) -> Iterator[Fault]:
    unknown = [name for name in options if name not in known]
    for name in unknown:
        text = unknown_name("option", name, known) if known else f"{name!r} is no option; this model has none."
        yield (*place, name), f"{dotted(place)}: {text}"
    if not unknown and (refusal := _refusal(job, options, trial)) and _refusal(job, {}, trial) is None:
        yield place, f"{dotted(place)}: {refusal}"


def _refusal(job: Job, options: Mapping[str, Any], trial: Trial) -> str | None:
    """What the model says against its options; None where it takes them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial(job, options)
    except (MetalworkError, TypeError, ValueError) as error:
        return str(error)
    return None


def _try_label_model(job: Job, options: Mapping[str, Any]) -> None:
    columns = [column for lf in job.labeling_functions for column in lf.columns(job.space.tasks)]
    columns = [(name, task) for name, task in columns if task in job.space.tasks]
    tasks = [task for _, task in columns]
    codes = np.array([np.zeros(len(tasks), np.int64), [len(job.space.labels(task)) - 1 for task in tasks]])
    votes = votes_in(job.space, codes, tasks, [name for name, _ in columns])
    settings = job.label_model.model_copy(update={"options": dict(options)})
    build_label_model(settings, job.schema, job.random_state).fit(votes)


def _try_end_model(job: Job, options: Mapping[str, Any]) -> None:
    is_sparse = job.features.text is not None or job.features.categories is not None
    inputs = np.eye(2, dtype=np.float32)
    labels = TaskProbabilities.from_labels([0, job.schema.n_end_labels - 1], job.schema)
    settings = job.end_model.model_copy(update={"options": dict(options)})
    model = build_end_model(settings, job.schema, job.random_state)
    if isinstance(model.max_epochs, int | None) and not isinstance(model.max_epochs, bool):
        model.set_params(max_epochs=1 if model.max_epochs is None else min(model.max_epochs, 1))
    model.fit(sp.csr_matrix(inputs) if is_sparse else inputs, labels)
