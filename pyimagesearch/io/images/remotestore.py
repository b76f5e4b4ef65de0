"""Opens storage by its URL through fsspec, and is patient with it."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.retrying import PAUSES, patiently
from pyimagesearch.utils.text import without_credentials

MAX_BYTES = 2**30
"""Larger files are refused before they are in memory."""


MOST_READERS = 64
"""Connections to one storage, and threads that wait for its answers."""


_EXTRA = 'pip install "pyimagesearch[remote]"'


_PACKAGES = {"gs": "pip install gcsfs", "gcs": "pip install gcsfs"} | dict.fromkeys(("s3", "http", "https"), _EXTRA)


_PATIENT_THEMSELVES = {"gs", "gcs", "abfs", "abfss", "az"}  # their packages ask several times


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
