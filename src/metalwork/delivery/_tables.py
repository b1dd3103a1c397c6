"""Predictions as tables, a bounded number of records at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from metalwork._checks import check_names
from metalwork.delivery._answers import Cut, answer_table, table_columns
from metalwork.errors import ConfigError

if TYPE_CHECKING:
    from metalwork.delivery._reading import Explanation, Reading

_BECAUSE: Final = ("because", "votes")
_MOST_WORDS: Final = 3
"""The strongest words of each task that an explanation of a table names."""


def prediction_tables(
    predictor: "Reading",
    records: Any,
    keep: Sequence[str] = (),
    cut: Cut | None = None,
    explain: bool = False,
    probabilities: bool = True,
    progress: Callable[[int, int | None], object] | None = None,
) -> Iterator[pl.DataFrame]:
    """Answers about records, with the columns to ``keep`` before them, or else the number of each record, ``row``.

    Raises
    ------
    ConfigError
        When a kept column has the name of another one of the table.
    DataError, LabelingError
        As :meth:`Predictor.predict_proba`; naming the rows, where they are not the first.
    """
    keep, cut = check_names("keep", keep, "columns"), Cut() if cut is None else cut
    own = {*table_columns(predictor.schema), *(_BECAUSE if explain else ())}
    if taken := [name for name in keep if name in own]:
        raise ConfigError(f"keep must name other columns than those of the results; got {taken[0]!r}. Rename it.")
    source = predictor.open(records)
    start = 0
    for frame in predictor.frames(source, keep, every_column=explain and predictor.has_votes):
        with predictor.counting_from(start):
            table = answer_table(predictor.proba(frame), cut, probabilities)
            if explain:
                table = table.with_columns(_because(predictor, frame))
        rows = pl.Series("row", range(start, start + frame.height), dtype=pl.Int64)
        yield pl.DataFrame([*(frame[name] for name in keep), *table] if keep else [rows, *table])
        start += frame.height
        if progress is not None:
            progress(start, source.n_points)
    predictor.finish()


def _because(predictor: "Reading", frame: pl.DataFrame) -> list[pl.Series]:
    found = [predictor.explain_frame(frame[row]) for row in range(frame.height)]
    columns = [pl.Series("because", list(map(_words, found)), dtype=pl.String)]
    if predictor.has_votes:
        columns.append(pl.Series("votes", list(map(_votes, found)), dtype=pl.String))
    return columns


def _words(found: "Explanation") -> str | None:
    """The strongest words, task by task: ``area=Billing: invoice +0.33, wrong +0.23; billing=Invoice: ...``."""
    by_task: dict[str, list[str]] = {}
    for effect in found.features:
        words = by_task.setdefault(f"{effect.task}={effect.label}", [])
        if len(words) < _MOST_WORDS:
            words.append(f"{effect.feature} {effect.effect:+.2f}")
    return "; ".join(f"{task}: {', '.join(words)}" for task, words in by_task.items()) or None


def _votes(found: "Explanation") -> str | None:
    return "; ".join(f"{vote.lf}={vote.label} {vote.effect:+.2f}" for vote in found.votes) or None
