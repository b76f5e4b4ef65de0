"""Text that is either whole or not there, in a file as on the screen."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, TextIO

from pyimagesearch.utils.atomic import PathLike, replacing


@contextlib.contextmanager
def text_output(path: PathLike | None, screen: TextIO) -> Iterator[TextIO]:
    """Yield a file that becomes ``path``, or is copied to ``screen``, when the block ends without an exception.

    Args:
        path: the file to write, or None for ``screen``.
    """
    options: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    if path is None:
        with tempfile.TemporaryFile("w+", **options) as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, screen)
            screen.flush()
        return
    with replacing(path) as temporary, open(temporary, "w", **options) as file:
        yield file
