"""One run of a script, as its record tells it."""

from typing import Any, NamedTuple


class Run(NamedTuple):
    """What a script did, with what, on what, and what came of it.

    Attributes:
        run: 16 hexadecimal digits, of each run its own.
        time: when it started: UTC, as "2026-11-22T06:00:00+00:00".
        script: dotted name of the script's module.
        command: the command that does the same again, word by word.
        folder: where it was run.
        config: {"module": its name, "settings": {name: value}}, or None.
        seed: the config's SEED, or None.
        versions: of Python and of libraries, by name.
        hardware: "system", "processor", "processors", "memory_bytes".
        status: "done"; "failed" or "stopped" (by Ctrl-C); "killed" if no end was written, also while it still runs.
        ended: when it ended, or "" if it was killed.
        seconds: how long it took, or None if it was killed.
        error: what went wrong, or None.
        backend: of Keras, or None if Keras was not needed.
        devices: what Keras computed on, as "GPU: NVIDIA H200".
        inputs: files that it read: {"path", "bytes", "identity"}; see `identity.identify`.
        outputs: files that it wrote, likewise.
        results: its figures, by name.
    """

    run: str
    time: str
    script: str
    command: list[str]
    folder: str
    config: dict[str, Any] | None
    seed: int | None
    versions: dict[str, str]
    hardware: dict[str, Any]
    status: str = "killed"
    ended: str = ""
    seconds: float | None = None
    error: str | None = None
    backend: str | None = None
    devices: list[str] = []
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    results: dict[str, Any] = {}
