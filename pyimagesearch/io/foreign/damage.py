"""Says that bytes are damaged, where HDF5 cannot make sense of them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pyimagesearch.errors import UserError


@contextmanager
def damage_named(file: str, what: str) -> Iterator[None]:
    """Turn what h5py raises over bytes that it cannot read into one clear error.

    Args:
        file: the file's path.
        what: what is read, as the beginning of "of the file cannot be read".

    Raises:
        UserError: bytes are damaged.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # a temporary file found no space
        raise UserError(
            f"data set: {what} of {file} cannot be read ({error}); bytes are damaged; copy or build the file again"
        ) from error
