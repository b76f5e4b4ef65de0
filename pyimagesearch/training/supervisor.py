"""Watches over a process that trains with other hosts, and says what happened when it is ended from outside.

JAX ends a process by SIGABRT when another host is gone, in the midst of native code: no line of Python runs any
more. So a script that is started with ``--hosts`` starts itself once more, as a child, and only waits for it.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Hosts, add_options, read_layout

_LINK = "PYIMAGESEARCH_SUPERVISOR"


_LOST = 75  # "try again later", by sysexits.h


_link: socket.socket | None = None


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


def run(main: Callable[..., Any]) -> int:
    """Call a script's ``main`` as `cli.run` does; with ``--hosts``, in a child that is watched.

    Hosts other than the first call the function that `recorded` decorates: one record tells of all hosts.
    """
    global _link
    hosts = _hosts()
    if _LINK in os.environ:
        _link = socket.socket(fileno=int(os.environ.pop(_LINK)))
        threading.Thread(target=_end_with_supervisor, args=(_link,), name="supervisor", daemon=True).start()
        _keep_stdout_to_python()
        return run(main if hosts is None or hosts.index == 0 else getattr(main, "__wrapped__", main))
    return run(main) if hosts is None else _supervise(hosts)


def tell(waits_for: str, checkpoint: Checkpoint = Checkpoint()) -> None:  # noqa: B008 - immutable
    """Tell the supervisor, if there is one, how far this process is.

    Args:
        waits_for: what did not happen if the process is ended from outside now; empty while it trains.
        checkpoint: what ``--resume`` would go on from.
    """
    if _link is not None:
        _link.sendall(json.dumps([waits_for, checkpoint]).encode() + b"\n")


def end_lost(words: str) -> NoReturn:
    """End this process now, before JAX does it with a native stack trace, and let the supervisor say why.

    Raises:
        ConnectionError: there is no supervisor.
    """
    if _link is None:
        raise ConnectionError(words)
    tell(words)
    os._exit(_LOST)


def _hosts() -> Hosts | None:
    """Return the hosts that the command line asks for; None also if it is wrong, which ``main`` explains."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_options(parser)
    try:
        return read_layout(parser.parse_known_args()[0]).hosts
    except (argparse.ArgumentError, UserError):
        return None


def _end_with_supervisor(link: socket.socket) -> None:
    """End this process as soon as the supervisor is gone, for whatever reason."""
    with contextlib.suppress(OSError):  # of a supervisor that has not read everything
        link.recv(1)
    os._exit(1)


def _keep_stdout_to_python() -> None:
    """Drop what C libraries print there on their own: Gloo names its peers, where ``--json`` has one object alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    sys.stdout = open(kept, "w", buffering=1, encoding=sys.stdout.encoding)  # noqa: SIM115 - until the end


def _supervise(hosts: Hosts) -> int:
    ours, theirs = socket.socketpair()
    environment = {**os.environ, _LINK: str(theirs.fileno())}
    # In a session of its own it hears Ctrl-C once, from here, also where nobody but this process is sent it.
    child = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:]], env=environment, pass_fds=[theirs.fileno()], start_new_session=True
    )
    theirs.close()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, lambda received, _: child.send_signal(received))
    waits_for, checkpoint = "", Checkpoint()
    with ours, ours.makefile(encoding="utf-8") as lines:
        for line in lines:
            waits_for, (path, older) = json.loads(line)
            checkpoint = Checkpoint(path, tuple(older) if older else None)
        code = child.wait()
    if code in (-signal.SIGABRT, _LOST):
        words = waits_for or in_words(checkpoint)
    elif code < 0:
        how = " with --resume" if checkpoint.is_there else ""
        words = f"ended by {signal.Signals(-code).name}; the other hosts stop, too; run all hosts again{how}"
    else:
        return code
    print(f"{Path(sys.argv[0]).stem}: error: {hosts}: {words}", file=sys.stderr, flush=True)
    return 1


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
