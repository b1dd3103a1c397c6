"""The steps of a run: what each finds, shard by shard, and how a folder keeps it."""

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

import numpy as np
import polars as pl

from metalwork.errors import MetalworkWarning
from metalwork.label_models import LabelModel, VoteCounts, load_label_model
from metalwork.labeling import VoteTotal, apply_shards, in_alphabets_of, warn_of_lost
from metalwork.pipeline import _results as files
from metalwork.pipeline._check import check_job
from metalwork.pipeline._coverage import LabelShares, coverage
from metalwork.pipeline._events import LFProgress
from metalwork.pipeline._exports import write_csv
from metalwork.pipeline._findings import record_findings, vote_findings
from metalwork.pipeline._fitting import fit_label_model
from metalwork.pipeline._folder import CHECKPOINT, RunFolder
from metalwork.pipeline._guarding import how_to_run
from metalwork.pipeline._models import (
    blaming,
    build_end_model,
    notes_on_lfs,
)
from metalwork.pipeline._reading import (
    dev_records,
    end_model_featurizer,
    no_votes,
    read_by_end_model,
    read_by_label_model,
    voted,
)
from metalwork.pipeline._scores import Results, known_splits
from metalwork.pipeline._split import Split
from metalwork.pipeline._spread import LabelVotes, PredictRecords, count_shards, keep_tables
from metalwork.pipeline._storage import Storage, as_parquet, file_of, shard
from metalwork.pipeline._training import train
from metalwork.pipeline._tuned import Tuned
from metalwork.pipeline._tuning import tune
from metalwork.pipeline._work import Work
from metalwork.probabilities import TaskProbabilities
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel
    from metalwork.pipeline._run import Run

_MOST_CELLS: Final = 1 << 23
"""Probabilities in a shard at most; so shards of wide trees have fewer records."""

Found = TypeVar("Found")


