import math

import pytest

from pyimagesearch.report import charts
from pyimagesearch.report.charts import Series


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.6, 0.975, [0.6, 0.7, 0.8, 0.9]),
        (0, 75, [0, 20, 40, 60]),
        (-3, 2, [-3, -2, -1, 0, 1, 2]),
        (0, 3.3e-4, [0, 1e-4, 2e-4, 3e-4]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    assert charts.ticks(low, high) == pytest.approx(expected)


def test_points_lie_where_their_numbers_say():
    chart = charts.line_chart("t", [Series("a", [0, 5, 10], [0.0, 0.5, 1.0])], "x", "y", y_range=(0, 1))
    (line,) = chart.lines
    assert [point[:2] for point in line.points] == [
        (chart.left, chart.bottom),
        ((chart.left + chart.right) / 2, (chart.top + chart.bottom) / 2),
        (chart.right, chart.top),
    ]
    assert line.path == "M" + "L".join(f"{x},{y}" for x, y, _ in line.points)
    assert [tick.text for tick in chart.x_ticks] == ["0", "2", "4", "6", "8", "10"]
    assert line.points[1][2] == "a, x 5: 0.5"


def test_what_is_no_number_is_left_out():
    chart = charts.line_chart("t", [Series("a", [1, 2, 3], [1.0, None, math.nan]), Series("b", [1], [None])], "x", "y")
    assert [(line.name, len(line.points)) for line in chart.lines] == [("a", 1)]
    assert charts.line_chart("t", [Series("a", [], [])], "x", "y") is None


def test_one_point_and_equal_values_have_a_place():
    for y in ([0.0], [5.0, 5.0], [-1.0, -1.0]):
        chart = charts.line_chart("t", [Series("a", range(len(y)), y)], "x", "y")
        for x, up, _ in chart.lines[0].points:
            assert chart.left <= x <= chart.right
            assert chart.top <= up <= chart.bottom


def test_epochs_have_no_fractions():
    chart = charts.line_chart("t", [Series("a", [1, 2, 3], [1, 2, 3])], "epoch", "y")
    assert [tick.text for tick in chart.x_ticks] == ["1", "2", "3"]


@pytest.mark.parametrize("rows", [[("a", "", 1.0, 1.0, 1.0)], [("a", "", 0.9, 0.7, 0.95), ("b", "", 0.0, 0.0, 0.3)]])
def test_intervals_hold_their_value_and_stay_inside(rows):
    chart = charts.interval_chart("t", rows)
    for row in chart.rows:
        assert 0 < row.low <= row.value <= row.high < chart.width
        assert 0 < row.y < chart.height
    assert chart.ticks


def test_bars_are_as_long_as_their_counts():
    chart = charts.bar_chart("t", ["train", "test"], {"cat": [30, 10], "a very, very long name": [20, 0]})
    (cat, other) = chart.rows
    (start, width, tip), (second, narrow, _) = cat.pieces
    assert width == pytest.approx(3 * narrow, abs=0.2)
    assert second == pytest.approx(start + width, abs=0.2)
    assert other.pieces[0][1] == pytest.approx(2 * narrow, abs=0.2)
    assert tip == "cat, train: 30"
    assert len(other.name) == 18
    assert second + narrow < chart.width
