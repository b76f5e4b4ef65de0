"""Decode every image of a folder once: which are unreadable, and what is the fingerprint of each other one.

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
from pyimagesearch.utils.parallel import map_ahead
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
    found: list[Found] = [""] * total
    for block, results in cluster.run(
        partial(_scan_block, images, decoding, resize),
        [range(start, min(start + size, total)) for start in range(0, total, size)],
        label=label, total=total, weight=len, rescue=partial(_rescue_block, images, decoding, resize),
    ):  # fmt: skip
        found[block.start : block.stop] = results
    return Scan(
        {index: each for index, each in enumerate(found) if isinstance(each, Fingerprint)},
        {index: each for index, each in enumerate(found) if isinstance(each, str)},
    )
