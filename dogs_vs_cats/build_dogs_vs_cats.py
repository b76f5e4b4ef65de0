"""Step 1: pack a folder of labelled images into train.hdf5, val.hdf5 and test.hdf5, with their means."""

import sys
from contextlib import ExitStack
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.utils import cli


def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-d", "--dataset", help="folder of images; the config's IMAGES_PATH if not given")
    parser.add_argument("-o", "--output", help="folder for the files; the config's if not given")
    parser.add_argument(
        "-s", "--buffer-size", type=cli.positive_int, default=1000, help="rows written at once"
    )
    parser.add_argument(
        "-j", "--jobs", type=cli.positive_int, help="decoding threads; all processors if not given"
    )
    parser.add_argument(
        "--on-error", choices=["fail", "skip"], default="fail", help="what an unreadable image means"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace existing files, once the new ones are complete"
    )
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)

    import numpy as np

    from pyimagesearch.io import HDF5DatasetWriter, imagefolder
    from pyimagesearch.io.atomic import check_output, write_json
    from pyimagesearch.io.packing import find_unreadable, pack
    from pyimagesearch.preprocessing import AspectAwarePreprocessor
    from pyimagesearch.utils.parallel import cpu_count

    def output(path: str) -> Path:
        return check_output(Path(args.output) / Path(path).name if args.output else path, args.force)

    sets = {"train": config.TRAIN_HDF5, "val": config.VAL_HDF5, "test": config.TEST_HDF5}
    sets = {name: output(path) for name, path in sets.items()}
    means_path = output(config.DATASET_MEAN)
    report_path = means_path.with_name("build.json")
    threads, size = args.jobs or cpu_count(), config.STORED_SIZE

    cli.info("listing images...")
    images = imagefolder.list_image_folder(args.dataset or config.IMAGES_PATH, config.LABEL_OF)
    skipped = {}
    if args.on_error == "skip":
        bad = find_unreadable(images, threads, "Checking images")
        skipped = {images.paths[row]: reason for row, reason in bad.items()}
        images = images.subset(np.setdiff1d(np.arange(len(images.paths)), list(bad)))
    imagefolder.check_classes(images)
    rows = imagefolder.split(images.labels, config.NUM_VAL_IMAGES, config.NUM_TEST_IMAGES, config.SEED)
    counts = imagefolder.count_by_class(images.labels, images.label_names)
    cli.info(f"{len(images.paths):,} images: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()))

    resize = AspectAwarePreprocessor(size, size)
    history = f"aspect-aware resize to {size}x{size}, INTER_AREA"
    build = imagefolder.fingerprint(images, rows, history)
    with ExitStack() as unfinished:
        writers, means = {}, {}
        for (name, path), chosen in zip(sets.items(), rows, strict=True):
            cli.info(f"building {path}...")
            writer = HDF5DatasetWriter(
                (len(chosen), size, size, 3), path, buf_size=args.buffer_size,
                overwrite=args.force, history=history, build=build,
            )  # fmt: skip
            writers[name] = writer
            unfinished.callback(writer.discard)
            writer.store_class_labels(images.label_names)
            means[name] = pack(images.subset(chosen), writer, resize, threads, f"Building {name}")
            writer.seal()
        for writer in writers.values():
            writer.close()

    b, g, r = means["train"]
    write_json(means_path, {"R": r, "G": g, "B": b})
    splits = {name: len(chosen) for name, chosen in zip(sets, rows, strict=True)}
    write_json(report_path, {"classes": counts, "splits": splits, "skipped": skipped, "build": build})
    if skipped:
        cli.info(f"left out {len(skipped):,} unreadable images; {report_path} lists them")
    cli.info(f"means of the training images: R {r:.2f}, G {g:.2f}, B {b:.2f}")
    files = [*sets.values(), means_path, report_path]
    cli.wrote(*files)
    return {"images": len(images.paths), "splits": splits, "files": files}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
