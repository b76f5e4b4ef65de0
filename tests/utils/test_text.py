"""Text to print, to record and to compare."""

import json
from pathlib import Path

import numpy as np
import pytest

from pyimagesearch.utils.text import (
    aligned,
    as_json,
    digest,
    file_digest,
    human_bytes,
    named,
    printable,
    without_credentials,
)


def test_what_no_terminal_should_get_is_escaped():
    assert printable("a\nb\x1b[31m\udc80\u202eé猫") == r"a\nb\x1b[31m\udc80\u202eé猫"
    assert printable("x" * 50, 32) == "x" * 29 + "..."
    assert printable("x" * 32, 32) == "x" * 32


@pytest.mark.parametrize(
    ("items", "most", "expected"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        ({str(n): n for n in range(2000)}, 1, "0 and 1,999 more"),
    ],
)
def test_the_first_are_named_and_the_others_counted(items, most, expected):
    assert named(items, most) == expected
    assert named(items, most, "; ") == expected.replace(", ", "; ")


def test_columns_are_aligned():
    assert aligned([("a", "1,000"), ("bcd", "7")]) == ["a    1,000", "bcd      7"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1234, "1.2 kB"),
        (491_000, "491 kB"),
        (1.2e9, "1.2 GB"),
        (3.4e15, "3400.0 TB"),
    ],
)
def test_sizes_are_readable(count, expected):
    assert human_bytes(count) == expected


def test_fingerprints_depend_on_every_text_and_its_place(tmp_path):
    found = [digest(texts) for texts in (["ab", "c"], ["a", "bc"], ["c", "ab"], ["ab\udc80", "c"])]
    assert len(set(found)) == 4
    assert found[0] == digest(iter(["ab", "c"]))
    assert all(len(each) == 16 and int(each, 16) for each in found)
    (tmp_path / "a").write_bytes(b"abc")
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea"


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:secret@host/a", "https://host/a"),
        ("s3://key:se+cret@bucket/me@home", "s3://bucket/me@home"),
        ("https://me@host:80/a and ftp://x:y@z", "https://host:80/a and ftp://z"),
        ("HTTPS://host/a?token=secret", "HTTPS://host/a"),
        ("https://host/a#secret; check", "https://host/a check"),
        ('{"a": "https://host", "b": "me@home?x"}', '{"a": "https://host", "b": "me@home?x"}'),
        ('["https://h/a?s=1","x@y"]', '["https://h/a","x@y"]'),
        ("https://me:p@ss@host/a", "https://host/a"),
        ("s3://bucket/what?.jpg", "s3://bucket/what?.jpg"),
        ("me@home", "me@home"),
        ("/a/b", "/a/b"),
    ],
)
def test_urls_lose_what_may_be_secret(text, expected):
    assert without_credentials(text) == expected
