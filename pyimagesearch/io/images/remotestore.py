"""Open remote storage by its URL, through fsspec."""

import logging
from collections.abc import Iterator
from typing import Any, Protocol

from pyimagesearch.errors import UserError
from pyimagesearch.utils.text import without_credentials

MAX_BYTES = 2**30
"""Largest file that is read into memory."""

MOST_READERS = 64
"""Most connections to one storage, and threads that wait for its answers."""

_EXTRA = 'pip install "pyimagesearch[remote]"'
_PACKAGES = {"gs": "pip install gcsfs", "gcs": "pip install gcsfs"} | dict.fromkeys(("s3", "http", "https"), _EXTRA)


class Store(Protocol):
    """Files below one URL, by names relative to it, with ``/`` between folders."""

    def names(self) -> Iterator[tuple[str, int | None]]:
        """Yield every file in any order, with its size in bytes, or None if the listing does not tell."""
        ...

    def read(self, name: str) -> bytes:
        """Read a file; errors are of any kind, as each storage has its own."""
        ...


class _FsspecStore:
    """Files that fsspec lists and reads; its packages retry by the rules of each storage."""

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root.rstrip("/")

    def names(self) -> Iterator[tuple[str, int | None]]:
        start = f"{self._root}/"
        for name, entry in self._system.find(self._root, detail=True).items():
            if name.startswith(start) and not name.endswith("/"):
                yield name.removeprefix(start), entry["size"]

    def read(self, name: str) -> bytes:
        return self._system.cat_file(f"{self._root}/{name}")


def open_store(url: str) -> Store:
    """Open the storage that a URL names.

    Raises:
        UserError: fsspec does not know such URLs, or a package is missing.
    """
    protocol = url.partition("://")[0].lower()
    shown = without_credentials(url)
    try:
        import fsspec

        options = _options(protocol, fsspec.config.conf)
        system, root = fsspec.core.url_to_fs(url, skip_instance_cache=True, use_listings_cache=False, **options)
        if protocol in ("http", "https"):
            from pyimagesearch.io.images.webfolder import WebFolder

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
    if not logger.handlers:  # its warnings would reach the screen; errors repeat what matters
        logger.addHandler(logging.NullHandler())
    return _FsspecStore(system, root)


def _options(protocol: str, configured: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a file system; the user's configuration of fsspec takes precedence."""
    if protocol in ("http", "https"):
        given = {name: value for each in ("http", "https") for name, value in configured.get(each, {}).items()}
        return {"client_kwargs": {"trust_env": True} | given.get("client_kwargs", {})}  # proxies, and ~/.netrc
    if protocol in ("s3", "s3a"):
        given = configured.get("s3", {}).get("config_kwargs", {})
        return {
            "max_concurrency": 1,  # a higher one asks for each file's size first
            "config_kwargs": {"max_pool_connections": MOST_READERS} | given,
        }
    return {}
