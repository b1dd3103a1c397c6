"""What a prediction owes to what a record says: each thing is taken out alone, and the record predicted anew."""

import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp

from metalwork._checks import FloatArray, IntArray, check_count
from metalwork.end_models._inputs import DenseInputs, Inputs, SparseInputs
from metalwork.errors import ConfigError, VotesError
from metalwork.features import Featurizer
from metalwork.probabilities import TaskProbabilities
from metalwork.schema import TaskSchema

_MOST_CELLS: Final = 1 << 22  # numbers in the altered copies of a record at a time
_LEAST: Final = 1e-12
_WORD: Final = re.compile(r"\w+")


class FeatureEffect(NamedTuple):
    """One feature of a record, or one word, and by how much it moved the log odds of a label of one task.

    ``effect`` is the log odds of the label, given that its task applies, less those with the feature taken out:
    a word that does not stand there, a number at its mean over the training records. ``value`` is that of the
    feature, or how often the word stands in the text.
    """

    feature: str
    value: float
    task: str
    label: str
    effect: float


class _Without(NamedTuple):
    """What was taken out, one a row, and the probabilities of the end labels (n_rows, n_end_labels) then."""

    names: Sequence[str]
    values: Sequence[float]
    end: FloatArray


def explanation(model: Any, X: Any, row: int, end_label: str | None) -> list[FeatureEffect]:
    """What :meth:`EndModel.explain` does."""
    featurizer: Featurizer | None = vars(model).get("featurizer_")
    given = model._read(X) if featurizer is None else featurizer.read(X)
    if check_count("row", row, least=0) >= len(given):
        raise VotesError(f"row must be 0..{len(given) - 1}; got {row}.")
    if featurizer is None:
        record = given.rows(np.array([row]))
        parts = [_without_features(model, record, None)]
    else:
        picked = given[row : row + 1]
        record = model._read(picked)
        parts = list(_without_parts(model, featurizer, picked, record))
    whole = TaskProbabilities(model._proba(record), model.schema)
    target = int(whole.predict()[0]) if end_label is None else int(model.schema.end_codes([end_label])[0])
    return list(_effects(model.schema, whole, parts, target))


def _effects(
    schema: TaskSchema, whole: TaskProbabilities, parts: Sequence[_Without], target: int
) -> Iterator[FeatureEffect]:
    """Effects on the tasks on the path of an end label, the strongest of each first."""
    altered = TaskProbabilities(np.concatenate([part.end for part in parts]), schema)
    names = [name for part in parts for name in part.names]
    values = [value for part in parts for value in part.values]
    for task, code in zip(schema.tasks, schema.task_codes[target].tolist(), strict=True):
        if code < 0:
            continue
        moved = _log_odds(whole.conditional(task)[0, code]) - _log_odds(altered.conditional(task)[:, code])
        effects = [
            FeatureEffect(name, value, task, schema.labels(task)[code], float(effect))
            for name, value, effect in zip(names, values, moved, strict=True)
            if abs(effect) > _LEAST
        ]
        yield from sorted(effects, key=lambda effect: -abs(effect.effect))


def _without_parts(model: Any, featurizer: Featurizer, picked: Any, record: Inputs) -> Iterator[_Without]:
    """The features that mean something one by one, and the words of texts whose features do not."""
    by_word = any(part.reads == "text" and not part.has_named_features for part in featurizer.parts)
    told = [part.has_named_features and not (by_word and part.reads == "text") for part in featurizer.parts]
    if not by_word and not any(told):
        raise ConfigError(
            "A model must read texts, or features with a meaning of their own, to be explained; this one reads "
            f"{featurizer!r}. Look at the records themselves."
        )
    if any(told):
        widths = [part.n_features for part in featurizer.parts]
        yield _without_features(model, record, np.flatnonzero(np.repeat(told, widths)))
    if by_word:
        for field in dict.fromkeys(part.columns for part in featurizer.parts if part.reads == "text"):
            yield _without_words(model, featurizer, picked, field[0] if field else None)


