"""Runs scripts in children of a process that has imported their libraries already.

    python zygote.py MODULE...

imports the modules, prints "ready", and then obeys lines of JSON: ``script``, ``arguments``, ``folder`` to run
it in, ``said`` to take what it prints, and ``room`` for files, in bytes, or null. For each it prints the
child's process id and, once it has ended, its exit status as `os.waitpid` gives it. The child is a session of
its own, and runs the script as ``python -m`` does.
"""

import importlib
import json
import os
import resource
import runpy
import signal
import sys
import warnings


def become(script: str, arguments: list[str], folder: str, said: str, room: int | None) -> None:
    """Turn this process into one that runs a script."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.chdir(folder)
    for number, name in ((0, os.devnull), (1, f"{said}.out"), (2, f"{said}.err")):
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    if room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    sys.argv = [script, *arguments]
    sys.orig_argv = [sys.executable, "-m", script, *arguments]
    runpy.run_module(script, run_name="__main__", alter_sys=True)


def main() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)
    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)  # JAX warns of all forks; it has not begun yet
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            become(**json.loads(line))  # the end of this function, and of the child, is that of the script
            return
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
