"""Whatever holds records, opened."""

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from metalwork.data._datasets import (
    DatasetSource,
    is_dataset,
    is_dataset_dict,
    is_streamed_dataset,
    only_split,
    streamed_records,
)
from metalwork.data._limits import Limits, check_limits
from metalwork.data._sources import IteratorSource, ListSource, RecordSource, frame_source
from metalwork.data._types import check_types
from metalwork.data._views import FilteredSource, TypedSource, check_where
from metalwork.errors import ConfigError, DataError


def open_records(
    records: Any,
    format: str | None = None,
    *,
    types: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
    limits: Limits | Mapping[str, int] | None = None,
) -> RecordSource:
    """Open records, whatever holds them, to be read by column and in parts.

    Values are what they are in JSON, frames and dicts: numbers keep their digits, a whole number stays one
    beside broken ones, however records are cut into chunks. The columns of CSV are text as it is written, null
    where it is empty (a blank line is no record), unless ``types`` declares another type or what reads a column
    asks for one: an argument that is annotated (``def big(amount: float)``), ``from_probabilities``, numeric
    features. Every missing value is null: None, NaN, pandas' NA and NaT, and empty text. Columns that nothing
    reads are not read.

    Parameters
    ----------
    records : data frame, list, iterator, data set, file or files
        A data frame (polars, pandas, pyarrow and others that narwhals reads), a lazy frame of polars, a data
        set of pyarrow, or anything that exports Arrow. A list of dicts from column to value, or of texts (a
        column ``text``). An iterator or generator of either, read once and in chunks. A Hugging Face
        ``Dataset``. The path of a CSV, TSV, JSON lines, JSON (one array), Parquet or Arrow file, a glob, a
        folder of such files, or a list of paths; text files may be packed (``.gz``, ``.zst``, ``.bz2``,
        ``.xz``). Folders named ``column=value`` give their files a column. A file on object storage by its
        address, ``s3://...``. A list of texts that all read as names of such files is a list of paths. A folder
        of ``.txt`` files, each a record (columns ``text`` and ``name``).
    format : {"csv", "tsv", "jsonl", "json", "parquet", "arrow", "txt"}, optional
        Of files whose names do not tell.
    types : dict from column to float, int, bool or str, optional
        Or their names. A value that is not of its column's type is an error that names file and line.
    delimiter : str, optional
        Of CSV files. Comma, semicolon, tab and bar are recognised by the header.
    quote : str, optional
        Of CSV files: the double quote by default, "" for none.
    encoding : str, optional
        Of text files: UTF-8 by default.
    where : dict from column to value or list of values, optional
        Only records with these values count: ``{"split": "train"}``. Values are compared as text.
    limits : Limits or dict, optional
        What one file may ask for, where the defaults of :class:`Limits` are too low: ``{"record_bytes": 10**9}``.

    Raises
    ------
    DataError
        When they are none of these, hold no records, or cannot be read.
    ConfigError
        For an argument that has a wrong value, or does not apply to these records.
    """
    from metalwork.data._files import FileOptions

    declared, condition = check_types(types), check_where(where)
    source = _open(records, FileOptions(format, delimiter, quote, encoding, check_limits(limits)))
    if not source.columns:
        raise DataError("records must have at least one column; none has any. Give each a key, e.g. 'text'.")
    source = FilteredSource(source, condition) if condition else source
    return TypedSource(source, declared) if declared else source


def _open(records: Any, options: Any) -> RecordSource:
    from metalwork.data._files import open_files

    paths = _paths_in(records)
    if paths == [""]:
        raise DataError("records must be the path of a file; got an empty text. Name the file.")
    if paths:
        return open_files(paths, options)
    for name in ("delimiter", "quote", "encoding"):
        if getattr(options, name) is not None:
            raise ConfigError(
                f"{name} is for files; got {getattr(options, name)!r} for {type(records).__name__}. Leave it out."
            )
    source = records if isinstance(records, RecordSource) else _open_memory(records)
    if source.n_points == 0:
        raise DataError("records must hold at least one record; got none.")
    return source


def _paths_in(records: Any) -> list[Any]:
    """The paths that are given, none where records are something else."""
    from metalwork.data._files import is_file_name

    if isinstance(records, (str, os.PathLike)):
        return [records]
    if not isinstance(records, (list, tuple)) or not records:
        return []
    if all(isinstance(item, os.PathLike) for item in records):
        return list(records)
    return list(records) if all(isinstance(item, str) and is_file_name(item) for item in records) else []


def _open_memory(records: Any) -> RecordSource:
    if is_dataset_dict(records):
        records = only_split(records)
    if is_dataset(records):
        return DatasetSource(records)
    if is_streamed_dataset(records):
        return IteratorSource(streamed_records(records))
    if isinstance(records, (bytes, bytearray, io.IOBase)):
        raise _refusal(records)
    if isinstance(records, Sequence):
        return ListSource(records)
    if isinstance(records, Iterator) and not hasattr(records, "__arrow_c_stream__"):
        return IteratorSource(records)
    source = frame_source(records)
    if source is None:
        raise _refusal(records)
    return source


def _refusal(records: Any) -> DataError:
    return DataError(
        "records must be a data frame (polars, pandas, pyarrow), a list of dicts, a list of texts, an iterator of "
        f"either, a Hugging Face data set, or the path of a file; got {type(records).__name__}. {_remedy(records)}"
    )


def _remedy(records: Any) -> str:
    if isinstance(records, Mapping):
        return "Pass a list of dicts, or polars.DataFrame(records) for a dict of columns."
    if isinstance(records, (set, frozenset)):
        return "Sets have no order: pass a list."
    if isinstance(records, (bytes, bytearray)):
        return "Pass the path of the file, or decoded texts in a list."
    if isinstance(records, io.IOBase):
        return "Pass the path of the file."
    if len(getattr(records, "shape", ())) > 1:
        return "Pass polars.DataFrame(array, schema=[...]) with the names of the columns."
    if isinstance(records, Iterable):
        return "Pass list(records) if it holds dicts or texts."
    return "Pass a list of dicts from column to value."
