"""Draw a small data set of cats and dogs, named as Kaggle names its photographs."""

import time
from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table


@script(
    step="draw",
    config=None,
    folder="output",
    new_folder=False,
    uses_keras=False,
    options=[
        options.OUTPUT.but(type=Path, default=Path("output/sample/train"), help="new folder"),
        Option("--images", type=int, default=4000, help="number of images, half cats, half dogs"),
        Option("--neither", action="store_true", help="a third cats, a third dogs, a third scenery without them"),
        Option("--seed", type=int, default=42, help="the same seed draws the same images"),
        options.JOBS.but(help="processes; one for each processor if not given"),
        options.FORCE.but(help="replace the output folder if it exists"),
    ],
)
def main(args):
    from pyimagesearch.samples.drawing import draw_sample
    from pyimagesearch.utils.parallel import cpu_count

    start, jobs = time.monotonic(), args.jobs or cpu_count()
    info(f"drawing {args.images:,} cats and dogs on {jobs} processes...")
    draw_sample(args.output, args.images, args.seed, jobs, args.force, args.neither)

    seconds = time.monotonic() - start
    info(f"wrote {args.images:,} images to {args.output} in {seconds:.1f} s")
    table(("drawn", "images", "seconds"), (str(args.output), f"{args.images:,}", f"{seconds:.1f}"))
    return {
        "images": args.images, "folder": str(args.output), "seed": args.seed, "seconds": round(seconds, 3),
        "images_per_second": round(args.images / seconds, 1), "files": [args.output],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main.run())
