"""Patience with a storage that does not answer at once."""

import errno
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from pyimagesearch.utils.text import without_credentials

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before each further try; 503 means that everybody asks too often."""


_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


_LASTING_NUMBERS = {errno.EINVAL, errno.ENAMETOOLONG, errno.ENOSYS, errno.EFBIG, errno.ELOOP, errno.ENOTDIR}


_NO_ANSWER = {
    "ConnectionError",
    "TimeoutError",
    "HTTPClientError",
    "ClientConnectionError",
}  # Python, botocore, aiohttp


_BUSY = errno.EBUSY  # so s3fs calls 503


_random = random.SystemRandom()  # the seeds of a run are left alone


_Answer = TypeVar("_Answer")


def patiently(ask: Callable[[], _Answer], pauses: Sequence[float] = PAUSES) -> _Answer:
    """Return what ``ask()`` returns; after an error that may pass it is called again, each time after a pause."""
    for pause in pauses:
        try:
            return ask()
        except Exception as error:  # each storage has errors of its own
            if not _may_pass(error):
                raise
            time.sleep(pause * _random.uniform(0.5, 1))
    return ask()


def _may_pass(error: Exception) -> bool:
    lasts = isinstance(error, _LASTING) or getattr(error, "errno", None) in _LASTING_NUMBERS
    return not lasts and (isinstance(error, OSError) or _is_without_answer(error))


def _is_without_answer(error: Exception) -> bool:
    return any(kind.__name__ in _NO_ANSWER for kind in type(error).__mro__)


def concerns_one_file(error: Exception) -> bool:
    """Return whether another file of the same storage may be read all the same."""
    return isinstance(error, OSError) and error.errno != _BUSY and not _is_without_answer(error)


def reason(error: Exception) -> str:
    """Return in a few words what an error of a storage says."""
    known = {
        FileNotFoundError: "it is not there",
        PermissionError: "access is denied",
        TimeoutError: "there is no answer in time",
    }
    words = getattr(error, "strerror", None) or str(error)
    words = without_credentials(" ".join(words.split()))[:300].rstrip(".")
    for kind, meaning in known.items():
        if isinstance(error, kind):
            return meaning if kind is FileNotFoundError or not words else f"{meaning} ({words})"
    return words if isinstance(error, OSError) and words else f"{type(error).__name__}{': ' * bool(words)}{words}"
