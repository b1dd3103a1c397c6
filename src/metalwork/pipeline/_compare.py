"""Two runs side by side: what their labeling functions, figures and labels have become."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from metalwork.analysis import PairedChange, Share
from metalwork.pipeline._folder import STEPS
from metalwork.pipeline._kept import KeptRun

_SPLITS: Final = ("train", "dev")
"""Whose records are compared one by one; of test, figures alone."""
_MODELS: Final = {"label_model": "label model", "end_model": "end model"}


@dataclass(frozen=True)
class LFChange:
    """A labeling function before and after; what it was where it was not there is None.

    Attributes
    ----------
    name, task : str
    kind : {"added", "gone", "changed", "same"}
        "changed": it votes on other records, or otherwise; told by the records where these are the same.
    coverage : (float or None, float or None)
        Share of training records on which it votes.
    precision : (Share or None, Share or None)
        Of its votes on dev records of known label, off the branch or not, those that are right.
    n_changed : int or None
        Training records on which its vote has changed; None where the records are not the same.
    """

    name: str
    task: str
    kind: Literal["added", "gone", "changed", "same"]
    coverage: tuple[float | None, float | None]
    precision: tuple[Share | None, Share | None]
    n_changed: int | None


@dataclass(frozen=True)
class ScoreChange:
    """A figure of a model on a split before and after.

    Attributes
    ----------
    model, split : str
    label : str or None
        The end label whose records are meant; None for all.
    figure : {"accuracy", "recall", "precision"}
    shares : (Share or None, Share or None)
    paired : PairedChange or None
        Of dev records that both runs know the label of, and are told apart; None where there are none.
    """

    model: str
    split: str
    label: str | None
    figure: Literal["accuracy", "recall", "precision"]
    shares: tuple[Share | None, Share | None]
    paired: PairedChange | None = None


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes
    ----------
    names : (str, str)
        The folders.
    lfs : tuple of LFChange
        In the order of the later run, those that are gone last.
    coverage : (float, float)
        Share of training records with a vote.
    scores : tuple of ScoreChange
        Accuracies, and recall and precision of end labels: on dev and test.
    records : polars DataFrame
        A row a training or dev record whose label has changed: split, id, model, before, after, known.
    n_records : dict of split to int
        How many records both runs have; a split is missing where they cannot be told apart.
    notes : tuple of str
        What could not be compared, and why.
    """

    names: tuple[str, str]
    lfs: tuple[LFChange, ...]
    coverage: tuple[float, float]
    scores: tuple[ScoreChange, ...]
    records: pl.DataFrame
    n_records: Mapping[str, int]
    notes: tuple[str, ...]


def compare(before: KeptRun | str | os.PathLike[str], after: KeptRun | str | os.PathLike[str]) -> Comparison:
    """Compare what two run folders hold; neither project is needed, and no code of theirs is run.

    Raises
    ------
    ConfigError
        When one is no folder of a run whose labeling functions were applied.
    DataError
        When a folder is damaged.
    """
    first, second = (run if isinstance(run, KeptRun) else KeptRun(run) for run in (before, after))
    for run in (first, second):
        run.folder.require("apply")
    notes: list[str] = []
    joined = {split: found for split in _SPLITS if (found := _joined(first, second, split, notes)) is not None}
    return Comparison(
        (str(first.folder.path), str(second.folder.path)),
        tuple(_lf_changes(first, second)),
        (_coverage(first), _coverage(second)),
        tuple(_score_changes(first, second, joined.get("dev"))),
        _changed_records(joined),
        {split: table.height for split, table in joined.items()},
        tuple(notes),
    )


def _same_records(first: KeptRun, second: KeptRun, split: str) -> bool:
    read = [run.facts("apply")["inputs"].get("records", {}).get(split) for run in (first, second)]
    return read[0] is not None and read[0] == read[1]


def _lf_changes(first: KeptRun, second: KeptRun) -> Iterator[LFChange]:
    old, new = ({str(row["name"]): row for row in run.lf_table.iter_rows(named=True)} for run in (first, second))
    same = _same_records(first, second, "train")
    votes = [run.votes_by_lf("train") for run in (first, second)] if same else []
    for name in [*new, *(gone for gone in old if gone not in new)]:
        was, now = old.get(name), new.get(name)
        n_changed, kind = None, "added" if was is None else "gone" if now is None else "same"
        if was is not None and now is not None:
            kind = "same" if _facts(was) == _facts(now) else "changed"
            if votes:
                n_changed = int((votes[0][name] != votes[1][name]).sum())
                kind = "changed" if n_changed or was["task"] != now["task"] else "same"
        yield LFChange(
            name,
            (now or was or {})["task"],
            kind,  # type: ignore[arg-type]
            (_part(was, "coverage"), _part(now, "coverage")),
            (_precision(was), _precision(now)),
            n_changed,
        )


