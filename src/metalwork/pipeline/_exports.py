"""Tables for other programs: CSV that no spreadsheet runs and no terminal obeys."""

from collections.abc import Iterable
from typing import IO

import polars as pl

from metalwork._visible import STEERING, visible

_FORMULA = r"^[=+\-@\t\r\n]"


def write_csv(stream: IO[bytes], frames: Iterable[pl.DataFrame]) -> None:
    """Write frames of the same columns as CSV, one below the other."""
    for i, frame in enumerate(frames):
        stream.write(escape_formulas(without_steering(frame)).write_csv(include_header=i == 0).encode("utf-8"))


def without_steering(frame: pl.DataFrame) -> pl.DataFrame:
    """Write out the control characters of all texts and column names, as they are shown."""
    texts = (column for column in frame if column.dtype == pl.String and column.str.contains(STEERING).any())
    written = (pl.Series(own.name, [None if text is None else visible(text) for text in own]) for own in texts)
    return frame.with_columns(written).rename({name: visible(name) for name in frame.columns})


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put ``'`` before every text and column name that a spreadsheet would read as a formula."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    escaped = frame.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
    return escaped.rename({name: f"'{name}" for name in frame.columns if name[:1] in "=+-@\t\r\n" and name})
