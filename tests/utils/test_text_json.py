"""Whatever a setting or a result is, it becomes JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from pyimagesearch.utils.text import as_json


class Odd:
    def __repr__(self):
        return "odd"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (np.bool_(True), True),
        (3, 3),
        (np.int64(3), 3),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), None),
        (float("inf"), None),
        ("text", "text"),
        (Path("a/b"), "a/b"),
        ((1, Path("a")), [1, "a"]),
        ({2: np.arange(2)}, {"2": [0, 1]}),
        (np.array([0.5, np.nan]), [0.5, None]),
        (np.array(2.0), 2.0),
        (as_json, "pyimagesearch.utils.text.as_json"),
        (Path, f"{Path.__module__}.Path"),
        (Odd(), "odd"),
    ],
)
def test_values(value, expected):
    found = as_json(value)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == expected


def test_sets_become_lists():
    assert as_json({3}) == [3]