def _facts(row: Mapping[str, Any]) -> list[Any]:
    return [row[name] for name in ("task", "polarity", "n_votes")]


def _part(row: Mapping[str, Any] | None, name: str) -> Any:
    return None if row is None else row.get(name)


def _precision(row: Mapping[str, Any] | None) -> Share | None:
    return Share.of(_part(row, "dev_precision"), _part(row, "dev_n_scored") or 0)


def _coverage(run: KeptRun) -> float:
    voted = np.stack([codes >= 0 for codes in run.votes_by_lf("train").values()])
    return float(voted.any(axis=0).mean())


def _joined(first: KeptRun, second: KeptRun, split: str, notes: list[str]) -> pl.DataFrame | None:
    """The records that both runs have, with what each says of them; None where there are none to compare."""
    if split not in first.splits or split not in second.splits:
        return None
    unfinished = [run.folder.path.name for run in (first, second) if STEPS[3] not in run.steps]
    if unfinished:
        note = f"{' and '.join(unfinished)} must be evaluated before labels can be compared."
        notes.extend([note] if note not in notes else [])
        return None
    tables = [run.predictions(split) for run in (first, second)]
    key = "row" if _same_records(first, second, split) else "id"
    if any(key not in table.columns or table[key].null_count() for table in tables) or (
        key == "id" and any(table[key].is_duplicated().any() for table in tables)
    ):
        notes.append(f"The records of {split} are not the same, and have no ids that tell which is which.")
        return None
    return tables[1].join(tables[0], on=key, how="inner", suffix="_before", maintain_order="left")


def _changed_records(joined: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    found = []
    for split, table in joined.items():
        for column, title in _MODELS.items():
            if column not in table.columns or f"{column}_before" not in table.columns:
                continue
            changed = table.filter(pl.col(column).ne_missing(pl.col(f"{column}_before")))
            ids = [pl.col("id").fill_null(pl.col("row")) if "id" in table.columns else pl.col("row")]
            found.append(
                changed.select(
                    pl.lit(split).alias("split"),
                    *(one.alias("id") for one in ids),
                    pl.lit(title).alias("model"),
                    pl.col(f"{column}_before").alias("before"),
                    pl.col(column).alias("after"),
                    pl.col("known"),
                )
            )
    empty = dict.fromkeys(("split", "id", "model", "before", "after", "known"), pl.String)
    return pl.concat([pl.DataFrame(schema=empty), *found])


def _score_changes(first: KeptRun, second: KeptRun, dev: pl.DataFrame | None) -> Iterator[ScoreChange]:
    old, new = first.metrics, second.metrics
    for model in new:
        column = "end_model" if model == "End model" else "label_model" if model.startswith("Label") else None
        for split, now in new[model].items():
            was = old.get(_like(model, old), {}).get(split)
            paired = _paired(dev, column, None) if split == "dev" else None
            yield ScoreChange(model, split, None, "accuracy", (_accuracy(was), _accuracy(now)), paired)
            before = {row["label"]: row for row in (was or {}).get("labels", ())}
            for row in now["labels"]:
                pair = (before.get(row["label"]), row)
                paired = _paired(dev, column, row["label"]) if split == "dev" else None
                recall = tuple(Share.of(_part(own, "recall"), _part(own, "n_points") or 0) for own in pair)
                precision = tuple(
                    Share.of(_part(own, "precision"), _part(own, "n_predicted") or 0) for own in pair
                )
                yield ScoreChange(model, split, row["label"], "recall", (recall[0], recall[1]), paired)
                yield ScoreChange(model, split, row["label"], "precision", (precision[0], precision[1]))


def _like(model: str, others: Mapping[str, Any]) -> str:
    """The model of the other run that plays the same part, whatever its settings."""
    same = (other for other in others if other.split(" (")[0] == model.split(" (")[0])
    return next(same, model)


def _accuracy(metrics: Mapping[str, Any] | None) -> Share | None:
    return Share.of(_part(metrics, "accuracy"), _part(metrics, "n_points") or 0)


def _paired(dev: pl.DataFrame | None, column: str | None, label: str | None) -> PairedChange | None:
    """The change on the dev records whose end label both runs know alike."""
    if dev is None or column is None or f"{column}_before" not in dev.columns or column not in dev.columns:
        return None
    known = dev.filter(pl.col("known").is_not_null() & (pl.col("known") == pl.col("known_before")))
    if label is not None:
        known = known.filter(pl.col("known") == label)
    right, was = known[column] == known["known"], known[f"{column}_before"] == known["known"]
    return PairedChange.of(int((right & ~was).sum()), int((~right & was).sum()), known.height)
