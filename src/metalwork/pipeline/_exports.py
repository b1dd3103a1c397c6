"""Tables for other programs: CSV that no spreadsheet runs as a formula, or Parquet."""

from pathlib import Path

import polars as pl

from metalwork._files import atomic_write

_FORMULA = r"^[=+\-@\t\r]"


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write ``frame`` as CSV or Parquet by the suffix of ``path``, whole or not at all."""
    with atomic_write(path) as stream:
        if path.suffix == ".parquet":
            frame.write_parquet(stream)
        else:
            stream.write(escape_formulas(frame).write_csv().encode("utf-8"))


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put ``'`` before every text and column name that a spreadsheet would read as a formula."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    escaped = frame.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )
    return escaped.rename({name: f"'{name}" for name in frame.columns if name[:1] in "=+-@\t\r" and name})
