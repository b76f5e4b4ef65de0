"""Being a process: exit codes, errors in one line, Ctrl-C, and the noise of native libraries."""

import contextlib
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from typing import Any

from pyimagesearch.cli.errors import in_words
from pyimagesearch.cli.running import Running
from pyimagesearch.errors import UserError
from pyimagesearch.utils.text import printable

SECONDS_TO_STOP = 1.5  # after Ctrl-C; a program should be gone within two

_WANTS_NATIVE_STDERR = "TF_CPP_MIN_LOG_LEVEL" in os.environ  # asked now: TensorFlow sets it itself
_interrupted = threading.Event()


def run(main: Callable[[], Any], name: str, *, can_resume: bool = False, is_process: bool = False) -> int:
    """Call a script and return the exit code: 0, 2 for a user's mistake, 130 for Ctrl-C, 1 for a full disk.

    Args:
        main: what to call.
        name: of the program, for the line of an error.
        can_resume: whether ``--resume`` continues what Ctrl-C interrupted.
        is_process: whether this process exists for the script alone. Then a failure ends it at once: libraries that
            were stopped in the midst of their work have much to say while Python shuts down.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names of files and classes need not be of its encoding
            stream.reconfigure(errors="backslashreplace")

    def stopped() -> int:
        if Running.current:
            Running.current.stop()
        command = shlex.join([*sys.orig_argv, *(["--resume"] if "--resume" not in sys.orig_argv else [])])
        how = f"; resume with: {command}" if can_resume else ""
        return fail(name, "stopped by Ctrl-C; unfinished files were not given their final names", 130, how)

    try:
        with native_stderr_hushed(), _stopping_soon(stopped) if is_process else contextlib.nullcontext():
            main()
        return 0
    except UserError as error:
        code = fail(name, str(error), 2)
    except KeyboardInterrupt:
        code = stopped()
    except (OSError, MemoryError) as error:
        code = stopped() if was_interrupted() else fail(name, in_words(error), 1)
    except Exception:
        if not was_interrupted():
            raise
        code = stopped()
    if is_process:
        with contextlib.suppress(OSError):  # its reader may be gone
            sys.stdout.flush()
        os._exit(code)
    return code


def was_interrupted() -> bool:
    """Return whether Ctrl-C was pressed, also where a library turned that into an error of its own."""
    return _interrupted.is_set()


@contextlib.contextmanager
def native_stderr_hushed() -> Iterator[None]:
    """Drop what C libraries print to stderr on their own; Python's messages still come through.

    TensorFlow's start-up notes and libpng's remarks obey no setting. Where ``TF_CPP_MIN_LOG_LEVEL`` is set, everything
    is printed.
    """
    if _WANTS_NATIVE_STDERR:
        yield
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice is for programmers
    sys.stderr.flush()
    python_stderr, excepthook, number = sys.stderr, sys.excepthook, os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere, open(number, "w", buffering=1, closefd=False) as kept:
            os.dup2(nowhere.fileno(), 2)
            # h5py's words when it closes a file on a full disk, which nothing can catch, take either way.
            sys.unraisablehook = lambda _: None
            sys.excepthook = lambda *_: None
            if python_stderr is sys.__stderr__:  # not when it is captured
                sys.stderr = kept
            yield
    finally:
        sys.stderr, sys.unraisablehook, sys.excepthook = python_stderr, sys.__unraisablehook__, excepthook
        os.dup2(number, 2)
        os.close(number)


@contextlib.contextmanager
def _stopping_soon(stopped: Callable[[], int]) -> Iterator[None]:
    """End the process soon after Ctrl-C, also while a library computes and lets no Python code run.

    Such an end is as sudden as that by ``kill -9``, which no file minds. Once the block is over, Ctrl-C is ignored.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        number = None
        while number != signal.SIGINT:
            number = os.read(reading, 1)[0]
        _interrupted.set()
        time.sleep(SECONDS_TO_STOP)
        os._exit(130 if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else stopped())

    threading.Thread(target=watch, name="Ctrl-C", daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def fail(name: str, message: str, code: int = 1, command: str = "") -> int:
    """Print the one line of an error, and return the exit code."""
    print(f"{name}: error: {printable(' '.join(message.split()))}{command}", file=sys.stderr, flush=True)
    return code
