"""Write a folder of drawn cats and dogs, on several processes."""

import itertools
import multiprocessing
import re
import shutil
import tempfile
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from pyimagesearch.errors import UserError
from pyimagesearch.utils.parallel import ctrl_c_held_back
from pyimagesearch.utils.progress import progress

_NAME = re.compile(r"(cat|dog|neither)\.\d+\.jpg")


def draw_sample(
    output: Path, images: int = 4000, seed: int = 42, jobs: int = 1, overwrite: bool = False, neither: bool = False
) -> None:
    """Write ``images`` JPEG files into a new folder, half of them cats, named as Kaggle names its photographs.

    The bytes of a file depend on ``seed`` and its name alone. The folder gets its name once it is complete.

    Args:
        output: the folder.
        images: an even number of at least 2; with ``neither``, a multiple of 3.
        seed: at least 0.
        jobs: processes.
        overwrite: whether to replace an older folder of drawn images.
        neither: whether to draw a third class, scenery without an animal, as often.

    Raises:
        UserError: an argument is out of range, or something else would be lost.
    """
    classes = 3 if neither else 2
    if images < classes or images % classes:
        raise UserError(
            f"images: must be a multiple of {classes}, as many of each class; received {images}; "
            f"pass for example images={2000 * classes}"
        )
    if seed < 0:
        raise UserError(f"seed: must be at least 0; received {seed}; pass for example seed=42")
    _check_folder(output, overwrite)
    unfinished = output.with_name(output.name + ".partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    _draw_all(unfinished, images, classes, seed, jobs)
    _replace(output, unfinished)


def _check_folder(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not overwrite:
        raise UserError(
            f"output: must not exist yet; received {folder}, which does; "
            "pass another folder, or overwrite=True to replace it"
        )
    if not folder.is_dir() or not all(_NAME.fullmatch(file.name) for file in folder.iterdir()):
        raise UserError(
            f"output: overwrite=True replaces only a folder of drawn images; received {folder}, "
            "which is or holds something else; pass another folder"
        )


def _draw_all(folder: Path, images: int, classes: int, seed: int, jobs: int) -> None:
    import cv2

    keys = itertools.product(range(classes), range(images // classes))
    # Spawned, not forked: a fork copies the locks of whatever threads the caller has running.
    with ProcessPoolExecutor(min(jobs, images), multiprocessing.get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        with ctrl_c_held_back():
            drawn = pool.map(partial(_draw, folder, seed), keys, chunksize=16)
        deque(progress(drawn, total=images, label="Drawing"), maxlen=0)


def _draw(folder: Path, seed: int, key: tuple[int, int]) -> None:
    """Write one file; ``key`` is its label, from 0 to 2, and its index within its class."""
    import cv2
    import numpy as np

    from pyimagesearch.samples.animals import LABELS, paint, scenery

    label, index = key
    rng, name = np.random.default_rng([seed, label, index]), (*LABELS, "neither")[label]
    image = paint(name, rng) if name in LABELS else scenery((200, 240), 140, rng)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    (folder / f"{name}.{index}.jpg").write_bytes(data.tobytes())


def _replace(old: Path, new: Path) -> None:
    """Rename ``new`` to ``old``, whose former content goes only once it is replaced."""
    if not old.exists():
        new.rename(old)
        return
    retired = Path(tempfile.mkdtemp(prefix=f"{old.name}.old.", dir=old.parent))
    old.rename(retired / old.name)
    new.rename(old)
    shutil.rmtree(retired)
