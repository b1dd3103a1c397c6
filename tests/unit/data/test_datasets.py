"""Data sets of Hugging Face, by what they can do; the package itself is not needed."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Self

import polars as pl
import pytest

import metalwork as mw
from metalwork.data import open_records, read_records, to_dataset
from metalwork.errors import DataError, MissingExtraError


class ClassLabel:
    names = ("ham", "spam")


class Streamed:
    """What metalwork needs of ``datasets.IterableDataset``."""

    def __init__(self, columns: dict[str, list[Any]], format: str | None = "torch") -> None:
        self._columns, self._format = columns, format
        self.column_names = list(columns)
        self.features = {name: ClassLabel() if name == "label" else "Value" for name in columns}

    def with_format(self, format: str | None) -> Self:
        return type(self)(self._columns, format)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        assert self._format is None
        for row in range(len(self._columns["text"])):
            yield {name: values[row] for name, values in self._columns.items()}


class Dataset(Streamed):
    """What metalwork needs of ``datasets.Dataset``."""

    def __len__(self) -> int:
        return len(self._columns["text"])

    def select_columns(self, names: list[str]) -> Self:
        return type(self)({name: self._columns[name] for name in names}, self._format)

    def __getitem__(self, rows: slice) -> dict[str, list[Any]]:
        assert self._format is None
        return {name: values[rows] for name, values in self._columns.items()}


COLUMNS: dict[str, list[Any]] = {"text": ["an offer", "lunch", None], "label": [1, 0, -1], "n": [1, 2.5, None]}
SCHEMA = mw.TaskSchema.flat(["ham", "spam"], task="kind")


@pytest.mark.parametrize("dataset", [Dataset(COLUMNS), Streamed(COLUMNS), {"train": Dataset(COLUMNS)}])
def test_a_data_set_is_records_with_labels_by_name(dataset: Any) -> None:
    lfs = [mw.keywords("kind", "spam", ["offer"]), mw.from_column("kind", "label")]
    assert mw.apply(lfs, dataset, SCHEMA, chunk_size=2).codes.tolist() == [[1, 1], [-1, 0], [-1, -1]]
    assert read_records(dataset).rows() == [("an offer", "spam", 1), ("lunch", "ham", 2.5), (None, None, None)]


def test_one_split_must_be_chosen() -> None:
    with pytest.raises(DataError) as caught:
        open_records({"train": Dataset(COLUMNS), "test": Dataset(COLUMNS)})
    assert str(caught.value) == (
        "records must be one split of the DatasetDict; it has 'train', 'test'. Pass e.g. records['train']."
    )


def test_a_frame_is_saved_as_a_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("datasets")
    module.Dataset = type("Dataset", (), {"from_dict": staticmethod(dict)})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    assert to_dataset(pl.DataFrame({"a": [1, None]})) == {"a": [1, None]}


def test_the_package_that_saves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError) as caught:
        to_dataset(pl.DataFrame({"a": [1]}))
    assert str(caught.value) == (
        "A Hugging Face data set needs the package 'datasets', which is not installed. "
        "Install it with: pip install 'metalwork[datasets]'."
    )
