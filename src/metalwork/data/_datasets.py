"""Data sets of Hugging Face's ``datasets``, told by what they can do; the package is not needed to read them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from metalwork.data._columns import column_of, names_of
from metalwork.data._sources import FrameShard, RecordSource, Shard
from metalwork.errors import DataError, MissingExtraError


def is_dataset(records: Any) -> bool:
    """Whether this is a ``datasets.Dataset``."""
    return is_streamed_dataset(records) and hasattr(records, "__getitem__") and hasattr(records, "__len__")


def is_streamed_dataset(records: Any) -> bool:
    """Whether this is a ``datasets.IterableDataset``."""
    return all(hasattr(records, name) for name in ("column_names", "features", "with_format", "__iter__"))


def is_dataset_dict(records: Any) -> bool:
    """Whether this is a ``datasets.DatasetDict``: several splits by name."""
    parts = list(records.values()) if isinstance(records, Mapping) else []
    return bool(parts) and all(is_dataset(part) or is_streamed_dataset(part) for part in parts)


def only_split(records: Mapping[str, Any]) -> Any:
    """The data set of a ``DatasetDict`` that has one; ``DataError`` where it has several."""
    if len(records) == 1:
        return next(iter(records.values()))
    names = list(records)
    raise DataError(
        f"records must be one split of the DatasetDict; it has {', '.join(map(repr, names))}. "
        f"Pass e.g. records[{names[0]!r}]."
    )


class DatasetSource(RecordSource):
    """A ``datasets.Dataset``, read a chunk at a time; class labels come as their names."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset.with_format(None)
        self.columns = names_of(dataset.column_names, "records")
        self.n_points = len(dataset)

    def shards(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Shard]:
        chosen = list(self.columns if columns is None else columns)
        part = self._dataset.select_columns(chosen) if hasattr(self._dataset, "select_columns") else self._dataset
        names = {name: _class_names(self._dataset.features, name) for name in chosen}
        for start in range(0, len(self._dataset), chunk_size):
            batch = part[start : start + chunk_size]
            yield FrameShard(
                pl.DataFrame([column_of(name, _named(batch[name], names[name])) for name in chosen]), start
            )


def streamed_records(dataset: Any) -> Iterator[dict[str, Any]]:
    """The records of a ``datasets.IterableDataset``, class labels by name."""
    names = {name: _class_names(dataset.features, name) for name in dataset.features or ()}
    for record in dataset.with_format(None):
        yield {name: _named([value], names.get(name))[0] for name, value in record.items()}


def to_dataset(frame: pl.DataFrame) -> Any:
    """A ``datasets.Dataset`` of a frame, such as of probabilities and labels beside the records.

    Parameters
    ----------
    frame : polars DataFrame (n_points, n_columns)
        For instance ``records.hstack(probs.to_frame())``.

    Returns
    -------
    datasets.Dataset (n_points rows)
        With the frame's columns; ``push_to_hub`` and ``save_to_disk`` are its own.

    Raises
    ------
    MissingExtraError
        Where the package ``datasets`` is not installed.
    """
    try:
        from datasets import Dataset  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise MissingExtraError("datasets", "datasets", "A Hugging Face data set") from None
    return Dataset.from_dict(frame.to_dict(as_series=False))


def _class_names(features: Any, name: str) -> list[str] | None:
    feature = features.get(name) if isinstance(features, Mapping) else None
    names = getattr(feature, "names", None) if type(feature).__name__ == "ClassLabel" else None
    return None if names is None else list(names)


def _named(values: Sequence[Any], names: list[str] | None) -> Sequence[Any]:
    """Class labels by name; -1 stands for none."""
    if names is None:
        return list(values)
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else None for value in values]
