"""Lay out charts: the places of their marks, which the templates draw as SVG."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 16, 12, 44
_ROW = 46  # pixels between the rows of an interval or bar chart
_WIDE, _NARROW = 480, 400  # widths of interval and bar charts
_LETTER = 7.2  # pixels that a letter of a label takes, about


@dataclass(frozen=True)
class Series:
    """A line to be drawn.

    Attributes:
        name: for the legend.
        x, y: numbers; points with None or NaN are left out.
        tips: a text for each point; made from its numbers if empty.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    tips: Sequence[str] = ()


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, at a position in pixels."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A series as it is drawn: the path through its points, and (x, y, tip) of each."""

    name: str
    path: str
    points: list[tuple[float, float, str]]


@dataclass(frozen=True)
class Chart:
    """Axes and lines for a template to draw, in pixels.

    Attributes:
        title, description: for screen readers.
        x_label, y_label: names of the axes, with units.
        mark: a vertical line with its text, or None.
        diagonal: the line of equal values as (x1, y1, x2, y2), or None.
    """

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    mark: Tick | None
    diagonal: tuple[float, float, float, float] | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def plain(value: float) -> str:
    """Return a number in as few digits as an axis needs: ``1,200``, ``0.25``, ``1e-05``."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"


def percent(value: float) -> str:
    """Return a share as a percentage of as few digits as it needs: ``97.5%``."""
    return f"{100 * value:.4g}%"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from ``low`` to ``high``, both finite, at most about ``most`` of them."""
    rough = max((high - low) / max(most - 1, 1), 1e-12)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next((unit * factor for factor in (1, 2, 2.5, 5) if unit * factor >= rough * 0.999), unit * 10)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def line_chart(
    title: str,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    *,
    description: str = "",
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    y_text: Callable[[float], str] = plain,
    x_text: Callable[[float], str] = plain,
    mark: tuple[float, str] | None = None,
    diagonal: bool = False,
    from_zero: bool = False,
) -> Chart | None:
    """Return a chart of lines, or None if there is no point to draw.

    Args:
        x_range, y_range: ends of the axes; those of the points if None, widened to round numbers.
        mark: where on the x axis to draw a vertical line, and what to write beside it.
        diagonal: whether to draw the line of equal values.
        from_zero: whether the y axis begins at 0.
    """
    kept = [_Kept.of(one) for one in series]
    kept = [one for one in kept if one.points]
    if not kept:
        return None
    everything = [point for one in kept for point in one.points]
    x_low, x_high = x_range or _wide([x for x, _, _ in everything])
    y_low, y_high = y_range or _rounded([y for _, y, _ in everything] + [0.0] * from_zero)

    def across(x: float) -> float:
        return round(_LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT), 1)

    def up(y: float) -> float:
        return round(HEIGHT - _BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = []
    for one in kept:
        places = [
            (across(x), up(y), tip or f"{one.name}, {x_label} {x_text(x)}: {y_text(y)}") for x, y, tip in one.points
        ]
        lines.append(Line(one.name, "M" + "L".join(f"{x},{y}" for x, y, _ in places), places))
    whole = x_range is None and all(x == round(x) for x, _, _ in everything)
    x_ticks = [Tick(across(x), x_text(x)) for x in ticks(x_low, x_high, 8) if not whole or x == round(x)]
    low, high = max(x_low, y_low), min(x_high, y_high)
    return Chart(
        title, description, x_label, y_label, x_ticks, [Tick(up(y), y_text(y)) for y in ticks(y_low, y_high)], lines,
        Tick(across(mark[0]), mark[1]) if mark else None,
        (across(low), up(low), across(high), up(high)) if diagonal else None,
    )  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """A row of an interval chart: a value and the ends of its interval, in pixels."""

    name: str
    text: str
    y: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class IntervalChart:
    """Values with their intervals, one below the other."""

    title: str
    description: str
    rows: list[Interval]
    ticks: list[Tick]
    height: int
    width: int = _WIDE


def interval_chart(
    title: str, rows: Sequence[tuple[str, str, float, float, float]], description: str = ""
) -> IntervalChart:
    """Return a chart of accuracies.

    Args:
        rows: name, text of the value, value, and the ends of its interval, in [0, 1].
    """
    left, right = 8, _WIDE - 8
    low, high = min(row[3] for row in rows), max(row[4] for row in rows)
    low, high = max(0.0, low - 0.15 * (high - low) - 0.002), min(1.0, high + 0.15 * (high - low) + 0.002)

    def across(value: float) -> float:
        return round(left + 14 + (value - low) / (high - low) * (right - left - 28), 1)

    drawn = [
        Interval(shorten(name, 48), text, 34 + _ROW * n, across(value), across(start), across(end))
        for n, (name, text, value, start, end) in enumerate(rows)
    ]
    marks = [Tick(across(value), percent(value)) for value in ticks(low, high)]
    return IntervalChart(title, description, drawn, marks, 34 + _ROW * len(rows) + 18)


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: consecutive pieces as (x, width, tip), in pixels."""

    name: str
    text: str
    y: float
    pieces: list[tuple[float, float, str]]


@dataclass(frozen=True)
class BarChart:
    """Counts as bars of several pieces."""

    title: str
    description: str
    kinds: list[str]
    rows: list[Bar]
    left: float
    height: int
    width: int = _NARROW


def bar_chart(title: str, kinds: Sequence[str], counts: Mapping[str, Sequence[int]], description: str = "") -> BarChart:
    """Return a chart of counts.

    Args:
        kinds: what the pieces of a bar are.
        counts: by the name of the bar, one for each of its pieces.
    """
    names = [shorten(name, 18) for name in counts]
    left = 8 + _LETTER * max(map(len, names))
    most = max(sum(parts) for parts in counts.values()) or 1
    scale = (_NARROW - left - 8 - _LETTER * (len(f"{most:,}") + 1)) / most
    rows = []
    for n, (name, parts) in enumerate(zip(names, counts.values(), strict=True)):
        starts = [left + scale * sum(parts[:i]) for i in range(len(parts))]
        bars = [
            (round(start, 1), round(scale * count, 1), f"{name}, {kind}: {count:,}")
            for start, count, kind in zip(starts, parts, kinds, strict=True)
        ]
        rows.append(Bar(name, f"{sum(parts):,}", 6 + 28 * n, bars))
    return BarChart(title, description, list(kinds), rows, left, 28 * len(rows) + 8)


def shorten(text: str, most: int) -> str:
    """Return text of at most ``most`` letters, its end replaced by an ellipsis if it is longer."""
    return text if len(text) <= most else text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class _Kept:
    name: str
    points: list[tuple[float, float, str]]

    @classmethod
    def of(cls, series: Series) -> "_Kept":
        tips = series.tips or [""] * len(series.x)
        found = zip(series.x, series.y, tips, strict=False)
        return cls(series.name, [(x, y, tip) for x, y, tip in found if y is not None and math.isfinite(y)])


def _wide(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _rounded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high == low:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    marks = ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else high - low
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return (max(bottom, 0.0) if low >= 0 else bottom), top