class Step(ABC, Generic[Found]):
    """One step: ``do`` finds, and writes as it goes; ``load`` reads what an earlier process found."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    shards: ClassVar[tuple[str, ...]] = ()
    """The kinds of shards that it writes."""

    @abstractmethod
    def do(self, run: "Run", work: Work) -> Found:
        """What the step finds; results of earlier steps are attributes of ``run``. ``work`` takes the files."""

    @abstractmethod
    def load(self, run: "Run", folder: RunFolder) -> Found:
        """Read what :meth:`do` wrote."""

    def facts(self, run: "Run", found: Found) -> dict[str, Any]:
        """What the manifest says of it."""
        return {}


@dataclass(frozen=True)
class Applied:
    """What labeling functions gave: by split, what came up and how many records each shard of votes has."""

    totals: Mapping[str, VoteTotal]
    sizes: Mapping[str, tuple[int, ...]]
    storage: Storage

    def part(self, split: str, number: int) -> LabelMatrix:
        """The votes of one shard, in the alphabets of the training split."""
        return self._matrix(split, self.storage.array(shard("votes", split, number)))

    def whole(self, split: str) -> LabelMatrix:
        """The votes of a split."""
        parts = [self.storage.array(shard("votes", split, k)) for k in range(len(self.sizes[split]))]
        return self._matrix(split, np.concatenate(parts), incidents=True)

    def _matrix(self, split: str, codes: Any, incidents: bool = False) -> LabelMatrix:
        if split == "train":
            matrix: LabelMatrix = self.totals[split].matrix(codes, incidents)
            return matrix
        return in_alphabets_of(self.totals[split], codes, self.totals["train"], incidents)


class Apply(Step[Applied]):
    """Runs the labeling functions on every split."""

    name = "apply"
    shards = ("votes",)

    def do(self, run: "Run", work: Work) -> Applied:
        check_job(run.job)
        _warn(record_findings(run.job))
        totals: dict[str, VoteTotal] = {}
        sizes: dict[str, tuple[int, ...]] = {}
        how = how_to_run(run.job)
        with how["backend"]:  # its workers go from split to split
            for split in run.job.splits:  # the training split comes first: its alphabets are the model's
                totals[split], sizes[split] = self._votes_on(run, work, split, totals.get("train"), how)
        found = Applied(totals, sizes, run.storage)
        summary = run.summary_of(found, "train")
        _warn(vote_findings(run.job, (found.part("train", k) for k in range(len(sizes["train"])))))
        known = {split: run.summary_of(found, split, known=True) for split in known_splits(run.job, "dev")}
        work.write(files.LF_TABLE, lambda stream: write_csv(stream, [files.lf_table(summary, known)]))
        return found

    def _votes_on(
        self, run: "Run", work: Work, split: str, like: VoteTotal | None, how: Mapping[str, Any]
    ) -> tuple[VoteTotal, tuple[int, ...]]:
        """Votes on the shards of a split, but for those that were kept before."""
        job, kept = run.job, work.entries(split)
        total = VoteTotal(job.labeling_functions, job.space, kept[-1]["total"] if kept else None)
        sizes: list[int] = [size for facts in kept for size in facts["sizes"]]
        rows = job.output.shard_rows
        waiting: list[Any] = []
        for codes in apply_shards(
            total,
            job.split(split).source,
            **how,
            chunk_size=min(rows, 10_000),
            preprocessors=job.preprocessors,
            cache=job.cache,
            progress=lambda done, of: run.progress("apply", f"{split} records", done, of, lfs=_so_far(total)),
            like=like,
        ):
            waiting.append(codes)
            if sum(map(len, waiting)) >= rows:
                sizes += _keep_votes(run, work, split, len(sizes), waiting, total)
                waiting = []
        if waiting:
            sizes += _keep_votes(run, work, split, len(sizes), waiting, total)
        if like is not None:
            warn_of_lost(total, like)
        return total, tuple(sizes)

    def facts(self, run: "Run", found: Applied) -> dict[str, Any]:
        return {
            split: {"sizes": list(found.sizes[split]), "total": found.totals[split].pack()}
            for split in found.sizes
        }

    def load(self, run: "Run", folder: RunFolder) -> Applied:
        job, facts = run.job, folder.manifest["steps"]["apply"]
        totals = {s: VoteTotal(job.labeling_functions, job.space, facts[s]["total"]) for s in job.splits}
        return Applied(totals, {s: tuple(facts[s]["sizes"]) for s in job.splits}, run.storage)


def _so_far(total: VoteTotal) -> tuple[LFProgress, ...]:
    return tuple(LFProgress(name, votes / total.n_points, errors) for name, votes, errors in total.counts())


def _keep_votes(run: "Run", work: Work, split: str, first: int, waiting: list[Any], total: VoteTotal) -> list[int]:
    """Keep codes as one shard or, in a wide tree, as several; returns their sizes."""
    codes = np.concatenate(waiting)
    most = min(
        max(run.job.output.shard_rows, max(map(len, waiting))), -(-_MOST_CELLS // run.job.schema.n_end_labels)
    )
    parts = [codes[start : start + most] for start in range(0, len(codes), most)]
    names = [name for _, name, _ in total.columns]
    kind = np.min_scalar_type(-max(int(codes.max(initial=0)), 3) - 1)
    tables = {
        shard("votes", split, first + i): pl.from_numpy(part.astype(kind), schema=names)
        for i, part in enumerate(parts)
    }
    sizes = [len(part) for part in parts]
    run.storage.put(work, tables, split, sizes=sizes, total=total.pack())
    return sizes


@dataclass(frozen=True)
class Fitted:
    """The label model, how it shares the records among the end labels, and what trying settings found."""

    label_model: LabelModel
    shares: Mapping[str, LabelShares]
    notes_on_lfs: tuple[str, ...]
    used_dev: bool
    tuned: Tuned | None


class Fit(Step[Fitted]):
    """Fits the label model on the training votes, and labels every split."""

    name = "fit"
    needs = ("apply",)
    shards = ("probabilities",)

    def do(self, run: "Run", work: Work) -> Fitted:
        job, counts = run.job, count_shards(run, run.applied, "train")
        tuned = _tuned(run, work, counts)
        settings = job.label_model if tuned is None else tuned.label_model
        model, used_dev = fit_label_model(run, counts, settings)
        work.write_by(files.LABEL_MODEL, model.save)
        for split in job.splits:
            names = _shards("probabilities", run, split)
            label = LabelVotes(run.applied, model, split)
            read = enumerate(read_by_label_model(run, split, settings.features))
            for done in keep_tables(run, work, names, label, read):
                run.progress("fit", f"{split} shards", done, len(names))
        shares = {
            split: LabelShares.of(
                zip(run.votes_in_parts(split), run.labels_in_parts(split), strict=True), job.schema.n_end_labels
            )
            for split in job.splits
        }
        for split in job.splits:
            _write_tables(run, work, "labels", files.table_file("labels", split), [split], _label_tables)
        return Fitted(model, shares, tuple(notes_on_lfs(model)), used_dev, tuned)

    def load(self, run: "Run", folder: RunFolder) -> Fitted:
        facts = folder.manifest["steps"]["fit"]
        return Fitted(
            load_label_model(folder.file(files.LABEL_MODEL)),
            {split: LabelShares.from_dict(shares) for split, shares in facts["shares"].items()},
            tuple(facts["notes_on_lfs"]),
            bool(facts["used_dev"]),
            None if run.job.tune is None else files.read_tuned(folder.file(files.TUNED)),
        )

    def facts(self, run: "Run", found: Fitted) -> dict[str, Any]:
        return {
            "label_model": (run.job.label_model if found.tuned is None else found.tuned.label_model).name,
            "used_dev": found.used_dev,
            "notes_on_lfs": list(found.notes_on_lfs),
            "shares": {split: shares.to_dict() for split, shares in found.shares.items()},
        }


def _tuned(run: "Run", work: Work, counts: VoteCounts) -> Tuned | None:
    """What trying settings on dev found: once, also where the step is taken up again."""
    if run.job.tune is None:
        return None
    if work.has(files.TUNED) and (path := work.aside(files.TUNED)) is not None:
        return files.read_tuned(path)
    found = tune(run, run.job.tune, counts)
    text = json.dumps(found.to_dict(), indent=2, ensure_ascii=False) + "\n"
    work.keep({files.TUNED: text.encode("utf-8")}, files.TUNED)
    return found


@dataclass(frozen=True)
class Trained:
    """The end model, with the featurizer that makes its input; None where the job wants labels alone."""

    end_model: "EndModel | None"
    n_points: int
    used_dev: bool


class Train(Step[Trained]):
    """Trains the end model on the training records that a labeling function voted on, or the label model read."""

    name = "train"
    needs = ("apply", "fit")

    def do(self, run: "Run", work: Work) -> Trained:
        job, settings = run.job, run.end_model_settings
        if settings.is_none:
            return Trained(None, 0, False)
        n_voted = sum(int(voted(votes).size) for votes in run.votes_in_parts("train"))
        n_taught = sum(run.sizes("train")) if run.label_model_settings.features else n_voted
        if n_voted == 0:
            raise no_votes()
        dev = dev_records(run) if settings.use_dev else None
        with blaming("end_model", settings.arguments()):
            model = build_end_model(settings, job.schema, job.random_state, end_model_featurizer(run))
            train(model, _TrainingParts(run), dev, work.aside(CHECKPOINT), run)
        work.write_by(files.END_MODEL, model.save)
        return Trained(model, n_taught, dev is not None)

    def load(self, run: "Run", folder: RunFolder) -> Trained:
        facts = folder.manifest["steps"]["train"]
        model = None if run.job.end_model.is_none else files.read_end_model(folder)
        return Trained(model, facts["records"], facts["used_dev"])

    def facts(self, run: "Run", found: Trained) -> dict[str, Any]:
        trained = found.end_model is not None
        return {"records": found.n_points, "used_dev": found.used_dev, "trained": trained}


class _TrainingParts:
    """Training records with their labels, part by part, as often as asked; it tells how many it has read.

    Those that have votes; all of them where the label model has read them.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run

    def __iter__(self) -> Iterator[tuple[pl.DataFrame, TaskProbabilities]]:
        run, n_read, total = self._run, 0, sum(self._run.sizes("train"))
        parts = zip(
            run.records_in_parts("train"), run.votes_in_parts("train"), run.labels_in_parts("train"), strict=True
        )
        for part, votes, labels in parts:
            taught = np.arange(len(votes)) if run.label_model_settings.features else voted(votes)
            if taught.size:
                yield read_by_end_model(run, part.records, votes)[taught], labels.rows(taught)
            n_read += len(votes)
            run.progress("train", "records read", n_read, total)