def _without_features(model: Any, record: Inputs, told: IntArray | None) -> _Without:
    """The record without each of its features, of those at columns ``told`` (None: of all)."""
    neutral: FloatArray | None = model._scaler.neutral
    columns, values = _present(record, neutral)
    if told is not None:
        kept = np.isin(columns, told)
        columns, values = columns[kept], values[kept]
    size = max(1, _MOST_CELLS // max(1, _width(record)))
    end = [
        model._proba(_altered(record, columns[start : start + size], neutral))
        for start in range(0, len(columns), size)
    ]
    names, nothing = _feature_names(model), np.empty((0, model.schema.n_end_labels))
    return _Without([names[column] for column in columns], values.tolist(), np.concatenate([nothing, *end]))


def _without_words(model: Any, featurizer: Featurizer, picked: Any, field: str | None) -> _Without:
    """The record without each of the words of a text."""
    if isinstance(picked, pl.DataFrame):
        field = picked.columns[0] if field is None else field
        text = str(picked[field][0] or "")
    else:
        text = picked[0]
    counts = Counter(word.group().casefold() for word in _WORD.finditer(text))
    if not counts:
        return _Without([], [], np.empty((0, model.schema.n_end_labels)))
    records: Any = [_removed(text, word) for word in counts]
    if isinstance(picked, pl.DataFrame):
        records = pl.concat([picked] * len(counts)).with_columns(pl.Series(field, records, dtype=pl.String))
    features = _not_keeping(featurizer).transform(records)
    return _Without(list(counts), list(map(float, counts.values())), model._proba(model._inputs(features)))


def _removed(text: str, word: str) -> str:
    return _WORD.sub(lambda found: "" if found.group().casefold() == word else found.group(), text)


def _not_keeping(featurizer: Featurizer) -> Featurizer:
    """One that does the same and fills no cache: altered texts do not come again."""
    found = copy.deepcopy(featurizer)
    for part in found.parts:
        if "cache" in part.get_params(deep=False):
            part.set_params(cache=False)
    return found


def _feature_names(model: Any) -> Any:
    featurizer = vars(model).get("featurizer_")
    if featurizer is not None:
        return featurizer.get_feature_names_out()
    names = model._columns.names
    return [str(column) for column in range(model._columns.number or 0)] if names is None else names


def _present(record: Inputs, neutral: FloatArray | None) -> tuple[Any, FloatArray]:
    """The features of one record that say something: their columns, and their values."""
    if isinstance(record, SparseInputs):
        return record.matrix.indices, record.matrix.data
    assert isinstance(record, DenseInputs)
    values = record.array[0]
    columns = np.flatnonzero(values != (0.0 if neutral is None else neutral))
    return columns, values[columns]


def _width(record: Inputs) -> int:
    return int(record.matrix.nnz if isinstance(record, SparseInputs) else record.array.shape[1])  # type: ignore[union-attr]


def _altered(record: Inputs, columns: Any, neutral: FloatArray | None) -> Inputs:
    """Copies of one record, each with one of the columns taken out."""
    n_rows = len(columns)
    if isinstance(record, SparseInputs):
        matrix = record.matrix
        values = np.tile(matrix.data, (n_rows, 1))
        values[np.arange(n_rows), np.searchsorted(matrix.indices, columns)] = (
            0.0 if neutral is None else neutral[columns]
        )
        starts = np.arange(n_rows + 1) * matrix.nnz
        parts = values.ravel(), np.tile(matrix.indices, n_rows), starts
        return SparseInputs(sp.csr_array(parts, shape=(n_rows, matrix.shape[1])))
    assert isinstance(record, DenseInputs)
    array = np.repeat(record.array, n_rows, axis=0)
    array[np.arange(n_rows), columns] = 0.0 if neutral is None else neutral[columns]
    return DenseInputs(array, record.names)


def _log_odds(share: Any) -> Any:
    share = np.clip(share, _LEAST, 1.0 - _LEAST)
    return np.log(share) - np.log1p(-share)
