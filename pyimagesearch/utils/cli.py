"""What all command-line tools share: options, messages, exit codes."""

import argparse
import contextlib
import importlib
import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from pyimagesearch.errors import UserError
from pyimagesearch.utils.terminal import closing as closing
from pyimagesearch.utils.terminal import obey
from pyimagesearch.utils.terminal import screen as screen
from pyimagesearch.utils.terminal import table as table
from pyimagesearch.utils.terminal import verbosity as verbosity
from pyimagesearch.utils.text import human_bytes

DEFAULT_CONFIG = "config.dogs_vs_cats_config"


SECONDS_TO_STOP = 1.5  # after Ctrl-C; a program should be gone within two


_resumable: set[str] = set()


_interrupted = threading.Event()


_WANTS_NATIVE_STDERR = "TF_CPP_MIN_LOG_LEVEL" in os.environ  # asked now: TensorFlow sets it itself


class ArgumentParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}; see --help\n")


class ScriptParser(ArgumentParser):
    """A parser with the options that every script has, of which it obeys ``--quiet`` and ``--json`` itself."""

    def __init__(self, description: str, config: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        if config is not None:
            self.add_argument("--config", metavar="MODULE", default=config, help="settings, as a module's name")
        self.add_argument("--quiet", action="store_true", help="print only errors and the closing table")
        self.add_argument("--json", action="store_true", help="print the results as one JSON object")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the options, and keep off the screen what is not wanted there until the script ends."""
        found = super().parse_args(args, namespace)
        obey(found.quiet, found.json)
        return found


def parser(description: str, default_config: str | None = DEFAULT_CONFIG) -> ScriptParser:
    """Return a parser with the options that every script has: ``--config MODULE``, ``--quiet`` and ``--json``.

    Args:
        description: what the script does.
        default_config: settings that are used if no others are named; None if the script has none.
    """
    return ScriptParser(description, default_config)


class Settings:
    """The settings of a config module, of which each must be there when it is asked for."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise UserError(
                f"{name}: must be set in {self._module.__name__}, which lacks it; copy its line from "
                "config/dogs_vs_cats_config.py"
            ) from None


def load_config(name: str) -> Any:
    """Import a module of settings by its dotted name, as `Settings`.

    Raises:
        UserError: there is no such module, or it is a file's name.
    """
    if name.endswith(".py"):
        raise UserError(
            f"--config: must be a module's name; received the file {name}; "
            f"write {name[:-3].replace(os.sep, '.')} and run from the folder that it starts in"
        )
    sys.path.insert(0, os.getcwd())
    try:
        module: ModuleType = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        raise UserError(
            f"--config: must name a module of settings; received {name}, which was not found "
            f"from {os.getcwd()}; copy config/dogs_vs_cats_config.py and pass its name"
        ) from error
    finally:
        sys.path.remove(os.getcwd())
    from pyimagesearch.runs.recording import note_config  # which itself prints by this module

    note_config(module)
    return Settings(module)


def read_means(path: str | os.PathLike[str]) -> dict[str, float]:
    """Read the colour means that the build step wrote, keyed "R", "G", "B".

    Raises:
        UserError: the file is missing or holds something else.
    """
    try:
        means = json.loads(Path(path).read_text("utf-8"))
        return {color: float(means[color]) for color in "RGB"}
    except FileNotFoundError as error:
        raise UserError(
            f"DATASET_MEAN: {path} does not exist; run build_dogs_vs_cats first, or check the config"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"DATASET_MEAN: {path} must be JSON with the numbers R, G and B; it is not ({error}); "
            "build the data set again"
        ) from error


def positive_int(text: str) -> int:
    """Convert an option's text to a whole number of at least 1, for ``type=``."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; received {text}")
    return number


def whole_number(text: str) -> int:
    """Convert an option's text to a whole number of at least 0, for ``type=``."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0; received {text}")
    return number


