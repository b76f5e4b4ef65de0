"""Draw a small data set of cats and dogs, named as Kaggle names its photographs.

$ python -m dogs_vs_cats.draw_sample --images 4000
"""

import argparse
import itertools
import multiprocessing
import re
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.errors import UserError
from pyimagesearch.runs.recording import note_folder, recorded
from pyimagesearch.utils import cli
from pyimagesearch.utils.parallel import cpu_count, ctrl_c_held_back
from pyimagesearch.utils.progress import progress

IMAGE_NAME = re.compile(r"(cat|dog)\.\d+\.jpg")


def draw(folder: Path, seed: int, key: tuple[int, int]) -> None:
    """Write one JPEG file; ``key`` is (0 for cats or 1 for dogs, number within its class).

    The bytes depend on ``seed`` and ``key`` alone, however many processes share the work.
    """
    import cv2
    import numpy as np

    from pyimagesearch.samples.animals import LABELS, paint

    label_index, number = key
    label = LABELS[label_index]
    image = paint(label, np.random.default_rng([seed, label_index, number]))
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    (folder / f"{label}.{number}.jpg").write_bytes(data)


def draw_all(folder: Path, images: int, seed: int, jobs: int) -> None:
    """Write ``images`` JPEG files into ``folder``, half of them cats, on ``jobs`` processes."""
    import cv2

    keys = itertools.product(range(2), range(images // 2))
    # Spawned, not forked: a fork copies the locks of whatever threads the caller has running.
    with ProcessPoolExecutor(min(jobs, images), multiprocessing.get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        with ctrl_c_held_back():
            drawn = pool.map(partial(draw, folder, seed), keys, chunksize=16)
        deque(progress(drawn, total=images, label="Drawing"), maxlen=0)


def check(args: argparse.Namespace) -> None:
    """Raise ``UserError`` where the options cannot be obeyed or would destroy other files."""
    if args.images < 2 or args.images % 2:
        raise UserError(
            f"--images: must be an even number of at least 2, half cats and half dogs; "
            f"received {args.images}; pass for example --images 4000"
        )
    if args.seed < 0:
        raise UserError(f"--seed: must be at least 0; received {args.seed}; pass for example 42")
    if not args.output.exists():
        return
    if not args.force:
        raise UserError(
            f"--output: must not exist yet; received {args.output}, which does; "
            f"pass another folder, or --force to replace it"
        )
    folder: Path = args.output
    if not folder.is_dir() or not all(IMAGE_NAME.fullmatch(file.name) for file in folder.iterdir()):
        raise UserError(
            f"--output: --force replaces only a folder of drawn images; received {args.output}, "
            f"which is or holds something else; pass another folder"
        )


def replace(old: Path, new: Path) -> None:
    """Rename ``new`` to ``old``, whose former content goes only once it is replaced."""
    if not old.exists():
        new.rename(old)
        return
    retired = Path(tempfile.mkdtemp(prefix=f"{old.name}.old.", dir=old.parent))
    old.rename(retired / old.name)
    new.rename(old)
    shutil.rmtree(retired)


@recorded(new_folder=False, uses_keras=False)
def main(argv: Sequence[str] | None = None) -> dict:
    """Draw the data set and return how many images, where, of which seed, and how fast."""
    parser = cli.parser(__doc__.splitlines()[0], default_config=None)
    option = parser.add_argument
    option("-o", "--output", type=Path, default=Path("output/sample/train"), help="new folder")
    option("-n", "--images", type=int, default=4000, help="number of images, half cats, half dogs")
    option("--seed", type=int, default=42, help="the same seed draws the same images")
    option("-j", "--jobs", type=cli.positive_int, default=cpu_count(), help="processes")
    option("--force", action="store_true", help="replace the output folder if it exists")
    args = parser.parse_args(argv)
    check(args)
    note_folder(Path("output"), args.seed)

    start = time.monotonic()
    partial_folder = args.output.with_name(args.output.name + ".partial")
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    cli.info(f"drawing {args.images:,} cats and dogs on {args.jobs} processes...")
    draw_all(partial_folder, args.images, args.seed, args.jobs)
    replace(args.output, partial_folder)
    seconds = time.monotonic() - start
    cli.info(f"wrote {args.images:,} images to {args.output} in {seconds:.1f} s")
    cli.table(("drawn", "images", "seconds"), (str(args.output), f"{args.images:,}", f"{seconds:.1f}"))
    return {
        "images": args.images, "folder": str(args.output), "seed": args.seed, "seconds": round(seconds, 3),
        "images_per_second": round(args.images / seconds, 1), "files": [args.output],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
