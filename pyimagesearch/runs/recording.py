"""Writes what each script did into a run record, ``runs.jsonl`` (see docs/run_record.md)."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.runs.recorder import Recorder
from pyimagesearch.utils import terminal
from pyimagesearch.utils.cli import info, was_interrupted, wrote

Then = Callable[[Path], Iterable[Path]]
_running: list[Recorder] = []  # a script that calls another stands before it


def recorded(
    main: Callable[..., Any] | None = None,
    *,
    then: Then | None = None,
    new_folder: bool = True,
    uses_keras: bool = True,
) -> Callable[..., Any]:
    """Decorate a script's ``main(argv=None)``, which returns a dict: each call leaves a record of itself.

    The record begins once the config is loaded; a call that fails before leaves none. Whatever hinders its writing
    does not hinder the run. The options ``--quiet`` and ``--json`` of `cli.parser` take effect here as well.

    Args:
        main: returns its results, with "files" it wrote, and "inputs" it read.
        then: called with the record's folder once a successful run is recorded; returns files that it wrote. If it
            fails, a line says so, and the run was done all the same.
        new_folder: whether a successful run may create the folder of the record; otherwise it is recorded only where
            there is one already.
        uses_keras: whether it computes by Keras. If not, it is not asked for its devices, which it would occupy.
    """
    if main is None:
        return functools.partial(recorded, then=then, new_folder=new_folder, uses_keras=uses_keras)

    @functools.wraps(main)
    def run(argv: Iterable[str] | None = None) -> Any:
        arguments = sys.argv[1:] if argv is None else list(argv)
        recorder = Recorder(_name(main), arguments, new_folder, uses_keras)
        _running.append(recorder)
        try:
            with terminal.scope() as scope:
                result = main(arguments)
                recorder.end("done", result=result)
                if then and recorder.recorded:
                    _follow(then, recorder.folder)
                scope.print_json(result)
                return result
        except KeyboardInterrupt:
            recorder.end("stopped")
            raise
        except BaseException as error:
            words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            recorder.end("stopped" if was_interrupted() else "failed", words)
            raise
        finally:
            _running.remove(recorder)

    return run


def note_config(module: ModuleType) -> None:
    """Begin the record of the script that runs, in the ``OUTPUT_PATH`` of its config; nothing if there is none."""
    folder = getattr(module, "OUTPUT_PATH", None)
    if folder is not None and _running:
        settings = {name: value for name, value in vars(module).items() if name.isupper() and name[0] != "_"}
        _running[-1].begin(Path(folder), {"module": module.__name__, "settings": settings}, settings.get("SEED"))


def note_folder(folder: Path, seed: int | None = None) -> None:
    """Begin the record of a script without a config: in ``folder``, or in that of the script that called it."""
    if _running:
        *callers, recorder = _running
        caller = next((each for each in callers if each.has_begun), None)
        recorder.new_folder = caller.new_folder if caller else recorder.new_folder
        recorder.begin(caller.folder if caller else folder, None, seed)


def note_stop() -> None:
    """End all records before the program ends at once, without a return to the scripts."""
    for recorder in reversed(_running):
        recorder.end("stopped")


def _name(main: Callable[..., Any]) -> str:
    """Return the dotted name of a function's module, also of one that runs as ``__main__``."""
    file = Path(inspect.getfile(main)).resolve()
    packages: list[str] = []
    for folder in file.parents:
        if not (folder / "__init__.py").exists():
            break
        packages.insert(0, folder.name)
    return ".".join([*packages, file.stem])


def _follow(then: Then, folder: Path) -> None:
    try:
        wrote(*then(folder))
    except Exception as error:  # the run itself was done, whatever comes after it
        words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        info(f"not written after the run: {' '.join(words.split())}")
