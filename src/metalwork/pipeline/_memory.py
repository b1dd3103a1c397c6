"""A job on records in memory: frames, lists and files, with no project file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import polars as pl
from pydantic import ValidationError

from metalwork.data import RecordSource, open_records
from metalwork.errors import ConfigError, DataError, LabelingError, VotesError
from metalwork.labeling import LabelingFunction, function_faults
from metalwork.pipeline._faults import list_faults
from metalwork.pipeline._job import Job, columns_read, on_whole_records
from metalwork.pipeline._project import describe_fault
from metalwork.pipeline._settings import (
    EndModelSettings,
    FeatureSettings,
    LabelModelSettings,
    Settings,
    TuneSettings,
)
from metalwork.pipeline._split import Reading, Split, read_split
from metalwork.schema import TaskSchema
from metalwork.votes import FeasibleLabels, Space

_TEXT: Final = "text"
S = TypeVar("S", bound=Settings)


def job_in_memory(
    schema: Space,
    lfs: Sequence[LabelingFunction],
    splits: Mapping[str, Any],
    *,
    label: str,
    id: str | None,
    features: Any,
    label_model: Any,
    end_model: Any,
    tune: Any,
    **settings: Any,
) -> Job:
    """The job of :meth:`metalwork.Run.of`; ``splits`` has what is given of train, dev and test."""
    if not isinstance(schema, TaskSchema | FeasibleLabels):
        raise ConfigError(f"schema must be a TaskSchema or FeasibleLabels; got {type(schema).__name__}.")
    sources = {split: _open(split, given) for split, given in splits.items() if given is not None}
    functions = on_whole_records(_check_functions(lfs, schema), sources["train"][0].columns, label)
    chosen = _section("features", FeatureSettings, _features(features, sources["train"][0].columns))
    wanted = columns_read(functions, chosen)
    return Job.of_splits(
        schema=schema,
        labeling_functions=functions,
        splits={
            split: _read(split, source, labels, wanted, schema, label, id)
            for split, (source, labels) in sources.items()
        },
        features=chosen,
        label_model=_section("label_model", LabelModelSettings, label_model),
        end_model=_section("end_model", EndModelSettings, end_model),
        tune=_section("tune", TuneSettings, {} if tune is True else tune) if tune else None,
        **settings,
    )


def _check_functions(lfs: Any, schema: Space) -> list[LabelingFunction]:
    if isinstance(lfs, LabelingFunction) or not isinstance(lfs, Sequence) or not len(lfs):
        raise LabelingError(f"lfs must be a list of labeling functions; got {lfs!r}. Put them in a list.")
    if faults := function_faults(lfs, schema):
        raise LabelingError(faults[0] if len(faults) == 1 else list_faults("The list lfs", faults))
    return list(lfs)


def _open(split: str, given: Any) -> tuple[RecordSource, Any]:
    """Records of a split, opened, and its labels, None where they are in a column."""
    labels = None
    if isinstance(given, tuple) and len(given) == 2 and not isinstance(given[1], Mapping):
        given, labels = given
        if split == "train":
            raise ConfigError(
                "train must be records alone; got a pair. The labels of train are not used: pass train=records."
            )
    try:
        return open_records(given), labels
    except DataError as error:
        raise DataError(f"{split}: {error}") from None


def _read(
    split: str,
    source: RecordSource,
    labels: Any,
    wanted: Sequence[str],
    schema: Space,
    label: str,
    id: str | None,
) -> Split:
    origin = f"the {split} records"
    if id is not None and id not in source.columns:
        raise ConfigError(_missing("id", id, origin, source.columns))
    asked = split != "train" and labels is None
    if asked and label not in source.columns:
        raise ConfigError(
            _missing("label", label, origin, source.columns) + f" Or pass {split}=(records, labels)."
        )
    own = [name for name in (id, label) if name is not None and name in source.columns]
    read = read_split(Reading(source, (*wanted, *own), None, None, None, origin))
    records = read.records
    try:
        gold = schema.schema.known_codes(records[label], names=True) if asked else None
        gold = gold if labels is None else schema.schema.known_codes(labels)
    except VotesError as error:
        raise VotesError(f"{split}: {error}") from None
    if gold is not None and len(gold) != records.height:
        raise DataError(f"{split} must have one label a record ({records.height}); got {len(gold)}.")
    ids: pl.Series | None = None if id is None else records[id]
    return Split(records, gold, ids, source.columns, read.parts)


def _missing(argument: str, name: str, origin: str, columns: Sequence[str]) -> str:
    return f"{argument} must be a column of {origin}; got {name!r}. Known: {', '.join(map(repr, columns))}."


def _features(features: Any, columns: Sequence[str]) -> Any:
    if features is not None:
        return features
    if _TEXT not in columns:
        raise ConfigError(
            "features must say what the end model reads, for the records have no column 'text'; got None. Pass "
            "features={'text': COLUMN} for the words of a column, or {'columns': [...]} for numbers."
        )
    return {"text": _TEXT}


def _section(name: str, kind: type[S], value: Any) -> S:
    """A section of settings from what a project file would have below its key."""
    if isinstance(value, kind):
        return value
    plain = value
    if isinstance(value, Mapping):
        plain = {key: list(item) if isinstance(item, tuple) else item for key, item in value.items()}
    try:
        return kind() if value is None else kind.model_validate(plain)
    except ValidationError as error:
        found = [describe_fault((name, *entry["loc"]), dict(entry)) for entry in error.errors(include_url=False)]
        raise ConfigError(found[0] if len(found) == 1 else list_faults(name, found)) from None
