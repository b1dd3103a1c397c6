"""Tables for other programs."""

from io import BytesIO

import polars as pl
import pytest

from metalwork.pipeline._exports import escape_formulas, write_csv


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_starts_like_a_formula(sign: str) -> None:
    frame = pl.DataFrame({f"{sign}name": [f"{sign}1+1", "plain", None], "number": [-1.0, 0.0, 1.0]})
    escaped = escape_formulas(frame)
    assert escaped.columns == [f"'{sign}name", "number"]
    assert escaped[f"'{sign}name"].to_list() == [f"'{sign}1+1", "plain", None]
    assert escaped["number"].to_list() == [-1.0, 0.0, 1.0]


def test_csv_is_escaped_and_has_one_header() -> None:
    stream = BytesIO()
    write_csv(stream, [pl.DataFrame({"label": ["=HYPERLINK(1)"]}), pl.DataFrame({"label": ["plain"]})])
    assert stream.getvalue() == b"label\n'=HYPERLINK(1)\nplain\n"
