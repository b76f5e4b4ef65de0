"""Mistakes of users, and how a script must take them."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np

from pyimagesearch.io.format.header import metadata_checksum


def nothing(place: Path) -> None:
    """Prepare nothing: the mistake lies in the arguments or settings."""


class Mistake(NamedTuple):
    """A call of a script in a finished project, and the message that must come of it."""

    script: str
    arguments: list[str]
    message: str
    prepare: Callable[[Path], None] = nothing
    settings: str = ""


def write_noise(path: Path, size: int = 40) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(size).integers(0, 256, (size, size, 3), np.uint8)
    path.write_bytes(cv2.imencode(".jpg", image)[1])


def add_unreadable(folder: Path) -> None:
    """Put an empty, a truncated and a mistaken file among readable images."""
    for number in range(6):
        for label in ("cat", "dog"):
            write_noise(folder / f"{label}.{number}.jpg")
    (folder / "cat.empty.jpg").write_bytes(b"")
    (folder / "cat.text.jpg").write_text("no image at all\n")
    whole = (folder / "dog.0.jpg").read_bytes()
    (folder / "dog.short.jpg").write_bytes(whole[: len(whole) // 2])


def only_cats(place: Path) -> None:
    for number in range(8):
        write_noise(place / f"cats/cat.{number}.jpg")


def edited(place: Path, source: str, edit: Callable[[h5py.File], None]) -> None:
    """Copy a file of the project to ``edited.hdf5`` and change it there."""
    shutil.copyfile(place / source, place / "edited.hdf5")
    with h5py.File(place / "edited.hdf5", "r+") as file:
        edit(file)
        file.attrs.modify("checksum", metadata_checksum(file))


def plain_model(place: Path) -> None:
    import keras

    keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten()]).save(place / "plain.keras")


def only_error(stderr: str) -> str:
    """Return the line of the error: the last one, which only lines of progress may stand before."""
    *progress, error = stderr.splitlines(keepends=True)
    assert all(re.fullmatch(r"[A-Z][^:]+: \d+% \(.*\n", line) for line in progress), stderr
    assert re.fullmatch(r"\S.*: error: \S.*\n", error)
    return error


def assert_refused(outcome, message: str) -> None:
    assert outcome.code == 2, outcome
    assert re.search(message, only_error(outcome.err)), outcome.err


def check(mistake: Mistake, workplace: Path, call: Callable, write_config: Callable, files_in: Callable) -> None:
    """Make a mistake in a finished project, and see that it is refused and costs no file."""
    mistake.prepare(workplace)
    config = write_config(workplace, mistake.settings)
    before = files_in(workplace)
    settings = [] if "--config" in mistake.arguments else ["--config", config]
    outcome = call(mistake.script, *mistake.arguments, *settings)
    assert_refused(outcome, mistake.message)
    assert files_in(workplace) == before


def rows_of(folder: Path) -> dict[str, np.ndarray]:
    """Return all images of a build by the path of the file that they were made from."""
    rows = {}
    for name in ("train", "val", "test"):
        with h5py.File(folder / f"{name}.hdf5") as file:
            rows.update(zip(file["paths"].asstr()[:], file["images"][:], strict=True))
    return rows