@dataclass(frozen=True)
class Evaluated:
    """The end model's shares of the end labels by split, where there is one, and the metrics of all models."""

    shares: Mapping[str, Any]
    metrics: Results


class Evaluate(Step[Evaluated]):
    """Predicts every split with the end model, and scores all models where end labels are known."""

    name = "evaluate"
    needs = ("apply", "fit", "train")
    shards = ("end_probabilities",)

    def do(self, run: "Run", work: Work) -> Evaluated:
        for split in _predicted(run):
            names = _shards("end_probabilities", run, split)
            if all(work.has(file_of(name)) for name in names):
                continue
            parts = zip(run.records_in_parts(split), run.votes_in_parts(split), strict=True)
            records = (read_by_end_model(run, part.records, votes) for part, votes in parts)
            for done in keep_tables(run, work, names, PredictRecords(run.end_model), records):
                run.progress("evaluate", f"{split} shards", done, len(names))
        _write_tables(run, work, "predictions", "predictions.csv", run.job.splits, _prediction_tables)
        found = self._found(run)
        plain = {model: {s: m.to_dict() for s, m in by_split.items()} for model, by_split in found.metrics.items()}
        text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
        work.write(files.METRICS, lambda stream: stream.write(text.encode("utf-8")))
        return found

    def load(self, run: "Run", folder: RunFolder) -> Evaluated:
        return self._found(run)

    def _found(self, run: "Run") -> Evaluated:
        shares = {split: _mean(run.end_in_parts(split)) for split in _predicted(run)}
        return Evaluated(shares, run.scores(end=True))


