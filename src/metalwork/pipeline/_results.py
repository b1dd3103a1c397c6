"""The files of a run: their names, and reading them back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from metalwork.analysis import LFSummary
from metalwork.pipeline._coverage import Coverage
from metalwork.pipeline._folder import RunFolder
from metalwork.pipeline._split import Split
from metalwork.pipeline._tuned import Tuned
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

if TYPE_CHECKING:
    from metalwork.end_models import EndModel

LF_TABLE = "lf_summary.csv"
LABEL_MODEL = "label_model.npz"
END_MODEL = "end_model.safetensors"
METRICS = "metrics.json"
REPORT = "report.html"
TUNED = "tuning.json"


def table_file(stem: str, split: str) -> str:
    """Name of a split's table; the training split's is the plain one: ``labels.csv``, ``labels_dev.csv``."""
    return f"{stem}.csv" if split == "train" else f"{stem}_{split}.csv"


def read_end_model(folder: RunFolder, device: str = "cpu") -> "EndModel":
    """The trained end model."""
    folder.require("train")
    from metalwork.end_models import EndModel

    return EndModel.load(folder.file(END_MODEL), device=device)


def read_tuned(path: Path) -> Tuned:
    """What trying settings found."""
    return Tuned.from_dict(json.loads(path.read_text(encoding="utf-8")))


def lf_table(summary: LFSummary, known: Mapping[str, LFSummary] | None = None) -> pl.DataFrame:
    """The LF summary as a flat table, without the columns that nothing is known of.

    ``known`` has the summaries of the same LFs on splits of known labels, by split.
    """
    frame = summary.to_frame(known).with_columns(pl.col("polarity").list.join("; "))
    if summary.n_gold == 0:
        frame = frame.drop("n_scored")
    return frame.select(column for column in frame if column.null_count() < frame.height or not frame.height)


def label_table(part: Split, start: int, probs: TaskProbabilities, covered: Coverage) -> pl.DataFrame:
    """Probabilistic labels: the record, its votes, its most probable end label, and the probability of each.

    ``start`` is the row of the first record.
    """
    shares = {f"P({name})": probs.end[:, code] for code, name in enumerate(probs.schema.end_labels)}
    return _keys(part, start, covered).with_columns(
        _predicted(probs, "end_label"), **{n: pl.Series(v) for n, v in shares.items()}
    )


def prediction_table(
    split: str,
    part: Split,
    start: int,
    covered: Coverage,
    labels: TaskProbabilities,
    end: TaskProbabilities | None,
) -> pl.DataFrame:
    """What each model predicts for each record, how sure it is, and what is known of its end label."""
    columns = [_known(part, labels.schema)]
    for name, probs in (("label_model", labels), ("end_model", end)):
        if probs is not None:
            columns += [_predicted(probs, name), pl.Series(f"{name}_confidence", probs.end.max(axis=1))]
    return _keys(part, start, covered).with_columns(columns).select(pl.lit(split).alias("split"), pl.all())


def _known(split: Split, schema: TaskSchema) -> pl.Series:
    names = np.array([*schema.end_labels, None], dtype=object)  # code -1 picks the None
    codes = np.full(split.n_points, -1) if split.gold is None else schema.end_of(split.gold)
    return pl.Series("known", names[codes].tolist(), dtype=pl.String)


def _predicted(probs: TaskProbabilities, column: str) -> pl.Series:
    names = np.array(probs.schema.end_labels, dtype=object)
    return pl.Series(column, names[probs.predict()].tolist(), dtype=pl.String)


def _keys(split: Split, start: int, covered: Coverage) -> pl.DataFrame:
    rows = pl.Series("row", np.arange(start, start + split.n_points))
    ids = [] if split.ids is None else [split.ids.alias("id")]
    return pl.DataFrame([rows, *ids, pl.Series("n_votes", covered.n_votes), pl.Series("covered", covered.covered)])
