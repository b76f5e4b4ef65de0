"""Watch over a process that trains with other hosts, and say what happened when it is ended from outside.

JAX ends a process by SIGABRT when another host is gone, in the middle of native code: no line of Python runs any
more. So a program that trains on several hosts starts itself once more, as a child, and only waits for it. A
program calls `is_supervised` first; if that is False, it calls `supervise` and ends with what that returns.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import astuple, dataclass
from typing import NoReturn

_LINK = "PYIMAGESEARCH_SUPERVISOR"
_LOST = 75  # "try again later", by sysexits.h

_link: socket.socket | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The file to resume from.

    Attributes:
        path: its name; empty if there is none.
        older: `identity` of the file that was there when the training began, if that was another training's.
    """

    path: str = ""
    older: tuple[int, int] | None = None

    @property
    def exists(self) -> bool:
        """True if this training, or the one that it resumes, has written the file."""
        return identity(self.path) not in (None, self.older)


def is_supervised() -> bool:
    """Return whether a supervisor started this process, and connect to it if so: this process ends with it."""
    global _link
    if _LINK not in os.environ:
        return False
    _link = socket.socket(fileno=int(os.environ.pop(_LINK)))
    threading.Thread(target=_end_with_supervisor, args=(_link,), name="supervisor", daemon=True).start()
    _keep_stdout_to_python()
    return True


def supervise() -> tuple[int, str]:
    """Start this program once more and wait for it.

    Returns:
        Its exit code, and a sentence on its end if it could not say one itself, otherwise "".
    """
    ours, theirs = socket.socketpair()
    environment = {**os.environ, _LINK: str(theirs.fileno())}
    # In a session of its own it hears Ctrl-C once, from here, also where only this process is sent it.
    child = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:]], env=environment, pass_fds=[theirs.fileno()], start_new_session=True
    )
    theirs.close()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda received, _: child.send_signal(received))
    waits_for, checkpoint = "", Checkpoint()
    with ours, ours.makefile(encoding="utf-8") as lines:
        for line in lines:
            waits_for, (path, older) = json.loads(line)
            checkpoint = Checkpoint(path, tuple(older) if older else None)
        code = child.wait()
    if code in (-signal.SIGABRT, _LOST):
        return 1, waits_for or lost_host(checkpoint)
    if code < 0:
        how = " with resume=True" if checkpoint.exists else ""
        return 1, f"ended by {signal.Signals(-code).name}; the other hosts stop, too; run all hosts again{how}"
    return code, ""


def report(waits_for: str, checkpoint: Checkpoint | None = None) -> None:
    """Report this process's progress to the supervisor, if there is one.

    Args:
        waits_for: what did not happen, should the process be ended from outside now; empty while it trains.
        checkpoint: the file to resume from.
    """
    if _link is not None:
        _link.sendall(json.dumps([waits_for, astuple(checkpoint or Checkpoint())]).encode() + b"\n")


def end_lost(reason: str) -> NoReturn:
    """End this process now, before JAX does it with a native stack trace, and let the supervisor say why.

    Raises:
        ConnectionError: there is no supervisor.
    """
    if _link is None:
        raise ConnectionError(reason)
    report(reason)
    os._exit(_LOST)


def identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Return inode and time of a file, which differ once it is replaced; None if there is no file."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def lost_host(checkpoint: Checkpoint) -> str:
    """Return what happened to a host that lost another one, and what to do."""
    how = "with resume=True" if checkpoint.exists else "from the start, as no checkpoint was written yet"
    return (
        "another host has ended or cannot be reached any more, so this one stopped, too; see what that one says, then "
        f"run all hosts again {how}"
    )


def _end_with_supervisor(link: socket.socket) -> None:
    """End this process as soon as the supervisor is gone, for whatever reason."""
    with contextlib.suppress(OSError):  # of a supervisor that has not read everything
        link.recv(1)
    os._exit(1)


def _keep_stdout_to_python() -> None:
    """Drop what C libraries print to stdout: Gloo names its peers, which would mix with a program's own output."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    sys.stdout = open(kept, "w", buffering=1, encoding=sys.stdout.encoding)  # noqa: SIM115 - until the end
