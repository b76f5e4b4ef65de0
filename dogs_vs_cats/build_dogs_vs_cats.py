"""Step 1: pack a folder of labelled images into train.hdf5, val.hdf5 and test.hdf5, with their means."""

from argparse import SUPPRESS
from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, wrote
from pyimagesearch.cluster import open_cluster


@script(
    step="build",
    uses_keras=False,
    options=[
        options.DATASET.but(help="folder of images, its URL, or CSV list of images and labels"),
        options.OUTPUT.but(help="folder for the files, if they do not belong where the config says"),
        options.RESUME, options.FORCE,
        Option("--encoding", choices=("raw", "jpeg"), default="raw", help="raw is fastest, jpeg smallest"),
        Option("--quality", type=options.positive_int, default=90, metavar="N", help="of JPEG images, up to 100"),
        Option("--duplicates", choices=("report", "group", "ignore"), default="report",
               help="report pictures that occur in several splits, group the copies of one in one split, or ignore"),
        Option("--group-duplicates", action="store_const", const="group", dest="duplicates", default=SUPPRESS,
               help="short for --duplicates group"),
        Option("--on-error", choices=("fail", "skip"), default="fail", help="about unreadable and missing images"),
        options.BUFFER_SIZE, options.JOBS, options.CLUSTER, options.SHARDS,
    ],
)  # fmt: skip
def main(args, config):
    from pyimagesearch.building import Screening, SplitBuilder
    from pyimagesearch.io.images import Decoding, list_images
    from pyimagesearch.preprocessing.fitting import fitting
    from pyimagesearch.utils.atomic import check_output, write_json
    from pyimagesearch.utils.text import human_bytes, named, without_credentials

    def output(path):
        return check_output(Path(args.output or Path(path).parent, Path(path).name), args.force or args.resume)

    datasets = {"train": output(config.TRAIN_HDF5), "val": output(config.VAL_HDF5), "test": output(config.TEST_HDF5)}
    means_path, report_path = output(config.DATASET_MEAN), output(config.DATASET_MEAN).with_name("build.json")
    aap = fitting(config.FIT, config.STORED_SIZE, config.STORED_SIZE)  # AspectAwarePreprocessor for "crop"
    decoding = Decoding(config.CHANNELS, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS, config.MAX_VALUE).check()

    with open_cluster(args.cluster, args.jobs) as cluster:
        info("listing images...")
        images = list_images(args.dataset, config.LABEL_OF, on_error=args.on_error, **config.listing)
        screening = Screening(
            images, cluster, decoding, on_error=args.on_error, duplicates=args.duplicates,
            min_images_per_class=config.MIN_IMAGES_PER_CLASS,
        )  # fmt: skip
        images = screening.images
        info(f"{len(images.paths):,} images: " + named([f"{n:,} {name}" for name, n in images.counts.items()], 20))
        info(f"building {', '.join(map(str, datasets.values()))}...")
        rows = screening.split(config.NUM_VAL_IMAGES, config.NUM_TEST_IMAGES, config.SEED)
        builder = SplitBuilder(  # reads and preprocesses each image, and adds it to the HDF5DatasetWriter of its split
            images, rows, aap, decoding, encoding=args.encoding, quality=args.quality, buf_size=args.buffer_size,
            fingerprints=screening.wants_fingerprints, shards=args.shards, cluster=cluster,
        )  # fmt: skip
        built = builder.build(datasets, overwrite=args.force, resume=args.resume)
        duplicates = screening.duplicates(rows, builder.fingerprints, aap)
    means = built["train"].colour_means()
    info("means of the training images: " + ", ".join(f"{colour} {mean:.2f}" for colour, mean in means.items()))
    write_json(means_path, means)
    report = {**screening.left_out(), "duplicates": duplicates, "build": builder.mark, "classes": images.counts}
    write_json(report_path, {**report, "splits": {name: data.images for name, data in built.items()}})
    for remark in screening.remarks(duplicates):
        info(f"{remark}; {report_path} lists them")
    files = [*(file for data in built.values() for file in data.files), means_path, report_path]
    wrote(*files)
    table(("file", "images", "size"), *((str(d.path), f"{d.images:,}", human_bytes(d.size)) for d in built.values()))
    return {
        **report, "images": len(images.paths), "splits": {name: data.counts for name, data in built.items()},
        "means": means, "encoding": args.encoding, "stored_size": config.STORED_SIZE, "cluster": args.cluster,
        "shards": {name: data.shards for name, data in built.items()}, "workers": cluster.workers,
        "bytes": {str(path): path.stat().st_size for path in files}, "inputs": [args.dataset], "files": files,
        "dataset": without_credentials(str(args.dataset)),
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main.run())
