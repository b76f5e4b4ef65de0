"""The options of scripts that train: how a training may be followed while it runs."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from pyimagesearch.errors import UserError

DEFAULT_PORT = 8765


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--watch`` and ``--tensorboard`` to a script's options."""
    parser.add_argument(
        "--watch", nargs="?", type=port, const=DEFAULT_PORT, metavar="PORT",
        help=f"show the training live on a page of this machine, http://127.0.0.1:{DEFAULT_PORT}/; port 0 is any free",
    )  # fmt: skip
    parser.add_argument("--tensorboard", metavar="DIR", help="write the curves for TensorBoard into this folder")


def port(text: str) -> int:
    """Convert an option's text to the number of a port, for ``type=``."""
    number = int(text)
    if not 0 <= number < 2**16:
        raise argparse.ArgumentTypeError(f"must be a port, 0 to 65535; received {text}")
    return number


def check_tensorboard(folder: str | None) -> None:
    """Check that Keras can write for TensorBoard into ``folder``, if it is to; on every backend TensorFlow does it.

    Raises:
        UserError: a package is missing, or there can be no such folder.
    """
    if folder is None:
        return
    missing = [name for name in ("tensorflow", "tensorboard") if find_spec(name) is None]
    if missing:
        names = " ".join(missing)
        raise UserError(
            f"--tensorboard: needs packages that are not installed: {names}; pip install {names}, "
            "or use --watch, which needs none"
        )
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"--tensorboard: must be a folder to write into; received {folder} ({error.strerror}); name another one"
        ) from error
