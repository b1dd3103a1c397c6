"""The steps of a run: what each computes, and how a folder keeps it."""

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

import numpy as np
import polars as pl

from metalwork import labeling
from metalwork._files import write_text
from metalwork.analysis import lf_summary
from metalwork.errors import ConfigError, MetalworkWarning
from metalwork.label_models import LabelModel, load_label_model
from metalwork.pipeline import _results as files
from metalwork.pipeline._check import check_job
from metalwork.pipeline._coverage import coverage
from metalwork.pipeline._exports import write_table
from metalwork.pipeline._features import build_featurizer
from metalwork.pipeline._findings import record_findings, vote_findings
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._job import Codes
from metalwork.pipeline._models import (
    blaming,
    build_end_model,
    build_label_model,
    class_prior,
    notes_on_lfs,
)
from metalwork.pipeline._results import split_file
from metalwork.pipeline._scores import Results, known_splits, score
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel
    from metalwork.pipeline._run import Run

Found = TypeVar("Found")


class Step(ABC, Generic[Found]):
    """One step: ``compute`` finds, ``save`` writes into a folder, ``load`` reads it back."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def compute(self, run: "Run") -> Found:
        """What the step finds; results of earlier steps are attributes of ``run``."""

    @abstractmethod
    def save(self, run: "Run", found: Found, folder: RunFolder, written: list[str]) -> None:
        """Write it, appending the names of the files to ``written``."""

    @abstractmethod
    def load(self, run: "Run", folder: RunFolder) -> Found:
        """Read what :meth:`save` wrote."""

    def facts(self, run: "Run", found: Found) -> dict[str, Any]:
        """What the manifest says of it."""
        return {}


@dataclass(frozen=True)
class Applied:
    """Label matrix by split."""

    votes: Mapping[str, LabelMatrix]


class Apply(Step[Applied]):
    """Runs the labeling functions on every split."""

    name = "apply"

    def compute(self, run: "Run") -> Applied:
        check_job(run.job)
        _warn(record_findings(run.job))
        votes: dict[str, LabelMatrix] = {}
        for split in run.job.splits:  # the training split comes first: its alphabets are the model's
            votes[split] = self._votes_on(run, split, like=votes.get("train"))
        _warn(vote_findings(run.job, votes["train"]))
        return Applied(votes)

    def _votes_on(self, run: "Run", split: str, like: LabelMatrix | None) -> LabelMatrix:
        job = run.job
        return labeling.apply(
            job.labeling_functions,
            job.split(split).source,
            job.space,
            backend="serial" if job.n_jobs == 1 else "processes",
            n_jobs=job.n_jobs,
            max_error_rate=job.max_error_rate,
            progress=lambda done, total: run.progress("apply", f"{split} records", done, total),
            like=like,
        )

    def save(self, run: "Run", found: Applied, folder: RunFolder, written: list[str]) -> None:
        for split, matrix in found.votes.items():
            matrix.save(folder.path / split_file("votes", split))
            written.append(split_file("votes", split))
        known = {s: lf_summary(found.votes[s], run.job.known_labels(s)) for s in known_splits(run.job, "dev")}
        write_table(folder.path / files.LF_TABLE, files.lf_table(lf_summary(found.votes["train"]), known))
        written.append(files.LF_TABLE)

    def load(self, run: "Run", folder: RunFolder) -> Applied:
        return Applied(files.read_votes(run.job, folder))


@dataclass(frozen=True)
class Fitted:
    """The label model, and its probabilities by split."""

    label_model: LabelModel
    labels: Mapping[str, TaskProbabilities]
    notes_on_lfs: tuple[str, ...]
    used_dev: bool


class Fit(Step[Fitted]):
    """Fits the label model on the training votes, and labels every split."""

    name = "fit"
    needs = ("apply",)

    def compute(self, run: "Run") -> Fitted:
        job, settings = run.job, run.job.label_model
        dev = self._dev(run) if settings.use_dev and settings.name == "hierarchical" else None
        with blaming("label_model", settings.options):
            model = build_label_model(settings, job.schema, job.random_state)
            model.fit(run.votes["train"], class_prior=class_prior(settings, job.schema), dev=dev)
        labels = {split: model.predict_proba(matrix) for split, matrix in run.votes.items()}
        return Fitted(model, labels, tuple(notes_on_lfs(model)), dev is not None)

    def _dev(self, run: "Run") -> tuple[LabelMatrix, Codes] | None:
        known, gold = _dev_labels(run)
        return (run.votes["dev"].rows(known), gold) if known.size else None

    def save(self, run: "Run", found: Fitted, folder: RunFolder, written: list[str]) -> None:
        found.label_model.save(folder.path / files.LABEL_MODEL)
        written.append(files.LABEL_MODEL)
        for split, probabilities in found.labels.items():
            probabilities.save(folder.path / split_file("probabilities", split))
            table = split_file("labels", split, run.job.output.format)
            frame = files.label_table(run.split(split), probabilities, coverage(run.votes[split], probabilities))
            write_table(folder.path / table, frame)
            written += [split_file("probabilities", split), table]

    def load(self, run: "Run", folder: RunFolder) -> Fitted:
        facts = folder.manifest["steps"]["fit"]
        return Fitted(
            load_label_model(folder.file(files.LABEL_MODEL)),
            files.read_probabilities(run.job, folder),
            tuple(facts.get("notes_on_lfs", ())),
            bool(facts.get("used_dev")),
        )

    def facts(self, run: "Run", found: Fitted) -> dict[str, Any]:
        return {
            "label_model": run.job.label_model.name,
            "used_dev": found.used_dev,
            "notes_on_lfs": list(found.notes_on_lfs),
        }


@dataclass(frozen=True)
class Trained:
    """The end model, with the featurizer that turns records into its input."""

    end_model: "EndModel"
    n_points: int
    used_dev: bool


class Train(Step[Trained]):
    """Trains the end model on the training records that at least one labeling function voted on."""

    name = "train"
    needs = ("apply", "fit")

    def compute(self, run: "Run") -> Trained:
        job, settings = run.job, run.job.end_model
        voted = np.flatnonzero((run.votes["train"].codes >= 0).any(axis=1))
        if voted.size == 0:
            raise ConfigError(
                "Labeling functions must vote on at least one training record; all abstain on every one. "
                "Look at the coverage of each with: metalwork apply."
            )
        dev = self._dev(run) if settings.use_dev else None
        with blaming("end_model", settings.arguments()):
            model = build_end_model(settings, job.schema, job.random_state, build_featurizer(job.features))
            total = settings.max_epochs
            count = [lambda epoch: run.progress("train", "epochs", epoch["epoch"], total)]
            records, labels = run.split("train").records[voted], run.labels["train"].rows(voted)
            model.fit(records, labels, dev=dev, callbacks=count)
        return Trained(model, int(voted.size), dev is not None)

    def _dev(self, run: "Run") -> tuple[pl.DataFrame, Codes] | None:
        known, gold = _dev_labels(run)
        return (run.split("dev").records[known], gold) if known.size else None

    def save(self, run: "Run", found: Trained, folder: RunFolder, written: list[str]) -> None:
        found.end_model.save(folder.path / files.END_MODEL)
        written.append(files.END_MODEL)

    def load(self, run: "Run", folder: RunFolder) -> Trained:
        facts = folder.manifest["steps"]["train"]
        return Trained(files.read_end_model(folder), facts["records"], facts["used_dev"])

    def facts(self, run: "Run", found: Trained) -> dict[str, Any]:
        return {"records": found.n_points, "used_dev": found.used_dev}


@dataclass(frozen=True)
class Evaluated:
    """The end model's probabilities by split, and the metrics of all models."""

    end: Mapping[str, TaskProbabilities]
    metrics: Results


