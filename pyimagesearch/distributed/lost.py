"""What to say when another host is gone."""

import os
from typing import NamedTuple


class Checkpoint(NamedTuple):
    """The file that ``--resume`` goes on from.

    Attributes:
        path: its name; empty if there is none.
        older: what was there when the training began and is not its own, as `identity` gives it.
    """

    path: str = ""
    older: tuple[int, int] | None = None

    @property
    def is_there(self) -> bool:
        """Whether this training, or the one that it resumes, has written it."""
        return identity(self.path) not in (None, self.older)


def identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return what changes when a file is replaced, or None if there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def in_words(checkpoint: Checkpoint) -> str:
    """Return what happened to a host that another one left alone, and which step to take."""
    how = "with --resume" if checkpoint.is_there else "from the start, as no checkpoint was written yet"
    return (
        "another host has ended or cannot be reached any more, so this one stopped, too; see what that one says, then "
        f"run all hosts again {how}"
    )