@dataclass(frozen=True)
class Reported:
    """The report as HTML."""

    html: str


class Report(Step[Reported]):
    """Draws up everything about the run as one HTML page."""

    name = "report"
    needs = ("apply", "fit", "train", "evaluate")

    def do(self, run: "Run", work: Work) -> Reported:
        from metalwork.pipeline._reporting import report_data
        from metalwork.report import render_report

        html = render_report(report_data(run))
        work.write(files.REPORT, lambda stream: stream.write(html.encode("utf-8")))
        return Reported(html)

    def load(self, run: "Run", folder: RunFolder) -> Reported:
        return Reported(folder.file(files.REPORT).read_text(encoding="utf-8"))


_ALL: Final[dict[str, Step[Any]]] = {step.name: step for step in (Apply(), Fit(), Train(), Evaluate(), Report())}


def step_named(name: str) -> Step[Any]:
    """One of the five steps."""
    return _ALL[name]


def _warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        warnings.warn(sentence, MetalworkWarning, stacklevel=2)


def _predicted(run: "Run") -> tuple[str, ...]:
    """The splits that the end model predicts: none, where there is none."""
    return () if run.job.end_model.is_none else run.job.splits


def _shards(kind: str, run: "Run", split: str) -> list[str]:
    return [shard(kind, split, number) for number in range(len(run.sizes(split)))]


def _mean(parts: Iterable[TaskProbabilities]) -> Any:
    sums = [(len(part), part.end.sum(axis=0, dtype=np.float64)) for part in parts]
    return sum(total for _, total in sums) / sum(n for n, _ in sums)


def _label_tables(run: "Run", split: str) -> Iterator[pl.DataFrame]:
    for part, start, votes, labels in _labeled_parts(run, split):
        yield files.label_table(part, start, labels, coverage(votes, labels))


def _prediction_tables(run: "Run", split: str) -> Iterator[pl.DataFrame]:
    with_ids = any(run.split(name).has_ids for name in run.job.splits)
    ends: Iterable[TaskProbabilities | None] = [None] * len(run.sizes(split))
    if not run.job.end_model.is_none:
        ends = run.end_in_parts(split)
    for (part, start, votes, labels), end in zip(_labeled_parts(run, split), ends, strict=True):
        if with_ids and part.ids is None:  # a column of one table has to be in all
            part = replace(part, ids=pl.Series([None] * len(votes), dtype=pl.String))
        yield files.prediction_table(split, part, start, coverage(votes, labels), labels, end)


def _labeled_parts(run: "Run", split: str) -> Iterator[tuple[Split, int, LabelMatrix, TaskProbabilities]]:
    starts = accumulate(run.sizes(split), initial=0)
    records = run.records_in_parts(split, text=False)
    yield from zip(records, starts, run.votes_in_parts(split), run.labels_in_parts(split), strict=False)


def _write_tables(
    run: "Run",
    work: Work,
    stem: str,
    name: str,
    splits: Iterable[str],
    tables: Callable[["Run", str], Iterator[pl.DataFrame]],
) -> None:
    """Write the tables of some splits: as one CSV file, or a Parquet file a shard."""
    if run.job.output.format == "csv":
        frames = (frame for split in splits for frame in tables(run, split))
        work.write(name, lambda stream: write_csv(stream, frames))
        return
    for split in splits:
        names = [file_of(shard(stem, split, number)) for number in range(len(run.sizes(split)))]
        if all(map(work.has, names)):
            continue
        for file, frame in zip(names, tables(run, split), strict=True):
            if not work.has(file):
                work.keep({file: as_parquet(frame)}, file)
