"""Small drawn stand-ins for MNIST and CIFAR-10, and the way the tests call a tutorial."""

import contextlib
import importlib
import io
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from pyimagesearch.cli.program import run


class Outcome(NamedTuple):
    """Exit code, output and result of a script."""

    code: Any
    out: str
    err: str
    result: Any


@pytest.fixture(scope="session")
def call():
    def call_script(script, *arguments):
        module = importlib.import_module(script if "." in script else f"examples.{script}")
        results = []
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = run(lambda: results.append(module.main([str(a) for a in arguments])), script)
            except SystemExit as stop:
                code = stop.code
        return Outcome(code, out.getvalue(), err.getvalue(), results[0] if results else None)

    return call_script


def draw_digit(label, rng):
    image = np.zeros((28, 28), np.uint8)
    place = tuple((np.array((5, 23)) + rng.integers(-1, 2, 2)).tolist())
    cv2.putText(image, str(label), place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return cv2.add(image, rng.integers(0, 60, (28, 28), np.uint8))


def draw_pattern(label, rng):
    """Return an RGB image whose shade of red tells the class."""
    image = rng.integers(0, 100, (32, 32, 3), np.uint8)
    image[8:24, 8:24, 0] = 25 * label
    return image


def arrays(draw, counts=(300, 100)):
    rng = np.random.default_rng(3)
    result = {}
    for name, count in zip(("train", "test"), counts, strict=True):
        labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
        result[f"x_{name}"] = np.stack([draw(label, rng) for label in labels])
        result[f"y_{name}"] = labels
    return result


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits") / "mnist.npz"
    np.savez(path, **arrays(draw_digit))
    return path


@pytest.fixture(scope="session")
def patterns():
    """Return 300 and 100 RGB images of shape (32, 32, 3) with labels, by Keras's names."""
    return arrays(draw_pattern)
