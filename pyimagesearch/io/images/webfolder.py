"""Folders of a web server: listings, which are pages with links, and files."""

import errno
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

import aiohttp
import yarl
from fsspec.asyn import sync

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before each retry."""

_LISTING_THREADS = 16
_MOST_LEVELS = 32
_MOST_REDIRECTS = 5
_SECONDS = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)
_BUSY = (429, 503)
_PASSING = (errno.EBUSY, errno.EIO)  # with the errors of connections, those that a retry may cure
_random = random.SystemRandom()  # leaves the seeds of a run alone


class _Answer(NamedTuple):
    data: bytes
    kind: str
    url: str


class WebFolder:
    """Files below the URL of a web server, read with one request each; what may pass is retried after `PAUSES`.

    A few redirections are followed, but never from https to http; credentials stay with the host that they are for.

    Args:
        system: fsspec's file system for HTTP.
        url: of the folder; may hold a user and a password.
        max_bytes: size of the largest file that is accepted; refused before it is read if the server tells its size.
    """

    def __init__(self, system: Any, url: str, max_bytes: int) -> None:
        self._system, self._max_bytes = system, max_bytes
        self._root = str(yarl.URL(url.rstrip("/")))

    def names(self) -> Iterator[tuple[str, None]]:
        """Yield every file that the server's listings lead to, folder by folder.

        Only links to what lies directly in a folder count, so that no listing leads out of it.
        """
        level = [""]
        with ThreadPoolExecutor(_LISTING_THREADS) as pool:
            for _ in range(_MOST_LEVELS):
                listed, level = pool.map(self._list, level), []
                for folders, files in listed:
                    level += folders
                    yield from ((file, None) for file in files)
                if not level:
                    return
        raise OSError(
            errno.ELOOP,
            f"its folders are nested more than {_MOST_LEVELS} deep, as by a link that leads back: {level[0]}",
        )

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            OSError: the server does not deliver it.
        """
        return self._get(f"{self._root}/{_quoted(name)}").data

    def _list(self, folder: str) -> tuple[list[str], list[str]]:
        page = self._get(f"{self._root}/{_quoted(folder)}")
        if page.kind not in ("text/html", "application/xhtml+xml"):
            raise OSError(errno.ENOTDIR, f"the server does not list folders, but sends {page.kind or 'something'}")
        names = _names(page.data.decode("utf-8", "replace"), page.url)
        folders = [f"{folder}{name}" for name in names if name.endswith("/")]
        return folders, [f"{folder}{name}" for name in names if not name.endswith("/")]

    def _get(self, url: str) -> _Answer:
        return _retried(lambda: self._get_once(url))

    def _get_once(self, url: str) -> _Answer:
        try:
            return sync(self._system.loop, self._fetch, url)
        except aiohttp.ClientPayloadError as error:
            raise OSError(errno.EIO, "the answer broke off") from error
        except aiohttp.ClientConnectionError as error:
            raise ConnectionError(str(error)) from error
        except aiohttp.TooManyRedirects as error:
            raise OSError(errno.EINVAL, "it is redirected too often") from error
        except aiohttp.ClientError as error:
            raise OSError(errno.EINVAL, type(error).__name__) from error

    async def _fetch(self, url: str) -> _Answer:
        session = await self._system.set_session()
        given = self._system.kwargs  # the user's configuration of fsspec
        plain = {**given.get("headers", {}), "Accept-Encoding": "identity"}  # so that the size is that of the file
        options = {"timeout": _SECONDS, "max_redirects": _MOST_REDIRECTS} | given | {"headers": plain}
        async with session.get(yarl.URL(url, encoded=True), **options) as response:
            steps = (*response.history, response)
            if url.startswith("https:") and any(step.url.scheme != "https" for step in steps):
                raise OSError(errno.EINVAL, "it is redirected from https to http, where anybody may have changed it")
            _check_status(response.status, response.reason or "")
            self._check_size(response.content_length or 0)
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                self._check_size(len(data))
            return _Answer(bytes(data), response.content_type, str(response.url))

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise OSError(errno.EFBIG, f"it has more than {self._max_bytes:,} bytes")


def _retried(ask: Callable[[], _Answer]) -> _Answer:
    for pause in PAUSES:
        try:
            return ask()
        except OSError as error:
            if not isinstance(error, ConnectionError | TimeoutError) and error.errno not in _PASSING:
                raise
            time.sleep(pause * _random.uniform(0.5, 1))
    return ask()


def _check_status(status: int, words: str) -> None:
    answer = f"the server answers {status} {words}".rstrip()
    if status in _BUSY:
        raise OSError(errno.EBUSY, answer)
    if status in (404, 410):
        raise FileNotFoundError(errno.ENOENT, answer)
    if status in (401, 403, 407):
        raise PermissionError(errno.EACCES, answer)
    if status == 408:
        raise TimeoutError(errno.ETIMEDOUT, answer)
    if status >= 500:
        raise OSError(errno.EIO, answer)
    if status != 200:
        raise OSError(errno.EINVAL, answer)


def _names(page: str, url: str) -> list[str]:
    """Return the entries of a folder, once each, from its listing; names of folders end in ``/``."""
    parser = _Links()
    parser.feed(page)
    folder = urlsplit(url)
    here = folder._replace(path=f"{folder.path.rstrip('/')}/", query="", fragment="")
    names: dict[str, None] = {}
    for link in parser.links:
        try:
            target = urlsplit(urljoin(here.geturl(), link.strip()))
        except ValueError:  # not a URL
            continue
        if (target.scheme, target.netloc) != (folder.scheme, folder.netloc) or target.query or target.fragment:
            continue
        parent, _, last = target.path.removesuffix("/").rpartition("/")
        name = unquote(last, errors="surrogateescape")
        if f"{unquote(parent)}/" == unquote(here.path) and name not in ("", ".", "..") and not {"/", "\0"} & set(name):
            names[name + "/" * target.path.endswith("/")] = None
    return list(names)


def _quoted(name: str) -> str:
    return quote(name, errors="surrogateescape")


class _Links(HTMLParser):
    """Collect the targets of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the target of an ``a``."""
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]
