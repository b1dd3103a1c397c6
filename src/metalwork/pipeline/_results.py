"""The files of a run: their names, and reading them back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from metalwork.analysis import LFSummary
from metalwork.pipeline._coverage import Coverage
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._job import Job, Split
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema
from metalwork.votes import LabelMatrix

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

LF_TABLE = "lf_summary.csv"
LABEL_MODEL = "label_model.npz"
END_MODEL = "end_model.safetensors"
METRICS = "metrics.json"
REPORT = "report.html"


def split_file(stem: str, split: str, suffix: str = "npz") -> str:
    """Name of a split's file; the training split's is the plain one: ``votes.npz``, ``votes_dev.npz``."""
    return f"{stem}.{suffix}" if split == "train" else f"{stem}_{split}.{suffix}"


def read_votes(job: Job, folder: RunFolder) -> dict[str, LabelMatrix]:
    """The label matrix of every split."""
    folder.require("apply")
    return {split: LabelMatrix.load(folder.file(split_file("votes", split))) for split in job.splits}


def read_probabilities(job: Job, folder: RunFolder, stem: str = "probabilities") -> dict[str, TaskProbabilities]:
    """The label model's probabilities (or those of another stem) for every split."""
    folder.require("fit")
    return {split: TaskProbabilities.load(folder.file(split_file(stem, split))) for split in job.splits}


def read_end_model(folder: RunFolder) -> "EndModel":
    """The trained end model."""
    folder.require("train")
    from metalwork.end_models import EndModel

    return EndModel.load(folder.file(END_MODEL))


def lf_table(summary: LFSummary, known: Mapping[str, LFSummary] | None = None) -> pl.DataFrame:
    """The LF summary as a flat table, without the columns that nothing is known of.

    ``known`` has the summaries of the same LFs on splits of known labels, by split.
    """
    frame = summary.to_frame(known).with_columns(pl.col("polarity").list.join("; "))
    if summary.n_gold == 0:
        frame = frame.drop("n_scored")
    return frame.select(column for column in frame if column.null_count() < frame.height or not frame.height)


def label_table(split: Split, probs: TaskProbabilities, covered: Coverage) -> pl.DataFrame:
    """Probabilistic labels: the record, its votes, its most probable end label, and the probability of each."""
    shares = {f"P({name})": probs.end[:, code] for code, name in enumerate(probs.schema.end_labels)}
    return _keys(split, covered).with_columns(
        _predicted(probs, "end_label"), **{n: pl.Series(v) for n, v in shares.items()}
    )


def prediction_table(
    name: str, split: Split, covered: Coverage, labels: TaskProbabilities, end: TaskProbabilities
) -> pl.DataFrame:
    """What each model predicts for each record, how sure it is, and what is known of its end label."""
    columns = [
        _known(split, labels.schema),
        _predicted(labels, "label_model"),
        pl.Series("label_model_confidence", labels.end.max(axis=1)),
        _predicted(end, "end_model"),
        pl.Series("end_model_confidence", end.end.max(axis=1)),
    ]
    return _keys(split, covered).with_columns(columns).select(pl.lit(name).alias("split"), pl.all())


def _known(split: Split, schema: TaskSchema) -> pl.Series:
    names = np.array([*schema.end_labels, None], dtype=object)  # code -1 picks the None
    codes = np.full(split.n_points, -1) if split.gold is None else schema.end_of(split.gold)
    return pl.Series("known", names[codes].tolist(), dtype=pl.String)


def _predicted(probs: TaskProbabilities, column: str) -> pl.Series:
    names = np.array(probs.schema.end_labels, dtype=object)
    return pl.Series(column, names[probs.predict()].tolist(), dtype=pl.String)


def _keys(split: Split, covered: Coverage) -> pl.DataFrame:
    rows = pl.Series("row", np.arange(split.n_points))
    ids = [] if split.ids is None else [split.ids.alias("id")]
    return pl.DataFrame([rows, *ids, pl.Series("n_votes", covered.n_votes), pl.Series("covered", covered.covered)])
