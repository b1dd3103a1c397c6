"""The paper's figures, checked against the averages it prints."""

import pytest

from metalwork.experiments import PAPER, paper_figure

AVERAGES = {
    "Table 1": {"Dev. Labels": 65.0, "Label Model": 66.7, "End Model": 76.2},
    "Table 2": {"Hard MV": 63.6, "Soft MV": 66.0, "Trained Label Model": 66.7},
    "Table 3": {"SingleTask": 74.5, "FlatMTL": 74.6, "HierMTL": 76.2},
}


@pytest.mark.parametrize("table", AVERAGES)
def test_the_columns_average_to_what_the_paper_prints(table: str) -> None:
    for column, average in AVERAGES[table].items():
        figures = [PAPER[table][name][column].mean for name in ("rcv1", "openi")]
        assert sum(figures) / 2 == pytest.approx(average, abs=0.051)


@pytest.mark.parametrize("name", ["rcv1", "openi"])
def test_the_tables_repeat_each_other_where_they_overlap(name: str) -> None:
    assert paper_figure("Table 1", name, "Label Model") == paper_figure("Table 2", name, "Trained Label Model")
    assert paper_figure("Table 1", name, "End Model") == paper_figure("Table 3", name, "HierMTL")


def test_the_paper_has_no_figures_for_reuters() -> None:
    assert paper_figure("Table 1", "reuters", "End Model") is None
