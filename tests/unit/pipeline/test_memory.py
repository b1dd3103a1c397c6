"""A run of records in memory, without a project file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import metalwork as mw
from metalwork.errors import ConfigError, MetalworkError

pytestmark = pytest.mark.filterwarnings("ignore::metalwork.errors.MetalworkWarning")  # few LFs, few records

SCHEMA = mw.TaskSchema.from_dict(
    {
        "task": "kind",
        "labels": [
            {"Plant": {"task": "plant", "labels": ["Tree", "Herb"]}},
            {"Stone": {"task": "stone", "labels": ["Ore", "Gem"]}},
        ],
    }
)
WORDS = {"Tree": "oak", "Herb": "mint", "Ore": "iron", "Gem": "ruby"}
LFS = [
    mw.keywords("plant", "Tree", ["oak"]),
    mw.keywords("plant", "Herb", ["mint"]),
    mw.keywords("stone", "Ore", ["iron"]),
    mw.keywords("stone", "Gem", ["ruby"]),
]
NET: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 30, "lr": 0.02, "batch_size": 8}
TRAIN = [f"{word} seen at {i}" for i in range(8) for word in WORDS.values()]
DEV = pl.DataFrame({"key": ["a", "b", "c", "d"], "text": list(WORDS.values()), "label": list(WORDS)})


def test_three_lines_from_frames_to_metrics() -> None:
    run = mw.Run.of(SCHEMA, LFS, train=pl.DataFrame({"text": TRAIN}), dev=DEV, test=DEV, id=None, end_model=NET)
    assert run.labels["train"].to_frame()["end_label"][:4].to_list() == list(WORDS)
    assert run.metrics["End model"]["test"].accuracy == 1.0
    assert [row.coverage for row in run.lfs.rows] == [0.25] * 4
    assert "Run records in memory" in run._repr_html_()


@pytest.mark.parametrize(
    "dev",
    [
        DEV,
        DEV.to_pandas(),
        DEV.to_dicts(),
        (DEV["text"].to_list(), DEV["label"].to_list()),
        (DEV.drop("label"), DEV["label"]),
        (pd.DataFrame({"text": DEV["text"].to_list()}), np.arange(4)),
        (DEV, ["Plant", "Plant", "Ore", None]),
    ],
)
def test_labels_of_dev_stand_in_a_column_or_beside_the_records(dev: Any) -> None:
    run = mw.Run.of(SCHEMA, LFS, train=iter(TRAIN), dev=dev)
    assert run.dev_metrics["Hard majority vote"]["dev"].accuracy == 1.0


def test_files_and_other_columns(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["1.10", "1.1"], "body": ["oak", "ruby"]}).write_csv(tmp_path / "a.csv")
    lfs = [
        mw.keywords("plant", "Tree", ["oak"], field="body"),
        mw.keywords("stone", "Gem", ["ruby"], field="body"),
    ]
    run = mw.Run.of(
        SCHEMA, lfs, train=tmp_path / "a.csv", id="id", features={"text": "body"}, folder=tmp_path / "r"
    )
    run.fit()
    assert pl.read_csv(tmp_path / "r" / "labels.csv", infer_schema=False)["id"].to_list() == ["1.10", "1.1"]


def test_results_of_other_records_are_not_taken_up(tmp_path: Path) -> None:
    first = mw.Run.of(SCHEMA, LFS, train=TRAIN, folder=tmp_path / "r").fit()
    same = mw.Run.of(SCHEMA, LFS, train=TRAIN, folder=tmp_path / "r")
    assert (same.labels["train"].end == first.labels["train"].end).all()
    other = mw.Run.of(SCHEMA, LFS, train=TRAIN[::-1], folder=tmp_path / "r")
    with pytest.raises(ConfigError, match=r"^the train records changed since step 'apply'; run again: "):
        _ = other.labels


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"train": (TRAIN, ["Tree"])},
            "train must be records alone; got a pair. The labels of train",
        ),
        (
            {"dev": DEV.drop("label")},
            "label must be a column of the dev records; got 'label'. Known: 'key',",
        ),
        ({"dev": (DEV, ["Tree"])}, "dev must have one label a record (4); got 1."),
        ({"dev": (DEV, ["Tre"] * 4)}, "dev: Row 0: 'Tre' is no label. Did you mean 'Tree'?"),
        ({"dev": 5}, "dev: records must be a data frame (polars, pandas, pyarrow), a list of dicts,"),
        ({"id": "key"}, "id must be a column of the train records; got 'key'. Known: 'text'."),
        ({"end_model": {"max_epoch": 3}}, "'max_epoch' is no key of end_model. Did you mean 'max_epochs'?"),
        (
            {"label_model": {"name": "soft"}},
            "label_model.name must be 'hierarchical', 'log-linear',",
        ),
        ({"features": "text"}, "features must be a mapping; got 'text'."),
        (
            {"train": [{"body": "oak"}]},
            "features must say what the end model reads, for the records",
        ),
        ({"lfs": LFS[0]}, "lfs must be a list of labeling functions; got LabelingFunction("),
        ({"lfs": [len]}, "item 0 is no labeling function but <built-in function len>."),
        ({"schema": {"task": "kind"}}, "schema must be a TaskSchema or FeasibleLabels; got dict."),
        ({"random_state": -1}, "random_state must be a whole number of at least 0; got -1."),
    ],
)
def test_what_does_not_fit_is_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"schema": SCHEMA, "lfs": LFS, "train": TRAIN} | arguments
    with pytest.raises(MetalworkError) as caught:
        mw.Run.of(given.pop("schema"), given.pop("lfs"), **given)
    assert str(caught.value).startswith(message)


def test_a_split_that_is_not_there() -> None:
    with pytest.raises(ConfigError) as caught:
        mw.Run.of(SCHEMA, LFS, train=TRAIN).split("dev")
    assert str(caught.value) == "split must be one of this run's, 'train'; got 'dev'."


def test_a_run_is_of_a_job() -> None:
    with pytest.raises(ConfigError) as caught:
        mw.Run("project.yaml")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "job must be a Job; got str. Call Run.open(path) for a project file, or Run.of(...)."
    )
    with pytest.raises(ConfigError) as caught:
        mw.Run.open(None)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "project must be the path of a project file; got NoneType. "
        "For records in memory call Run.of(schema, lfs, train=records)."
    )
