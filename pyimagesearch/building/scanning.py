"""Decode every image of a folder once, to find unreadable ones and to fingerprint the others.

A malformed image may even crash the process that decodes it. In this process that ends the program; on a cluster the
scheduler retries elsewhere, and then `scan_carefully` finds the image in a process that may crash.
"""

import contextlib
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from pyimagesearch.building.duplicates import Fingerprint, fingerprint
from pyimagesearch.cluster.tasks import Cluster, Work
from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image, read_file
from pyimagesearch.io.images.folder import ImageFolder
from pyimagesearch.io.images.remotefolder import check_shared, reading_threads
from pyimagesearch.utils.parallel import OneOpenCVThread, map_ahead
from pyimagesearch.utils.text import named

_MOST_IMAGES, _TASKS_PER_WORKER = 2048, 4
_AHEAD_PER_THREAD = 32
_REPORTED_AT_ONCE = 16
_NAMED_IN_ERROR = 10
_SERVE = "from pyimagesearch.building.scanning import serve; serve()"

Found = Fingerprint | str
"""The fingerprint of an image, or the reason why it is unreadable."""


@dataclass(frozen=True)
class Scan:
    """Results of a scan, by the index of each image and in order.

    Attributes:
        fingerprints: those of the readable images.
        unreadable: why each other image cannot be read.
    """

    fingerprints: dict[int, Fingerprint]
    unreadable: dict[int, str]


def scan(images: ImageFolder, cluster: Cluster, label: str, decoding: Decoding, resize: Any = None) -> Scan:
    """Decode every image once.

    Args:
        cluster: runs the tasks.
        label: title of the progress bar.
        decoding: rules for the images.
        resize: the preprocessor of the build, to take fingerprints after it; of whole images if None.
    """
    total = len(images.paths)
    images = reachable(images, cluster)
    size = max(1, min(_MOST_IMAGES, -(-total // (_TASKS_PER_WORKER * cluster.workers))))
    blocks = [_Block(start, _slice(images, start, start + size)) for start in range(0, total, size)]
    found: list[Found] = [""] * total
    for block, results in cluster.run(
        partial(_scan_block, decoding, resize), blocks, label=label, total=total,
        weight=lambda block: len(block.images.paths), rescue=partial(_rescue_block, decoding, resize),
    ):  # fmt: skip
        found[block.start : block.start + len(results)] = results
    return Scan(
        {index: each for index, each in enumerate(found) if isinstance(each, Fingerprint)},
        {index: each for index, each in enumerate(found) if isinstance(each, str)},
    )


@dataclass(frozen=True, eq=False)
class _Block:
    start: int
    images: ImageFolder


def _slice(images: ImageFolder, start: int, stop: int | None = None) -> ImageFolder:
    return images._replace(paths=images.paths[start:stop], labels=images.labels[start:stop])


def _scan_block(decoding: Decoding, resize: Any, block: _Block, work: Work) -> list[Found]:
    threads = reading_threads(block.images.root, work.threads)
    scan_image = partial(_scan_image, block.images, decoding=decoding, resize=resize)
    found = []
    with OneOpenCVThread():
        for each in map_ahead(scan_image, block.images.paths, threads, threads * _AHEAD_PER_THREAD):
            found.append(each)
            if len(found) % _REPORTED_AT_ONCE == 0:
                work.report(len(found))
    return found


def _scan_image(images: ImageFolder, path: str, decoding: Decoding, resize: Any) -> Found:
    try:
        data = read_file(images.root / path)
        image = decode_image(data, images.root / path, decoding)
        return fingerprint(data, resize.preprocess(image) if resize else image)
    except UnreadableImageError as error:
        return error.reason


def _rescue_block(decoding: Decoding, resize: Any, block: _Block, work: Work) -> list[Found]:
    return scan_carefully(block.images, decoding, resize, work)


def scan_carefully(images: ImageFolder, decoding: Decoding, resize: Any, work: Work) -> list[Found]:
    """Scan images one by one in a process that they may crash; the one that crashes it is unreadable."""
    found: list[Found] = []
    while len(found) < len(images.paths):
        command = [sys.executable, "-c", _SERVE]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(pickle.dumps((_slice(images, len(found)), decoding, resize)))
                    process.stdin.close()
                for each in _answers(process.stdout):
                    if isinstance(each, UserError):
                        raise each
                    found.append(each)
                    work.report(len(found))
            except BaseException:
                process.kill()
                raise
        if len(found) < len(images.paths):
            found.append(f"decoding it crashes the process ({_in_words(process.returncode)})")
    return found


def find_culprit(images: ImageFolder, decoding: Decoding, resize: Any, work: Work) -> None:
    """Find the image whose decoding crashes the process.

    Raises:
        UnreadableImageError: it was found, or another image cannot be read.
    """
    for path, found in zip(images.paths, scan_carefully(images, decoding, resize, work), strict=True):
        if isinstance(found, str):
            raise UnreadableImageError(images.root / path, found)


def _answers(stream: IO[bytes]) -> Iterator[Any]:
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(stream)


def _in_words(code: int) -> str:
    """Name the signal that ended a process; Windows has exit codes only, and not every number has a name."""
    with contextlib.suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"


def serve() -> None:
    """Scan the images that arrive pickled on standard input, and write each result, pickled, to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # where memory runs out, Linux is to end this process instead of the worker
    images, decoding, resize = pickle.load(sys.stdin.buffer)
    for path in images.paths:
        try:
            answer: Any = _scan_image(images, path, decoding, resize)
        except UserError as error:  # a storage that does not answer
            answer = error
        sys.stdout.buffer.write(pickle.dumps(answer))
        sys.stdout.buffer.flush()


def reachable(images: ImageFolder, cluster: Cluster) -> ImageFolder:
    """Return what the tasks of a cluster need of images, under a path that is right in any working directory."""
    here = cluster.elsewhere and isinstance(images.root, Path)
    root = Path(images.root).absolute() if here else images.root
    return ImageFolder(root, images.paths, images.labels, images.label_names)


def check_reachable(
    images: ImageFolder, cluster: Cluster, folders: Iterable[Path] = (), reads: Iterable[str | Path] = ()
) -> None:
    """Raise a `UserError` unless the tasks of a cluster can read ``images`` and ``reads`` and write to ``folders``."""
    if isinstance(images.root, Path):
        reads = [images.root, *reads]
    elif cluster.elsewhere:
        check_shared(images.root)
    cluster.check(reads, folders)


def unreadable_error(images: ImageFolder, unreadable: dict[int, str]) -> UserError:
    """Return the error that names unreadable images and their reasons, by the index of each."""
    reasons = [f"{images.paths[index]} ({reason})" for index, reason in unreadable.items()]
    return UserError(
        f"dataset: {len(unreadable):,} of {len(images.paths):,} images in {images.root} cannot be read: "
        f"{named(reasons, _NAMED_IN_ERROR, '; ')}; repair or remove them, or leave them out with "
        'on_error="skip"'
    )
