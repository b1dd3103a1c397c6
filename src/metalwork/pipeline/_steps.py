"""The steps of a run. Each reads what earlier steps committed, and commits what it writes."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from metalwork import labeling
from metalwork._files import write_text
from metalwork.analysis import lf_summary
from metalwork.errors import ConfigError, DataError, MetalworkWarning
from metalwork.pipeline import _results as files
from metalwork.pipeline._exports import write_table
from metalwork.pipeline._features import Features
from metalwork.pipeline._folder import STEPS, RunFolder
from metalwork.pipeline._job import Codes, Job
from metalwork.pipeline._models import (
    blaming,
    build_end_model,
    build_label_model,
    class_prior,
    notes_on_lfs,
)
from metalwork.pipeline._results import read_end_model, read_probabilities, read_votes, split_file
from metalwork.pipeline._summary import Results, known_splits, score, summarise
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

Progress = Callable[[int, int | None], None]
"""Told how many units of a step's work are done, and of how many (None where that is not known)."""


def apply(job: Job, folder: RunFolder, progress: Progress | None = None) -> dict[str, LabelMatrix]:
    """Run the labeling functions on every split; write one label matrix each.

    Raises
    ------
    DataError
        When a split cannot be read or holds no record.
    LabelingError
        When a labeling function does not fit the schema or the records, or fails on them.
    """
    with folder.writing():
        votes: dict[str, LabelMatrix] = {}
        with _noting_warnings() as noted:
            for split in job.splits:  # the training split comes first: its alphabets are the model's
                votes[split] = _votes_on(job, split, progress, like=votes.get("train"))
        with folder.step("apply", {"project": job.name, "warnings": noted}) as written:
            for split, matrix in votes.items():
                matrix.save(folder.path / split_file("votes", split))
                written.append(split_file("votes", split))
            known = {s: lf_summary(votes[s], job.split(s).gold) for s in known_splits(job) if s != "test"}
            write_table(folder.path / files.LF_TABLE, files.lf_table(lf_summary(votes["train"]), known))
            written.append(files.LF_TABLE)
        return votes


def fit(job: Job, folder: RunFolder) -> dict[str, TaskProbabilities]:
    """Fit the label model on the training votes; write it, and probabilistic labels for every split."""
    with folder.writing():
        votes, settings = read_votes(job, folder), job.label_model
        dev = _dev_votes(job, votes) if settings.use_dev and settings.name == "hierarchical" else None
        with _noting_warnings() as noted, blaming("label_model", settings.options):
            model = build_label_model(settings, job.schema, job.random_state)
            model.fit(votes["train"], class_prior=class_prior(settings, job.schema), dev=dev)
        probs = {split: model.predict_proba(matrix) for split, matrix in votes.items()}
        facts = {
            "label_model": settings.name,
            "used_dev": dev is not None,
            "warnings": noted,
            "notes_on_lfs": notes_on_lfs(model),
        }
        with folder.step("fit", facts) as written:
            model.save(folder.path / files.LABEL_MODEL)
            written.append(files.LABEL_MODEL)
            for split, probabilities in probs.items():
                probabilities.save(folder.path / split_file("probabilities", split))
                table = split_file("labels", split, job.output.format)
                write_table(folder.path / table, files.label_table(job.split(split), probabilities))
                written += [split_file("probabilities", split), table]
        return probs


def train(job: Job, folder: RunFolder, progress: Progress | None = None) -> "EndModel":
    """Train the end model on the training records that at least one labeling function voted on.

    ``progress`` is told the epochs.
    """
    with folder.writing():
        votes, probs = read_votes(job, folder)["train"], read_probabilities(job, folder)["train"]
        voted = np.flatnonzero((votes.codes >= 0).any(axis=1))
        if voted.size == 0:
            raise ConfigError(
                "Labeling functions must vote on at least one training record; all abstain on every one. "
                f"Look at {folder.path / files.LF_TABLE}."
            )
        records = job.split("train").records
        features = Features(job.features).fit(records)
        dev = _dev_features(job, features) if job.end_model.use_dev else None
        callbacks = [] if progress is None else [_epoch_counter(job, progress)]
        with _noting_warnings() as noted, blaming("end_model", job.end_model.arguments()):
            model = build_end_model(job.end_model, job.schema, job.random_state)
            model.fit(features.transform(records)[voted], probs.rows(voted), dev=dev, callbacks=callbacks)
        facts = {"records": int(voted.size), "used_dev": dev is not None, "warnings": noted}
        with folder.step("train", facts) as written:
            features.save(folder.path / files.FEATURES)
            model.save(folder.path / files.END_MODEL)
            written += [files.FEATURES, files.END_MODEL]
        return model


