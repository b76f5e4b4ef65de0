"""Folders of images behind URLs: object stores, web servers, whatever fsspec opens.

Credentials and endpoints come from where each storage's own tools look for them (``AWS_ACCESS_KEY_ID``,
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
from pyimagesearch.io.images.retrying import concerns_one_file, reason
from pyimagesearch.utils.text import without_credentials

_READERS_PER_PROCESSOR = 8


_Result = TypeVar("_Result")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is a URL; one letter before the ``://`` would be a drive."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", os.fspath(path)) is not None


class _Connection(NamedTuple):
    process: int
    store: Store
    readers: ThreadPoolExecutor


class RemoteFolder:
    """A folder behind a URL, which stands where a `pathlib.Path` stands for a folder of this machine.

    ``folder / name`` is a `RemoteFile`. It can be pickled, and opens its connections anew in every process; copies take
    along the credentials that are in the URL, but its text is without them.

    Args:
        url: ``s3://BUCKET/FOLDER``, ``gs://BUCKET/FOLDER``, ``https://HOST/FOLDER``, ``memory://FOLDER`` or another
            that fsspec opens. On the web, names in it are encoded (``%20``), and the server must list its folders.
        too_large: sizes in bytes of the files that are refused.

    Raises:
        UserError: the URL is not that of a folder.
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
        """Whether it is on a web server, which may not list its folders."""
        return self._is_web

    def names(self) -> list[str]:
        """Return the names of all files below, relative to the folder, in any order.

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
        """Return the content of a file, by one request if all goes well.

        Raises:
            OSError: the file cannot be read; its ``strerror`` says why.
            StorageError: no file can.
        """
        if name in self._too_large:
            raise OSError(errno.EFBIG, f"it has {self._too_large[name]:,} bytes, more than {MAX_BYTES:,}")
        return self._ask(lambda store: store.read(name))

    def map(self, function: Callable[[Any], _Result], items: Sequence[Any]) -> Iterator[_Result]:
        """Yield ``function(item)`` in order, called for many items at once, as each waits for the storage."""
        return self._connection().readers.map(function, items)

    def _ask(self, question: Callable[[Store], _Result]) -> _Result:
        try:
            return question(self._connection().store)
        except UserError:
            raise
        except Exception as error:  # each storage has errors of its own
            if concerns_one_file(error):
                raise OSError(getattr(error, "errno", None) or errno.EIO, reason(error)) from error
            raise StorageError(
                f"dataset: {self} cannot be used: {reason(error)}; check the URL, the network and your credentials, "
                "and try again; --resume goes on with what was begun"
            ) from error

    def _connection(self) -> "_Connection":
        with self._lock:
            if self._connected is None or self._connected.process != os.getpid():  # neither part survives a fork
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
        """The last part of its name, without the suffix."""
        return PurePosixPath(self.name).stem

    def read(self) -> bytes:
        """Return its content, as `RemoteFolder.read` does."""
        return self.parent.read(self.name)


def reading_threads(folder: str | os.PathLike[str], threads: int) -> int:
    """Return how many threads keep ``threads`` processors busy with a folder's images: more if each is waited for."""
    if not is_remote(folder):
        return threads
    return max(threads, min(MOST_READERS, _READERS_PER_PROCESSOR * threads))


def check_shared(folder: str | os.PathLike[str]) -> None:
    """Raise a `UserError` if other processes cannot read a folder because it lies in the memory of this one."""
    if os.fspath(folder).lower().startswith("memory://"):
        raise UserError(
            f"--cluster: its processes must be able to read the images; received {os.fspath(folder)}, which only this "
            "process can; leave out --cluster, or copy the images to a folder or a store"
        )


def _check_web_url(url: str, shown: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:  # its parts may be those of a password
        host, shown = None, f"{url.partition(':')[0]}://..."
    if not host:
        raise UserError(f"dataset: must be a URL with a host, as https://host/folder; received {shown}; mend it")
    if parts.query or parts.fragment:
        raise UserError(
            f"dataset: must be the URL of a folder, without ? and # and what follows; received {shown} with them; "
            "write %3F and %23 if they belong to a name"
        )
