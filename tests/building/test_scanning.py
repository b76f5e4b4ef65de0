"""Unreadable images are found with their reasons, on any system, also if they crash the process."""

import builtins
import io
import pickle
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from pyimagesearch.building import scanning
from pyimagesearch.building.scanning import find_culprit, scan, scan_carefully
from pyimagesearch.cluster.tasks import Work
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError


def test_good_images_are_not_found(images):
    assert scan(images, ThisProcess(2), "Checking", Decoding()).unreadable == {}


def test_bad_ones_are_found_with_their_reasons(folder, images):
    (folder / images.paths[3]).write_bytes(b"")
    (folder / images.paths[9]).unlink()
    found = scan(images, ThisProcess(2), "Checking", Decoding()).unreadable
    assert sorted(found) == [3, 9]
    assert "empty" in found[3]
    assert "No such file" in found[9]


def test_a_process_of_its_own_finds_the_same(folder, images):
    (folder / images.paths[3]).write_bytes(b"")
    found = scan(images, ThisProcess(2), "Checking", Decoding())
    expected = {**found.fingerprints, **found.unreadable}
    assert scan_carefully(images, Decoding(), None, Work()) == [expected[index] for index in range(12)]
    with pytest.raises(UnreadableImageError, match="the file is empty") as caught:
        find_culprit(images, Decoding(), None, Work())
    assert caught.value.path == str(folder / images.paths[3])


def test_an_image_that_crashes_the_process_is_unreadable(images, monkeypatch):
    crash = (
        "import os, pyimagesearch.building.scanning as s; look = s._scan_image;"
        f"s._scan_image = lambda images, path, *rest: os._exit(9) if path == {images.paths[4]!r} else "
        "look(images, path, *rest); s.serve()"
    )
    monkeypatch.setattr(scanning, "_SERVE", crash)
    found = scan_carefully(images, Decoding(), None, Work())
    assert [index for index, each in enumerate(found) if isinstance(each, str)] == [4]
    assert found[4] == "decoding it crashes the process (exit code 9)"


@pytest.mark.parametrize(
    ("code", "words"), [(-signal.SIGTERM, "SIGTERM"), (3, "exit code 3"), (-250, "exit code -250"), (2**32 - 1, "exit")]
)
def test_the_end_of_a_process_is_told_on_any_system(code, words):
    assert scanning._in_words(code).startswith(words)


def test_images_are_served_without_proc(images, monkeypatch):
    def hidden(path, *arguments, **options):
        if str(path).startswith("/proc"):
            raise FileNotFoundError(path)
        return builtins.open(path, *arguments, **options)

    out = io.BytesIO()
    monkeypatch.setattr(scanning, "open", hidden, raising=False)
    monkeypatch.setattr(scanning, "signal", SimpleNamespace(signal=lambda *_: None, SIGINT=2, SIG_IGN=1))
    request = io.BytesIO(pickle.dumps((images.subset(np.arange(2)), Decoding(), None)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=request))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    scanning.serve()
    out.seek(0)
    found = scan(images.subset(np.arange(2)), ThisProcess(1), "Checking", Decoding()).fingerprints
    assert [pickle.load(out), pickle.load(out)] == list(found.values())
