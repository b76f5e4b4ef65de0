"""Opens storage by its URL through fsspec, and is patient with it."""

import errno
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from pyimagesearch.errors import UserError
from pyimagesearch.utils.urls import without_credentials

MAX_BYTES = 2**30
"""Larger files are refused before they are in memory."""

MOST_READERS = 64
"""Connections to one storage, and threads that wait for its answers."""

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before each further try; 503 means that everybody asks too often."""

_EXTRA = 'pip install "pyimagesearch[remote]"'
_PACKAGES = {"gs": "pip install gcsfs", "gcs": "pip install gcsfs"} | dict.fromkeys(("s3", "http", "https"), _EXTRA)
_PATIENT_THEMSELVES = {"gs", "gcs", "abfs", "abfss", "az"}  # their packages ask several times
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


class StorageError(UserError):
    """Storage does not answer, refuses its user, or is too busy: that is no fault of one image."""


class Store(Protocol):
    """Files below one URL, by names relative to it, with ``/`` between folders."""

    def names(self) -> Iterator[tuple[str, int | None]]:
        """Yield every file in any order, with its size in bytes if the listing tells."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file; errors are of any kind, as storages have their own."""
        ...


class _ObjectStore:
    """What is listed and read by fsspec alone."""

    def __init__(self, system: Any, root: str, pauses: Sequence[float]) -> None:
        self._system, self._root, self._pauses = system, root.rstrip("/"), pauses

    def names(self) -> Iterator[tuple[str, int | None]]:
        start = f"{self._root}/"
        for name, entry in patiently(lambda: self._system.find(self._root, detail=True), self._pauses).items():
            if name.startswith(start) and not name.endswith("/"):
                yield name.removeprefix(start), entry["size"]

    def read(self, name: str) -> bytes:
        return patiently(lambda: self._system.cat_file(f"{self._root}/{name}"), self._pauses)


def open_store(url: str) -> Store:
    """Open the storage that a URL names.

    Raises:
        UserError: nobody knows such URLs, or a package is missing.
    """
    protocol = url.partition("://")[0].lower()
    shown = without_credentials(url)
    try:
        import fsspec

        options = _options(protocol, fsspec.config.conf)
        system, root = fsspec.core.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False, **options)
        if protocol in ("http", "https"):
            from pyimagesearch.io.remote.webfolder import WebFolder

            return WebFolder(system, url, MAX_BYTES)
    except ImportError as error:
        command = _EXTRA if error.name == "fsspec" else _PACKAGES.get(protocol, "install it")
        raise UserError(f"dataset: {shown} needs a package that is not installed ({error}): {command}") from error
    except ValueError as error:
        raise UserError(
            f"dataset: must be a folder or a URL that fsspec opens, as s3://, gs://, https://; received {shown} "
            f"({without_credentials(str(error))}); check its spelling"
        ) from error
    logger = logging.getLogger(type(system).__module__.partition(".")[0])
    if not logger.handlers:  # its warnings would go to the screen, and errors say it all
        logger.addHandler(logging.NullHandler())
    return _ObjectStore(system, root, () if protocol in _PATIENT_THEMSELVES else PAUSES)


def _options(protocol: str, configured: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a file system, under what the user's configuration of fsspec says."""
    if protocol in ("http", "https"):
        given = {name: value for each in ("http", "https") for name, value in configured.get(each, {}).items()}
        return {"client_kwargs": {"trust_env": True} | given.get("client_kwargs", {})}  # proxies, and ~/.netrc
    if protocol in ("s3", "s3a"):
        given = configured.get("s3", {}).get("config_kwargs", {})
        few_tries = {"total_max_attempts": 1}  # s3fs asks again itself, and so does `patiently`
        return {
            "max_concurrency": 1,  # otherwise each file is asked for its size first
            "config_kwargs": {"max_pool_connections": MOST_READERS, "retries": few_tries} | given,
        }
    return {}


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