def evaluate(job: Job, folder: RunFolder) -> Results:
    """Predict every split with the end model; score all models where end labels are known."""
    with folder.writing():
        model = read_end_model(folder)
        features = Features.load(folder.file(files.FEATURES))
        end = {s: model.predict_proba(features.transform(job.split(s).records)) for s in job.splits}
        labels = read_probabilities(job, folder)
        results = score(job, read_votes(job, folder), labels, end)
        tables = [files.prediction_table(s, job.split(s), labels[s], end[s]) for s in job.splits]
        plain = {model: {s: m.to_dict() for s, m in by_split.items()} for model, by_split in results.items()}
        with folder.step("evaluate") as written:
            for split, probabilities in end.items():
                probabilities.save(folder.path / split_file("end_probabilities", split))
                written.append(split_file("end_probabilities", split))
            write_table(
                folder.path / f"predictions.{job.output.format}", pl.concat(tables, how="diagonal_relaxed")
            )
            write_text(folder.path / files.METRICS, json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
            written += [f"predictions.{job.output.format}", files.METRICS]
        return results


def report(job: Job, folder: RunFolder) -> Path:
    """Write everything about the run into one HTML page; returns its path."""
    from metalwork.pipeline._reporting import report_data
    from metalwork.report import write_report

    with folder.writing():
        folder.require("evaluate")
        data = report_data(job, folder, summarise(job, folder))
        with folder.step("report") as written:
            write_report(folder.path / files.REPORT, data)
            written.append(files.REPORT)
        return folder.path / files.REPORT


_STEPS: Final[dict[str, Callable[[Job, RunFolder], Any]]] = {
    "apply": apply,
    "fit": fit,
    "train": train,
    "evaluate": evaluate,
    "report": report,
}


def run(job: Job, folder: RunFolder, on_step: Callable[[str], None] | None = None) -> Path:
    """All steps, one after the other; ``on_step`` is told each one's name before it begins.

    Returns the path of the report.
    """
    with folder.writing():
        for name in STEPS:
            if on_step is not None:
                on_step(name)
            _STEPS[name](job, folder)
    return folder.file(files.REPORT)


def _votes_on(job: Job, split: str, progress: Progress | None, like: LabelMatrix | None) -> LabelMatrix:
    votes = labeling.apply(
        job.labeling_functions,
        job.sources[split],
        job.schema,
        backend="serial" if job.n_jobs == 1 else "processes",
        n_jobs=job.n_jobs,
        max_error_rate=job.max_error_rate,
        progress=progress,
        like=like,
    )
    if votes.n_points == 0:
        raise DataError(f"The {split} split must hold at least one record; got none. Check its file.")
    return votes


def _epoch_counter(job: Job, progress: Progress) -> Callable[[dict[str, Any]], None]:
    return lambda record: progress(record["epoch"], job.end_model.max_epochs)


def _dev_votes(job: Job, votes: Mapping[str, LabelMatrix]) -> tuple[LabelMatrix, Codes] | None:
    known, gold = _dev_labels(job)
    return (votes["dev"].rows(known), gold) if known.size else None


def _dev_features(job: Job, features: Features) -> tuple[Any, Codes] | None:
    known, gold = _dev_labels(job)
    return (features.transform(job.split("dev").records[known]), gold) if known.size else None


def _dev_labels(job: Job) -> tuple[Codes, Codes]:
    """Rows of the dev split whose end label is known, and these end labels."""
    split = job.split("dev") if "dev" in job.splits else None
    if split is None or split.gold is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return split.known, split.gold[split.known]


@contextmanager
def _noting_warnings() -> Iterator[list[str]]:
    """Collect the texts of metalwork's own warnings, for the manifest, and pass all warnings on."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MetalworkWarning)
        yield texts
    for warning in caught:
        if issubclass(warning.category, MetalworkWarning):
            texts.append(str(warning.message))
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
