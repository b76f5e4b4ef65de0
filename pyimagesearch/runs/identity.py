"""Marks by which the files of a run can be told from others of the same name."""

import hashlib
import os
from pathlib import Path
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.io.remote.remotefolder import is_remote
from pyimagesearch.utils.digest import file_fingerprint
from pyimagesearch.utils.urls import without_credentials

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MOST_BYTES = 2**32  # some seconds of reading


def identify(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return ``{"path", "bytes", "identity"}`` of a file; a folder, a URL, or what is gone, has only a path.

    A URL is named without what may be secret in it.

    The identity is 16 hexadecimal digits of a SHA-256: of this package's data sets over the checksums of all rows and
    of their description, which are quick to read; of other files over their bytes; None above 4 GiB.
    """
    if is_remote(path):
        return {"path": without_credentials(os.fspath(path)), "bytes": None, "identity": None}
    path = Path(path)
    try:
        if not path.is_file():
            return {"path": str(path), "bytes": None, "identity": None}
        return {"path": str(path), "bytes": path.stat().st_size, "identity": _identity(path)}
    except OSError:
        return {"path": str(path), "bytes": None, "identity": None}


def _identity(path: Path) -> str | None:
    with open(path, "rb") as file:
        is_hdf5 = file.read(len(_HDF5)) == _HDF5
    known = _identity_of_data_set(path) if is_hdf5 else None
    return known or (file_fingerprint(path) if path.stat().st_size <= _MOST_BYTES else None)


def _identity_of_data_set(path: Path) -> str | None:
    from pyimagesearch.io.fileformat import FORMAT, open_file
    from pyimagesearch.io.shards.table import is_united
    from pyimagesearch.io.untrusted import damage_reported, open_dataset, read_text

    try:
        with open_file(path) as file, damage_reported(path):
            united = is_united(file)
            checksums = open_dataset(file, "shards" if united else "checksums")
            if read_text(file, "format") != FORMAT or checksums is None:
                return None
            digest = hashlib.sha256(checksums[:].tobytes() if united else checksums[:].astype("<u4").tobytes())
            digest.update(int(file.attrs["checksum"]).to_bytes(4, "little"))
            return digest.hexdigest()[:16]
    except UserError:
        return None
