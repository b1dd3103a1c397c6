"""Tables for other programs."""

from pathlib import Path

import polars as pl
import pytest

from metalwork.pipeline._exports import escape_formulas, write_table


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_starts_like_a_formula(sign: str) -> None:
    frame = pl.DataFrame({f"{sign}name": [f"{sign}1+1", "plain", None], "number": [-1.0, 0.0, 1.0]})
    escaped = escape_formulas(frame)
    assert escaped.columns == [f"'{sign}name", "number"]
    assert escaped[f"'{sign}name"].to_list() == [f"'{sign}1+1", "plain", None]
    assert escaped["number"].to_list() == [-1.0, 0.0, 1.0]


def test_csv_is_escaped_and_parquet_is_not(tmp_path: Path) -> None:
    frame = pl.DataFrame({"label": ["=HYPERLINK(1)"]})
    write_table(tmp_path / "t.csv", frame)
    write_table(tmp_path / "t.parquet", frame)
    assert (tmp_path / "t.csv").read_text() == "label\n'=HYPERLINK(1)\n"
    assert pl.read_parquet(tmp_path / "t.parquet").equals(frame)
