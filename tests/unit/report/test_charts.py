"""Where things stand in charts."""

import numpy as np
import pytest

import metalwork as mw
from metalwork.analysis import Confusion
from metalwork.report._charts import (
    MOST_LABELS,
    draw_confusion,
    draw_dots,
    draw_line,
    draw_reliability,
    interval,
    nice_ticks,
    worst_confusions,
)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.31, 0.36), (1, 30), (-3, 1e6), (1e-9, 2e-9)])
def test_ticks_span_the_values_at_equal_steps(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert ticks[0] <= low + 1e-12
    assert ticks[-1] >= high - 1e-12
    assert np.ptp(np.diff(ticks)) < 1e-6 * (high - low)


def test_one_value_has_one_tick() -> None:
    assert nice_ticks(0.5, 0.5) == [0.5]


def test_wilson_interval_equals_published_figures() -> None:
    """Newcombe (1998), Table I: 81 of 263, and 0 of 20."""
    assert interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_line_skips_what_is_not_finite() -> None:
    chart = draw_line("loss", [1.0, float("nan"), None, 0.5], best=3, percent=False)
    assert chart is not None
    assert chart.path.count("L") == 1
    assert chart.mark is not None
    assert chart.mark[0] == pytest.approx(448.0)
    assert draw_line("loss", [float("inf")], None, percent=False) is None
    assert draw_line("loss", [], None, percent=False) is None


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    chart = draw_line("loss", np.linspace(1, 0, 100_000).tolist(), None, percent=False)
    assert chart is not None
    assert chart.path.count("L") <= 400
    assert chart.path.startswith("M46.0 ")
    assert chart.path.split("L")[-1].startswith("448.0 ")


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5]])
def test_a_flat_line_stands_in_the_chart(values: list[float]) -> None:
    chart = draw_line("accuracy", values, 0, percent=True)
    assert chart is not None
    assert chart.mark is not None
    assert 14 <= chart.mark[1] <= 186


def test_dots_stand_in_the_order_of_their_accuracies() -> None:
    schema = mw.TaskSchema.flat(["a", "b"])
    y = [0, 1] * 20
    results = {
        "half": {"dev": mw.evaluate([0] * 40, y, schema)},
        "all": {"dev": mw.evaluate(y, y, schema), "test": mw.evaluate(y, y, schema)},
    }
    chart = draw_dots(results, ["dev", "test"])
    half, everything = chart.lines
    assert len(half.dots) == 1
    assert len(everything.dots) == 2
    assert half.dots[0].low < half.dots[0].at < half.dots[0].high < everything.dots[0].at
    assert all(0 <= dot.low <= dot.high <= chart.width for line in chart.lines for dot in line.dots)


def test_a_confusion_holds_every_count_that_is_not_zero() -> None:
    matrix = draw_confusion(Confusion(("a", "b"), ("a", "b", "other"), ((30, 0, 10), (0, 0, 0))))
    assert matrix is not None
    assert [(n.n, n.dark) for n in matrix.numbers] == [(30, True), (10, False)]
    assert {(shade.right, shade.path) for shade in matrix.shades} == {
        (True, "M0 0h1v1h-1z"),
        (False, "M2 0h1v1h-1z"),
    }
    assert [tick.text for tick in matrix.columns] == ["a", "b", "other"]


@pytest.mark.parametrize(
    ("n_labels", "numbers", "names"), [(12, True, True), (50, False, True), (100, False, False)]
)
def test_larger_confusions_say_less(n_labels: int, numbers: bool, names: bool) -> None:
    labels = tuple(f"label {k}" for k in range(n_labels))
    matrix = draw_confusion(Confusion(labels, labels, tuple(map(tuple, np.eye(n_labels, dtype=int).tolist()))))
    assert matrix is not None
    assert (bool(matrix.numbers), bool(matrix.rows)) == (numbers, names)
    assert matrix.width < 900


def test_a_few_errors_leave_no_colour() -> None:
    counts = ((200, 2, 0), (1, 3, 0), (0, 40, 60))
    matrix = draw_confusion(Confusion(("a", "b", "c"), ("a", "b", "c"), counts))
    assert matrix is not None
    assert [number.n for number in matrix.numbers] == [200, 2, 1, 3, 40, 60]
    assert [shade.path for shade in matrix.shades if not shade.right] == ["M1 2h1v1h-1z"]


def test_a_huge_confusion_is_a_list_only() -> None:
    n = MOST_LABELS + 1
    labels = tuple(map(str, range(n)))
    counts = np.zeros((n, n), dtype=int)
    counts[5, 7], counts[8, 8], counts[1, 2] = 4, 9, 6
    confusion = Confusion(labels, labels, tuple(map(tuple, counts.tolist())))
    assert draw_confusion(confusion) is None
    assert worst_confusions(confusion) == [("1", "2", 6), ("5", "7", 4)]


def test_reliability_bars_stand_at_their_accuracy() -> None:
    metrics = mw.evaluate(np.array([[0.75, 0.25], [0.75, 0.25]]), [0, 1], mw.TaskSchema.flat(["a", "b"]))
    assert metrics.calibration is not None
    chart = draw_reliability(metrics.calibration)
    (bar,) = chart.bars
    assert bar.accuracy == pytest.approx(chart.top + chart.size / 2)
    assert bar.confidence == pytest.approx(chart.top + chart.size / 4)
    assert bar.load == chart.load_height