def positive_number(text: str) -> float:
    """Convert an option's text to a number above 0, for ``type=``."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0; received {text}")
    return number


def processes(text: str) -> int:
    """Convert an option's text to a number of processes, -1 for all, for ``type=``."""
    return -1 if text == "-1" else positive_int(text)


def info(message: str) -> None:
    """Print one chapter of a script's story."""
    print(f"[INFO] {message}", flush=True)


def wrote(*paths: str | os.PathLike[str]) -> None:
    """Name the files that a script wrote, with their sizes."""
    for path in map(Path, paths):
        info(f"wrote {path} ({human_bytes(path.stat().st_size)})")


@contextlib.contextmanager
def native_stderr_hushed() -> Iterator[None]:
    """Drop what C libraries print to stderr on their own; Python's messages still come through.

    TensorFlow's start-up notes and libpng's remarks obey no setting. For programs, never a library.
    Who sets ``TF_CPP_MIN_LOG_LEVEL`` hears everything that it asks for.
    """
    if _WANTS_NATIVE_STDERR:
        yield
        return
    sys.stderr.flush()
    python_stderr, excepthook, number = sys.stderr, sys.excepthook, os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere, open(number, "w", buffering=1, closefd=False) as kept:
            os.dup2(nowhere.fileno(), 2)
            # h5py's words when it closes a file on a full disk, which nothing can catch, take either way.
            sys.unraisablehook = lambda _: None
            sys.excepthook = lambda *_: None
            if python_stderr is sys.__stderr__:  # not when somebody captures it
                sys.stderr = kept
            yield
    finally:
        sys.stderr, sys.unraisablehook, sys.excepthook = python_stderr, sys.__unraisablehook__, excepthook
        os.dup2(number, 2)
        os.close(number)


def resumable(module: str) -> None:
    """Say that ``module``, if it is the program that runs, can be gone on with by ``--resume`` once it is stopped."""
    _resumable.add(module)


@contextlib.contextmanager
def _stopping_soon() -> Iterator[None]:
    """End the program soon after Ctrl-C, also while a library computes and lets no Python code run.

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
        os._exit(130 if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else _stopped())

    threading.Thread(target=watch, name="Ctrl-C", daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def was_interrupted() -> bool:
    """Return whether Ctrl-C was pressed, also where a library turned that into an error of its own."""
    return _interrupted.is_set()


def run(main: Callable[[], Any]) -> int:
    """Call a script's ``main`` and return its exit code: 0, 2 for a user's mistake, 130 for Ctrl-C.

    A program, whose ``main`` is that of the module ``__main__``, does not return from a failure, but ends there and
    then: libraries that were stopped in the midst of their work have much to say while Python shuts down.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names of files and classes need not be of its encoding
            stream.reconfigure(errors="backslashreplace")
    program = main.__module__ == "__main__"
    try:
        with native_stderr_hushed(), _stopping_soon() if program else contextlib.nullcontext():
            main()
        return 0
    except UserError as error:
        code = _fail(str(error), 2)
    except KeyboardInterrupt:
        code = _stopped()
    except (OSError, MemoryError) as error:
        code = _stopped() if was_interrupted() else _fail(f"{type(error).__name__}: {error}", 1)
    except Exception:
        if not was_interrupted():
            raise
        code = _stopped()
    if program:
        with contextlib.suppress(OSError):  # nobody reads it any more
            sys.stdout.flush()
        os._exit(code)
    return code


def _stopped() -> int:
    recording = sys.modules.get("pyimagesearch.runs.recording")  # never imported on the way out
    if recording:
        recording.note_stop()
    command = shlex.join([*sys.orig_argv, *(["--resume"] if "--resume" not in sys.orig_argv else [])])
    how = f"; go on with: {command}" if "__main__" in _resumable else ""
    return _fail("stopped by Ctrl-C; unfinished files were not given their final names", 130, how)


def _fail(message: str, code: int, command: str = "") -> int:
    words = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(message.split()))
    print(f"{Path(sys.argv[0]).stem}: error: {words}{command}", file=sys.stderr, flush=True)
    return code
