"""Step 1: pack a folder of labelled images into train.hdf5, val.hdf5 and test.hdf5, with their means."""

import argparse
import sys
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.cluster import open_cluster, options
from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded(uses_keras=False)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "-d",
        "--dataset",
        help="folder of images, its URL, or CSV list of images and labels; the config's IMAGES_PATH if not given",
    )
    parser.add_argument("-o", "--output", help="folder for the files; the config's if not given")
    parser.add_argument(
        "-s",
        "--buffer-size",
        type=cli.positive_int,
        default=1000,
        help="rows between resume points",
    )
    parser.add_argument("-j", "--jobs", type=cli.positive_int, help="decoding threads; all processors if not given")
    options.add_shards(parser)
    options.add_cluster(parser)
    parser.add_argument("--encoding", choices=["raw", "jpeg"], default="raw", help="raw is fastest, jpeg smallest")
    parser.add_argument("--quality", type=cli.positive_int, default=90, help="of JPEG images that are encoded here")
    parser.add_argument(
        "--duplicates",
        choices=["report", "group", "ignore"],
        default="report",
        help="what to do about pictures that are there twice: report those in different splits, keep each in one "
        "split, or do not look for them",
    )
    parser.add_argument(
        "--group-duplicates",
        action="store_const",
        const="group",
        dest="duplicates",
        default=argparse.SUPPRESS,
        help="short for --duplicates group",
    )
    parser.add_argument("--on-error", choices=["fail", "skip"], default="fail", help="what an unreadable image means")
    parser.add_argument("--resume", action="store_true", help="go on with a build that was stopped")
    parser.add_argument("--force", action="store_true", help="replace existing files, once the new ones are complete")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    with open_cluster(args.cluster, args.jobs) as cluster:
        return build(args, config, cluster)


def build(args: argparse.Namespace, config: Any, cluster: Any) -> dict:
    """Build what the options ask for on a cluster; return the results of `main`."""
    import numpy as np

    from pyimagesearch.building.duplicates import find_duplicates, summary
    from pyimagesearch.building.packing import SplitBuilder
    from pyimagesearch.building.scanning import check_reachable, scan, unreadable_error
    from pyimagesearch.building.splitting import split_groups
    from pyimagesearch.io.images.csvlist import list_images
    from pyimagesearch.io.images.decoding import Decoding
    from pyimagesearch.io.images.folder import check_classes, count_by_class
    from pyimagesearch.io.shards.names import files_of_set
    from pyimagesearch.preprocessing import AspectAwarePreprocessor
    from pyimagesearch.utils.atomic import check_output, write_json
    from pyimagesearch.utils.text import without_credentials

    def output(path: str) -> Path:
        path = Path(args.output) / Path(path).name if args.output else path
        return check_output(path, args.force or args.resume)

    sets = {"train": config.TRAIN_HDF5, "val": config.VAL_HDF5, "test": config.TEST_HDF5}
    sets = {name: output(path) for name, path in sets.items()}
    means_path = output(config.DATASET_MEAN)
    report_path = means_path.with_name("build.json")
    size = config.STORED_SIZE
    decoding = Decoding(config.CHANNELS, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS).check()
    resize = AspectAwarePreprocessor(size, size)

    cli.info("listing images...")
    dataset = args.dataset or config.IMAGES_PATH
    images = list_images(dataset, config.LABEL_OF)
    check_reachable(images, cluster, {path.parent for path in sets.values()})
    skipped, prints, groups = {}, {}, []
    if args.on_error == "skip" or args.duplicates == "group":
        readable, bad = scan(images, cluster, "Checking images", decoding)
        if bad and args.on_error == "fail":
            raise unreadable_error(images, bad)
        skipped = {images.paths[row]: reason for row, reason in bad.items()}
        images = images.subset(np.array(sorted(readable), int))
        prints = dict(enumerate(readable[row] for row in sorted(readable)))
    check_classes(images)
    if args.duplicates == "group":
        groups = find_duplicates(list(prints.values()))
    rows = split_groups(images.labels, groups, config.NUM_VAL_IMAGES, config.NUM_TEST_IMAGES, config.SEED)
    counts = count_by_class(images.labels, images.label_names)
    cli.info(f"{len(images.paths):,} images: " + ", ".join(f"{n:,} {name}" for name, n in counts.items()))

    cli.info(f"building {', '.join(map(str, sets.values()))}...")
    builder = SplitBuilder(
        images, dict(zip(sets, rows, strict=True)), resize, decoding,
        encoding=args.encoding, quality=args.quality, buf_size=args.buffer_size, cluster=cluster,
        fingerprints=args.duplicates == "report" and not prints,
        shards=options.number_of_shards(args.shards, args.cluster, list(map(len, rows))),
    )  # fmt: skip
    cli.resumable(__name__)
    means = builder.build(sets, overwrite=args.force, resume=args.resume)["train"]

    b, g, r = map(float, means if config.CHANNELS == 3 else [means.mean()] * 3)
    write_json(means_path, {"R": r, "G": g, "B": b})
    splits = {name: len(chosen) for name, chosen in zip(sets, rows, strict=True)}
    if args.duplicates == "report":
        cli.info("looking for duplicates...")
        prints |= builder.fingerprints
        earlier = np.array([row for row in range(len(images.paths)) if row not in prints], int)  # before --resume
        if len(earlier):
            again, _ = scan(images.subset(earlier), cluster, "Checking earlier images", decoding, resize)
            prints |= {int(earlier[row]): found for row, found in again.items()}
        known = sorted(prints)
        groups = [[known[i] for i in group] for group in find_duplicates([prints[row] for row in known])]
    found = summary(groups, images, dict(zip(sets, rows, strict=True)))
    report = {"classes": counts, "splits": splits, "skipped": skipped, "duplicates": found, "build": builder.mark}
    write_json(report_path, report)
    if groups:
        leak = "; --group-duplicates keeps each in one split" if found["across_splits"] else ""
        cli.info(
            f"pictures that look the same: {found['pictures']:,}, in different splits "
            f"{len(found['across_splits']):,}, with different labels {len(found['conflicts']):,}; {report_path} lists "
            f"them{leak}"
        )
    if skipped:
        cli.info(f"left out {len(skipped):,} unreadable images; {report_path} lists them")
    cli.info(f"means of the training images: R {r:.2f}, G {g:.2f}, B {b:.2f}")
    files_of = {name: files_of_set(path) for name, path in sets.items()}
    files = [*(file for each in files_of.values() for file in each), means_path, report_path]
    cli.wrote(*files)
    sizes = {str(path): path.stat().st_size for path in files}
    of_classes = {
        name: count_by_class(images.labels[chosen], images.label_names) for name, chosen in zip(sets, rows, strict=True)
    }
    lines = [
        (str(path), f"{splits[name]:,}", cli.human_bytes(sum(sizes[str(file)] for file in files_of[name])))
        for name, path in sets.items()
    ]
    cli.table(("data set", "images", "size"), *lines)
    return {
        "images": len(images.paths), "classes": counts, "splits": of_classes, "skipped": skipped, "duplicates": found,
        "means": {"R": r, "G": g, "B": b}, "stored_size": size, "encoding": args.encoding, "bytes": sizes,
        "shards": {name: max(1, len(each) - 1) for name, each in files_of.items()},
        "cluster": args.cluster, "workers": cluster.workers,
        "dataset": without_credentials(str(dataset)), "build": builder.mark, "inputs": [dataset], "files": files,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
