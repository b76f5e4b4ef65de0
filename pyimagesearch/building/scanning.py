"""Looks at every image of a folder once: which cannot be read, and what tells each from others.

An image may even end the process that decodes it. Here that ends the program; on a cluster the scheduler tries again
elsewhere, and then `scan_carefully` finds the image, in a process that may be ended.
"""

import contextlib
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from pyimagesearch.building.duplicates import Fingerprint, fingerprint
from pyimagesearch.cluster.tasks import Cluster, Work
from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError, decode_image, read_file
from pyimagesearch.io.images.folder import ImageFolder
from pyimagesearch.io.images.remotefolder import check_shared, reading_threads
from pyimagesearch.utils.parallel import keep_opencv_to_one_thread, map_ahead
from pyimagesearch.utils.text import named

_MOST_IMAGES, _PIECES_PER_WORKER = 2048, 4  # in a piece


_AHEAD_PER_THREAD = 32


_REPORTED_AT_ONCE = 16


_NAMED_IN_ERROR = 10


_SERVE = "from pyimagesearch.building.scanning import serve; serve()"


class Piece(NamedTuple):
    """Images that one task looks at.

    Attributes:
        start: the row of the first.
        images: these images alone.
    """

    start: int
    images: ImageFolder


def scan(
    images: ImageFolder, cluster: Cluster, label: str, decoding: Decoding, resize: Any = None
) -> tuple[dict[int, Fingerprint], dict[int, str]]:
    """Decode every image once.

    Args:
        cluster: what does it.
        label: what the progress bar says.
        resize: a preprocessor for what fingerprints are taken of, as `pack` has one; whole images if None.

    Returns:
        The fingerprint of each image, by its row, and why it cannot be read for each one that cannot; both in order.
    """
    total = len(images.paths)
    images = reachable(images, cluster)
    size = min(_MOST_IMAGES, -(-total // (_PIECES_PER_WORKER * cluster.workers)))
    pieces = [Piece(start, _part(images, start, start + size)) for start in range(0, total, max(1, size))]
    found: list[Fingerprint | str] = [""] * total
    for piece, looks in cluster.run(
        partial(look_at, decoding, resize), pieces, label=label, total=total,
        weight=lambda piece: len(piece.images.paths), rescue=partial(scan_carefully, decoding, resize),
    ):  # fmt: skip
        found[piece.start : piece.start + len(looks)] = looks
    prints = {row: each for row, each in enumerate(found) if isinstance(each, Fingerprint)}
    return prints, {row: each for row, each in enumerate(found) if isinstance(each, str)}


def reachable(images: ImageFolder, cluster: Cluster) -> ImageFolder:
    """Return images under names that the tasks of a cluster can use, wherever they run."""
    here = cluster.elsewhere and isinstance(images.root, Path)
    return images._replace(root=Path(images.root).absolute()) if here else images


def check_reachable(
    images: ImageFolder, cluster: Cluster, folders: Iterable[Path], reads: Iterable[str | Path] = ()
) -> None:
    """Raise a `UserError` unless the tasks of a cluster can read images and other files, and write into ``folders``."""
    if isinstance(images.root, Path):
        reads = [images.root, *reads]
    elif cluster.elsewhere:
        check_shared(images.root)
    cluster.check(reads, folders)


def _part(images: ImageFolder, start: int, stop: int) -> ImageFolder:
    return images._replace(paths=images.paths[start:stop], labels=images.labels[start:stop])


def _look(images: ImageFolder, path: str, decoding: Decoding, resize: Any) -> Fingerprint | str:
    """Return an image's fingerprint, or why it cannot be read."""
    try:
        data = read_file(images.root / path)
        image = decode_image(data, images.root / path, decoding)
        return fingerprint(data, resize.preprocess(image) if resize else image)
    except UnreadableImageError as error:
        return error.reason


def look_at(decoding: Decoding, resize: Any, piece: Piece, work: Work) -> list[Fingerprint | str]:
    """Return for each image of a piece its fingerprint, or why it cannot be read."""
    keep_opencv_to_one_thread()
    images = piece.images
    threads = reading_threads(images.root, work.threads)
    look = partial(_look, images, decoding=decoding, resize=resize)
    found = []
    for each in map_ahead(look, images.paths, threads, threads * _AHEAD_PER_THREAD):
        found.append(each)
        if len(found) % _REPORTED_AT_ONCE == 0:
            work.report(len(found))
    return found


def scan_carefully(decoding: Decoding, resize: Any, piece: Piece, work: Work) -> list[Fingerprint | str]:
    """Do as `look_at` in processes that the images may end: what ends one cannot be read."""
    found: list[Fingerprint | str] = []
    while len(found) < len(piece.images.paths):
        rest = _part(piece.images, len(found), len(piece.images.paths))
        command = [sys.executable, "-c", _SERVE]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(pickle.dumps((rest, decoding, resize)))
                    process.stdin.close()
                for each in _answers(process.stdout):
                    if isinstance(each, UserError):
                        raise each
                    found.append(each)
                    work.report(len(found))
            except BaseException:
                process.kill()
                raise
        if len(found) < len(piece.images.paths):
            found.append(f"decoding it ends the process ({_in_words(process.returncode)})")
    return found


def _answers(stream: IO[bytes]) -> Iterator[Any]:
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(stream)


def _in_words(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def serve() -> None:
    """Look at the images that come pickled on standard input, and write for each what was found, pickled."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # where memory runs out, the kernel is to end this process, and not the worker
    images, decoding, resize = pickle.load(sys.stdin.buffer)
    for path in images.paths:
        try:
            answer: Any = _look(images, path, decoding, resize)
        except UserError as error:  # a storage that does not answer
            answer = error
        sys.stdout.buffer.write(pickle.dumps(answer))
        sys.stdout.buffer.flush()


def unreadable_error(images: ImageFolder, bad: dict[int, str]) -> UserError:
    """Return the error that names images, by their rows, and why they cannot be read."""
    reasons = [f"{images.paths[row]} ({reason})" for row, reason in bad.items()]
    return UserError(
        f"dataset: {len(bad):,} of {len(images.paths):,} images in {images.root} cannot be read: "
        f"{named(reasons, _NAMED_IN_ERROR, '; ')}; mend or remove them, or leave them out with "
        "--on-error skip"
    )
