"""The image files that a command line names: files, folders and patterns."""

import glob
import os
from collections.abc import Iterator, Sequence

from pyimagesearch.errors import UserError
from pyimagesearch.io.images.folder import EXTENSIONS, list_image_folder
from pyimagesearch.io.images.remotefolder import is_remote
from pyimagesearch.utils.text import without_credentials


def find_images(names: Sequence[str]) -> list[str]:
    """List image files in the order of the names, each once however often it is named.

    A file is taken whatever it is called; a folder gives the images in it and below it, sorted; a pattern with
    ``*``, ``?``, ``[...]`` or ``**`` gives the images and folders that it fits, sorted.

    Raises:
        UserError: a name leads to no image.
    """
    found: dict[str, str] = {}
    for name in names:
        for path in _images(name):
            folder, file = os.path.split(path)
            found.setdefault(os.path.join(os.path.realpath(folder), file), path)
    return list(found.values())


def _images(name: str) -> Iterator[str]:
    if os.path.isdir(name):
        for path in list_image_folder(name, lambda _: "unknown").paths:
            yield os.path.join(name, path)
        return
    if os.path.exists(name):
        yield name
        return
    if is_remote(name):
        raise UserError(
            f"image: must be a file, folder or pattern of this machine; received {without_credentials(name)}; copy its "
            "images here first"
        )
    if not glob.has_magic(name):
        raise UserError(f"image: {name} does not exist; check the path")
    matches = sorted(glob.glob(name, recursive=True))
    images = [match for match in matches if match.lower().endswith(EXTENSIONS) and not os.path.isdir(match)]
    folders = [match for match in matches if os.path.isdir(match)]
    if not images and not folders:
        raise UserError(f"image: {name} fits no images ({', '.join(EXTENSIONS)}) and no folders; check the pattern")
    yield from images
    for folder in folders:
        yield from _images(folder)
