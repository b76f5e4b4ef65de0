"""The file of a run record: a line of JSON an event, appended and never changed."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyimagesearch.utils.urls import without_credentials

NAME, SCHEMA = "runs.jsonl", 1


def append(path: Path, events: Iterable[Any]) -> None:
    """Append events in one write, so that those of programs that run at the same time do not mix.

    URLs lose what may be secret in them. A line that an earlier write left unfinished, as on a full disk, is ended
    first.

    Raises:
        OSError: they cannot be written, or only a part of them.
    """
    lines = (without_credentials(json.dumps(event, allow_nan=False)) for event in events)
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    with open(number, "r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            data = data if file.read(1) == b"\n" else b"\n" + data
        if os.write(number, data) < len(data):
            raise OSError("only a part could be written")
