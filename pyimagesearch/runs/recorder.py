"""The two lines that one run leaves in its record."""

import hashlib
import logging
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.remotefolder import is_remote
from pyimagesearch.runs import surroundings
from pyimagesearch.runs.record import NAME, SCHEMA, append, step_of
from pyimagesearch.utils.text import as_json, file_digest, without_credentials

_LOGGER = logging.getLogger(__name__)


class Recorder:
    """Writes the start and the end of one run of a script.

    A folder that is not there when a run starts gets both lines at its end: if it succeeds, or if it left files there.

    Args:
        script: dotted name of its module.
        arguments: its command line.
        new_folder: whether a run that succeeds may create the folder.
        uses_keras: whether Keras, if it is imported, was used by this run.
        step: the script's role in a project, such as "train".
    """

    def __init__(
        self, script: str, arguments: list[str], new_folder: bool = True, uses_keras: bool = True, step: str = ""
    ) -> None:
        self.recorded = False
        """True if the end is on disk."""
        self.folder = Path()
        """Where the run is recorded, once it has begun."""
        self.new_folder = new_folder
        self._script, self._arguments, self._uses_keras = script, arguments, uses_keras
        self._step = step or step_of(script)
        self._began = time.perf_counter()
        self._start: dict[str, Any] | None = None
        self._ended = self._start_written = False

    @property
    def has_begun(self) -> bool:
        """Return whether the start is known."""
        return self._start is not None

    def begin(self, folder: Path, config: dict[str, Any] | None, seed: Any) -> None:
        """Write the start; of several calls the first counts.

        Args:
            folder: of the record; relative ones belong to the folder that the script runs in now.
            config: "module" and "settings".
            seed: of the run, or None.
        """
        if self._start is not None:
            return
        self.folder = folder.absolute()
        self._start = {
            **_stamp("start", secrets.token_hex(8)),
            "script": self._script,
            "step": self._step,
            "command": ["python", "-m", self._script, *self._arguments],
            "folder": os.getcwd(),
            "config": config,
            "seed": seed,
            "versions": surroundings.versions(),
            "hardware": surroundings.hardware(),
        }
        self._start_written = self.folder.is_dir() and not self._complaint(self._start)

    def end(self, status: str, error: str | None = None, result: Any = None) -> None:
        """Write the end, if there was a start; of several calls the first counts.

        Args:
            status: "done", "failed" or "stopped".
            error: what went wrong.
            result: what ``main`` returned.
        """
        if self._start is None or self._ended:
            return
        results, done = dict(result or {}), status == "done"
        files, inputs = results.pop("files", ()), results.pop("inputs", ())
        end = {
            **_stamp("end", self._start["run"]),
            "seconds": round(time.perf_counter() - self._began, 3),
            "status": status,
            "error": error,
            "backend": surroundings.backend() if self._uses_keras else None,
            "devices": surroundings.devices() if self._uses_keras and done else [],  # who asks must have time
            "inputs": [identify(path) for path in inputs],
            "outputs": [identify(path) for path in files],
            "results": results,
        }
        self._ended = True
        if self._is_welcome(done):
            there = self._start_written and (self.folder / NAME).exists()
            complaint = self._complaint(*([end] if there else [self._start, end]))
            self.recorded = not complaint
            if complaint and done:  # what failed has said enough
                _LOGGER.warning(complaint)

    def _is_welcome(self, done: bool) -> bool:
        """Return whether the end may be written: it makes no folder, and fills no empty one, for a run that failed."""
        try:
            if done and self.new_folder:
                self.folder.mkdir(parents=True, exist_ok=True)
            return self.folder.is_dir() and (done or self._start_written or any(self.folder.iterdir()))
        except OSError:
            return done

    def _complaint(self, *events: dict[str, Any]) -> str:
        """Append events; return why they could not be, or nothing: that is no reason to stop."""
        path = self.folder / NAME
        try:
            append(path, map(as_json, events))
        except OSError as error:
            return f"this run is not recorded in {path}: {error.strerror or error}"
        return ""


def _stamp(event: str, run: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"schema": SCHEMA, "event": event, "run": run, "time": now}


_HDF5 = b"\x89HDF\r\n\x1a\n"


_MOST_BYTES = 2**32  # some seconds of reading


def identify(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return ``{"path", "bytes", "identity"}`` of a file; a folder, a URL, or what is gone, has only a path.

    A URL is named without what may be secret in it.

    The identity is 16 hexadecimal digits of a SHA-256: of this package's data sets over the checksums of all rows and
    of their description, which are quick to read; of other files over their bytes; None above 4 GiB.
    """
    if is_remote(path):
        return {"path": without_credentials(os.fspath(path)), "bytes": None, "identity": None}
    path = Path(path)
    try:
        if not path.is_file():
            return {"path": str(path), "bytes": None, "identity": None}
        return {"path": str(path), "bytes": path.stat().st_size, "identity": _identity(path)}
    except OSError:
        return {"path": str(path), "bytes": None, "identity": None}


def _identity(path: Path) -> str | None:
    with open(path, "rb") as file:
        is_hdf5 = file.read(len(_HDF5)) == _HDF5
    known = _identity_of_data_set(path) if is_hdf5 else None
    return known or (file_digest(path) if path.stat().st_size <= _MOST_BYTES else None)


def _identity_of_data_set(path: Path) -> str | None:
    from pyimagesearch.io.format.header import open_file
    from pyimagesearch.io.format.layout import FORMAT
    from pyimagesearch.io.format.shardtable import is_united
    from pyimagesearch.io.format.untrusted import damage_reported, open_dataset, read_text

    try:
        with open_file(path) as file, damage_reported(path):
            united = is_united(file)
            checksums = open_dataset(file, "shards" if united else "checksums")
            if read_text(file, "format") != FORMAT or checksums is None:
                return None
            digest = hashlib.sha256(checksums[:].tobytes() if united else checksums[:].astype("<u4").tobytes())
            digest.update(int(file.attrs["checksum"]).to_bytes(4, "little"))
            return digest.hexdigest()[:16]
    except UserError:
        return None