class Evaluate(Step[Evaluated]):
    """Predicts every split with the end model, and scores all models where end labels are known."""

    name = "evaluate"
    needs = ("apply", "fit", "train")

    def compute(self, run: "Run") -> Evaluated:
        end = {s: run.end_model.predict_proba(run.split(s).records) for s in run.job.splits}
        return Evaluated(end, score(run.job, run.votes, run.labels, end))

    def save(self, run: "Run", found: Evaluated, folder: RunFolder, written: list[str]) -> None:
        for split, probabilities in found.end.items():
            probabilities.save(folder.path / split_file("end_probabilities", split))
            written.append(split_file("end_probabilities", split))
        predictions = f"predictions.{run.job.output.format}"
        tables = [
            files.prediction_table(s, run.split(s), run.coverage(s), run.labels[s], found.end[s])
            for s in run.job.splits
        ]
        write_table(folder.path / predictions, pl.concat(tables, how="diagonal_relaxed"))
        plain = {model: {s: m.to_dict() for s, m in by_split.items()} for model, by_split in found.metrics.items()}
        write_text(folder.path / files.METRICS, json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
        written += [predictions, files.METRICS]

    def load(self, run: "Run", folder: RunFolder) -> Evaluated:
        end = files.read_probabilities(run.job, folder, "end_probabilities")
        return Evaluated(end, score(run.job, run.votes, run.labels, end))


@dataclass(frozen=True)
class Reported:
    """The report as HTML."""

    html: str


class Report(Step[Reported]):
    """Draws up everything about the run as one HTML page."""

    name = "report"
    needs = ("apply", "fit", "train", "evaluate")

    def compute(self, run: "Run") -> Reported:
        from metalwork.pipeline._reporting import report_data
        from metalwork.report import render_report

        return Reported(render_report(report_data(run)))

    def save(self, run: "Run", found: Reported, folder: RunFolder, written: list[str]) -> None:
        write_text(folder.path / files.REPORT, found.html)
        written.append(files.REPORT)

    def load(self, run: "Run", folder: RunFolder) -> Reported:
        return Reported(folder.file(files.REPORT).read_text(encoding="utf-8"))


_ALL: Final[dict[str, Step[Any]]] = {step.name: step for step in (Apply(), Fit(), Train(), Evaluate(), Report())}


def step_named(name: str) -> Step[Any]:
    """One of the five steps."""
    return _ALL[name]


def _warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        warnings.warn(sentence, MetalworkWarning, stacklevel=2)


def _dev_labels(run: "Run") -> tuple[Codes, Codes]:
    """Rows of the dev split whose end label is known, and what is known of their tasks."""
    known = run.split("dev").known if "dev" in run.job.splits else np.zeros(0, np.int64)
    return known, run.job.known_labels("dev")[known] if known.size else known
