"""Folders of images behind URLs: object stores, web servers, and anything else that fsspec opens.

Credentials and endpoints come from where the storage's own tools find them (``AWS_ACCESS_KEY_ID``,
``AWS_ENDPOINT_URL``, ``~/.aws``; ``GOOGLE_APPLICATION_CREDENTIALS``; ``~/.netrc``), or from fsspec's configuration
(``FSSPEC_S3_ANON=true``).
"""

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from pyimagesearch.errors import StorageError, UserError
from pyimagesearch.io.images.remotestore import MAX_BYTES, MOST_READERS, Store, open_store
from pyimagesearch.utils.text import without_credentials

_READERS_PER_PROCESSOR = 8
_NO_ANSWER = {"ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError"}  # also botocore's

_Result = TypeVar("_Result")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is a URL; a single letter before ``://`` is a drive."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)) is not None


class _Connection(NamedTuple):
    process: int
    store: Store
    readers: ThreadPoolExecutor


class RemoteFolder:
    """A folder behind a URL, used like a `pathlib.Path` of this machine.

    ``folder / name`` is a `RemoteFile`. A folder can be pickled and opens its own connections in every process. Copies
    keep credentials that are in the URL; ``str`` leaves them out.

    Args:
        url: ``s3://BUCKET/FOLDER``, ``gs://BUCKET/FOLDER``, ``https://HOST/FOLDER``, ``memory://FOLDER`` or another
            that fsspec opens. A web URL is percent-encoded (``%20``), and its server must list folders.
        too_large: sizes in bytes of files that are refused, by name.

    Raises:
        UserError: the URL does not name a folder.
    """

    def __init__(self, url: str | os.PathLike[str], too_large: Mapping[str, int] | None = None) -> None:
        protocol, _, place = os.fspath(url).partition("://")
        self._url = f"{protocol}://{place.rstrip('/')}"
        self._shown = without_credentials(self._url)
        self._is_web = re.match("https?:", self._url, re.IGNORECASE) is not None
        if self._is_web:
            _check_web_url(self._url, self._shown)
            self._shown = unquote(self._shown)
        self._too_large = dict(too_large or {})
        self._lock = threading.Lock()
        self._connected: _Connection | None = None

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"RemoteFolder({self._shown!r})"

    def __fspath__(self) -> str:
        return self._shown

    def __truediv__(self, name: str) -> "RemoteFile":
        return RemoteFile(self, name)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self._url, self._too_large)

    @property
    def is_web(self) -> bool:
        """True if the folder is on a web server, which may not list it."""
        return self._is_web

    def names(self) -> list[str]:
        """Return the names of all files below the folder, relative to it, in any order.

        Raises:
            UserError: the folder is missing, or cannot be listed.
        """
        try:
            found = self._ask(lambda store: list(store.names()))
        except OSError as error:
            raise UserError(
                f"dataset: {self} cannot be listed: {error.strerror}; check the URL and your rights"
                f"{', or name the images in a CSV list beside them' * self._is_web}"
            ) from error
        self._too_large = {name: size for name, size in found if size and size > MAX_BYTES}
        return [name for name, _ in found]

    def read(self, name: str) -> bytes:
        """Read a file, with one request unless that fails.

        Raises:
            OSError: the file cannot be read; ``strerror`` says why.
            StorageError: no file of this storage can be read.
        """
        if name in self._too_large:
            raise OSError(errno.EFBIG, f"it has {self._too_large[name]:,} bytes, more than {MAX_BYTES:,}")
        return self._ask(lambda store: store.read(name))

    def map(self, function: Callable[[Any], _Result], items: Sequence[Any]) -> Iterator[_Result]:
        """Yield ``function(item)`` in order; many calls run concurrently, as each waits for the storage."""
        return self._connection().readers.map(function, items)

    def _ask(self, question: Callable[[Store], _Result]) -> _Result:
        try:
            return question(self._connection().store)
        except UserError:
            raise
        except Exception as error:  # each storage has errors of its own
            if _concerns_one_file(error):
                raise OSError(getattr(error, "errno", None) or errno.EIO, _reason(error)) from error
            raise StorageError(
                f"dataset: {self} cannot be used: {_reason(error)}; check the URL, the network and your credentials, "
                "then try again with resume=True"
            ) from error

    def _connection(self) -> "_Connection":
        with self._lock:
            if self._connected is None or self._connected.process != os.getpid():  # a fork loses both
                readers = ThreadPoolExecutor(MOST_READERS, thread_name_prefix="reader")
                self._connected = _Connection(os.getpid(), open_store(self._url), readers)
            return self._connected


class RemoteFile:
    """A file in a `RemoteFolder`.

    Attributes:
        parent: the folder.
        name: relative to it.
    """

    def __init__(self, parent: RemoteFolder, name: str) -> None:
        self.parent, self.name = parent, name

    def __str__(self) -> str:
        return f"{self.parent}/{self.name}"

    def __fspath__(self) -> str:
        return str(self)

    @property
    def stem(self) -> str:
        """The last component of its name, without the suffix."""
        return PurePosixPath(self.name).stem

    def read(self) -> bytes:
        """Read the file; see `RemoteFolder.read`."""
        return self.parent.read(self.name)


def reading_threads(folder: str | os.PathLike[str], threads: int) -> int:
    """Return how many threads keep ``threads`` processors busy with images of ``folder``; remote ones need more."""
    if not is_remote(folder):
        return threads
    return max(threads, min(MOST_READERS, _READERS_PER_PROCESSOR * threads))


def check_shared(folder: str | os.PathLike[str]) -> None:
    """Raise a `UserError` for a folder in the memory of this process, which other processes cannot read."""
    if os.fspath(folder).lower().startswith("memory://"):
        raise UserError(
            f"cluster: its workers must be able to read the images; received {os.fspath(folder)}, which only this "
            "process can read; work without a cluster, or copy the images to a folder or an object store"
        )


def _check_web_url(url: str, shown: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:  # its components may be those of a password
        host, shown = None, f"{url.partition(':')[0]}://..."
    if not host:
        raise UserError(f"dataset: must be a URL with a host, as https://host/folder; received {shown}; correct it")
    if parts.query or parts.fragment:
        raise UserError(
            f"dataset: must be the URL of a folder, without ? or # and anything after; received {shown} with one; "
            "write %3F and %23 if they belong to a name"
        )


def _concerns_one_file(error: Exception) -> bool:
    """Return whether other files of the storage may still be readable; s3fs calls "slow down" EBUSY."""
    return isinstance(error, OSError) and error.errno != errno.EBUSY and not _is_without_answer(error)


def _is_without_answer(error: Exception) -> bool:
    return any(kind.__name__ in _NO_ANSWER for kind in type(error).__mro__)


def _reason(error: Exception) -> str:
    """Say in a few words what an error of a storage means."""
    known = {
        FileNotFoundError: "it does not exist",
        PermissionError: "access is denied",
        TimeoutError: "there is no answer in time",
    }
    words = getattr(error, "strerror", None) or str(error)
    words = without_credentials(" ".join(words.split()))[:300].rstrip(".")
    for kind, meaning in known.items():
        if isinstance(error, kind):
            return meaning if kind is FileNotFoundError or not words else f"{meaning} ({words})"
    return words if isinstance(error, OSError) and words else f"{type(error).__name__}{': ' * bool(words)}{words}"
