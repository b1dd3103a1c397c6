"""Where things stand in the charts: lines, accuracies with intervals, confusions, reliability diagrams."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from metalwork.analysis import Calibration, Confusion, Metrics
from metalwork.report._text import shorten

_Z95: Final = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class LineChart:
    """One line over epochs; ``mark`` is the point of the epoch that was kept."""

    title: str
    width: float
    height: float
    path: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    left: float
    bottom: float
    mark: tuple[float, float] | None
    last: str


_CHART: Final = (460.0, 220.0)
_LEFT, _RIGHT, _HIGH, _LOW = 46.0, 448.0, 14.0, 186.0
_MOST_POINTS: Final = 400


def draw_line(title: str, values: Sequence[float | None], best: int | None, percent: bool) -> LineChart | None:
    """A value an epoch, counted from 1; None where fewer than one value is finite."""
    points = [(epoch, float(value)) for epoch, value in enumerate(values, 1) if value is not None]
    points = [(epoch, value) for epoch, value in points if math.isfinite(value)]
    if not points:
        return None
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    low, high = min(v for _, v in points), max(v for _, v in points)
    ticks = nice_ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    if high <= low:
        low, high = low - 0.5, high + 0.5

    def x(epoch: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (epoch - 1) / max(len(values) - 1, 1)

    def y(value: float) -> float:
        return _LOW - (_LOW - _HIGH) * (value - low) / (high - low)

    shown = [*points[:-1:step], points[-1]]
    kept = next((point for point in points if best is not None and point[0] == best + 1), None)
    digits = _digits(ticks)
    return LineChart(
        title=title,
        width=_CHART[0],
        height=_CHART[1],
        path="M" + "L".join(f"{x(epoch):.1f} {y(value):.1f}" for epoch, value in shown),
        x_ticks=tuple(Tick(x(e), f"{e:.0f}") for e in nice_ticks(1, len(values)) if _whole(e, len(values))),
        y_ticks=tuple(Tick(y(v), f"{100 * v:.0f}" if percent else f"{v:.{digits}f}") for v in ticks),
        left=_LEFT,
        bottom=_LOW,
        mark=None if kept is None else (x(kept[0]), y(kept[1])),
        last=f"{100 * points[-1][1]:.1f} %" if percent else f"{points[-1][1]:.3g}",
    )


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers at equal steps that span ``low`` to ``high``, or lie inside: at most ``most`` + 2 of them."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _whole(epoch: float, n_epochs: int) -> bool:
    return 1 <= epoch <= n_epochs and epoch == int(epoch)


def _digits(ticks: Sequence[float]) -> int:
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=1.0)
    return max(0, min(6, -math.floor(math.log10(step) + 1e-9))) if step > 0 else 2


def interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of ``n`` records, in [0, 1]."""
    centre = share + _Z95**2 / (2 * n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    scale = 1 + _Z95**2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


@dataclass(frozen=True)
class Dot:
    """An accuracy and the two ends of its interval, across the chart."""

    at: float
    low: float
    high: float
    y: float
    split: int
    text: str


@dataclass(frozen=True)
class DotLine:
    """The accuracies of one model."""

    name: str
    full_name: str
    y: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class DotChart:
    """Accuracy by model and split, with 95 % intervals."""

    width: float
    height: float
    lines: tuple[DotLine, ...]
    ticks: tuple[Tick, ...]


def draw_dots(results: Mapping[str, Mapping[str, Metrics]], splits: Sequence[str]) -> DotChart:
    """End-label accuracy of every model, a row a model and a dot a split."""
    width, left, right, row = 600.0, 12.0, 570.0, 16.0 * len(splits) + 32.0
    ends = [interval(m.accuracy, m.n_points) for by_split in results.values() for m in by_split.values()]
    ticks = nice_ticks(min(low for low, _ in ends), max(high for _, high in ends))
    low, high = max(0.0, ticks[0]), min(1.0, ticks[-1])
    ticks = [tick for tick in ticks if low <= tick <= high]

    def x(share: float) -> float:
        return left + (right - left) * (share - low) / (high - low)

    lines = []
    for i, (name, by_split) in enumerate(results.items()):
        top = i * row
        dots = []
        for s, split in enumerate(splits):
            if split in by_split:
                m = by_split[split]
                a, b = interval(m.accuracy, m.n_points)
                text = f"{name}, {split}: {100 * m.accuracy:.1f} % (95 % interval {100 * a:.1f} to {100 * b:.1f})"
                dots.append(Dot(x(m.accuracy), x(a), x(b), top + 32 + 16 * s, s, text))
        lines.append(DotLine(shorten(name, 40), name, top + 16, tuple(dots)))
    return DotChart(
        width, 10 + row * len(results) + 32, tuple(lines), tuple(Tick(x(t), f"{100 * t:.0f}") for t in ticks)
    )


@dataclass(frozen=True)
class Shade:
    """All cells of one colour and one tenth of their rows, as a path with cells of size 1."""

    right: bool
    opacity: float
    path: str


@dataclass(frozen=True)
class Number:
    """A count written into its cell; ``dark`` says that the cell is."""

    x: float
    y: float
    n: int
    dark: bool


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: truth down the side, prediction across the top; empty cells are left out."""

    width: float
    height: float
    margin: float
    size: float
    type_size: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    shades: tuple[Shade, ...]
    numbers: tuple[Number, ...]


MOST_LABELS: Final = 160
"""Confusion matrices of more labels are shown as a list alone."""

_SIZES: Final = ((4, 54), (7, 42), (12, 32), (25, 18), (60, 11), (MOST_LABELS, 5))
"""Up to so many columns, cells of this size; from 11 with names, from 18 with numbers."""


def draw_confusion(confusion: Confusion) -> Matrix | None:
    """A square a pair of labels, the darker the larger its share of the row surely is; None for too many labels.

    "Surely" is the lower end of the share's interval: an error or two of few records leaves no colour.
    """
    n_rows, n_columns = len(confusion.labels), len(confusion.columns)
    size = next((size for most, size in _SIZES if n_columns <= most), None)
    if size is None:
        return None
    rows, columns = ([shorten(name, 20) for name in names] for names in (confusion.labels, confusion.columns))
    type_size = 12.0 if size >= 32 else 10.0
    margin = 10 + (0.6 * type_size * max(map(len, (*rows, *columns))) if size >= 11 else 0)
    cells = [
        (r, c, n, interval(n / sum(row), sum(row))[0])
        for r, row in enumerate(confusion.counts)
        for c, n in enumerate(row)
        if n
    ]
    tenths: dict[tuple[bool, int], list[str]] = {}
    for r, c, _, share in cells:
        if round(10 * share):
            tenths.setdefault((r == c, round(10 * share)), []).append(f"M{c} {r}h1v1h-1z")
    return Matrix(
        width=margin + n_columns * size + 4,
        height=margin + n_rows * size + 4,
        margin=margin,
        size=size,
        type_size=type_size,
        rows=tuple(Tick(margin + (r + 0.5) * size, name) for r, name in enumerate(rows) if size >= 11),
        columns=tuple(Tick(margin + (c + 0.5) * size, name) for c, name in enumerate(columns) if size >= 11),
        shades=tuple(Shade(right, 0.08 + 0.092 * tenth, "".join(p)) for (right, tenth), p in tenths.items()),
        numbers=tuple(
            Number(margin + (c + 0.5) * size, margin + (r + 0.5) * size, n, share > 0.55)
            for r, c, n, share in cells
            if size >= 18
        ),
    )


def worst_confusions(confusion: Confusion, most: int = 8) -> list[tuple[str, str, int]]:
    """The most frequent errors: (truth, prediction, count), the most frequent first."""
    errors = [
        (confusion.labels[r], confusion.columns[c], n)
        for r, row in enumerate(confusion.counts)
        for c, n in enumerate(row)
        if n and r != c
    ]
    return sorted(errors, key=lambda error: -error[2])[:most]


@dataclass(frozen=True)
class Bar:
    """One bin of a reliability diagram."""

    x: float
    width: float
    accuracy: float
    confidence: float
    load: float
    text: str


@dataclass(frozen=True)
class Reliability:
    """Accuracy against confidence, and below it how many records fall in each bin."""

    size: float
    left: float
    top: float
    load_top: float
    load_height: float
    bars: tuple[Bar, ...]


def draw_reliability(calibration: Calibration) -> Reliability:
    """Bars as high as the accuracy, in a unit square drawn ``size`` wide; a line at the mean confidence."""
    size, left, top, load_height = 210.0, 40.0, 10.0, 36.0
    fullest = max(b.n_points for b in calibration.bins)
    bars = [
        Bar(
            x=left + size * b.lower,
            width=size * (b.upper - b.lower),
            accuracy=top + size * (1 - b.accuracy),
            confidence=top + size * (1 - b.confidence),
            load=load_height * b.n_points / fullest,
            text=f"confidence {100 * b.confidence:.0f} %, right {100 * b.accuracy:.0f} %, {b.n_points:,} records",
        )
        for b in calibration.bins
        if b.confidence is not None and b.accuracy is not None
    ]
    return Reliability(size, left, top, top + size + 12, load_height, tuple(bars))
