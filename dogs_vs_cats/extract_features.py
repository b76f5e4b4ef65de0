"""Step 4: turn images into feature vectors by a trained network."""

import sys
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "-d",
        "--dataset",
        help="folder of images, CSV list of them, or HDF5 file of step 1; the config's IMAGES_PATH if not given",
    )
    parser.add_argument("-o", "--output", help="HDF5 file to write; the config's FEATURES_HDF5 if not given")
    parser.add_argument(
        "-m",
        "--model",
        default="resnet50",
        help="a network of Keras, or a .keras file; several, with commas between them, to join their features",
    )
    parser.add_argument(
        "--weights", default="", help="imagenet (if not given), none (random: only for tests), or a file"
    )
    parser.add_argument(
        "--layer", default="", help="layer to take features from; the last before the classifier if not given"
    )
    parser.add_argument("--alpha", help="width of a MobileNet, as a factor; 1 if not given")
    parser.add_argument("--flip", action="store_true", help="average the features of each image and its mirror image")
    parser.add_argument(
        "--precision",
        choices=["float32", "mixed_bfloat16"],
        default="float32",
        help="mixed_bfloat16 is faster on GPUs and on processors that calculate in it",
    )
    parser.add_argument("-b", "--batch-size", type=cli.positive_int, default=32, help="images in a batch")
    parser.add_argument(
        "-s",
        "--buffer-size",
        type=cli.positive_int,
        default=1000,
        help="rows between resume points",
    )
    parser.add_argument("-j", "--jobs", type=cli.positive_int, help="decoding threads; all processors if not given")
    parser.add_argument("--resume", action="store_true", help="go on with an extraction that was stopped")
    parser.add_argument("--force", action="store_true", help="replace an existing file, once the new one is complete")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)

    import numpy as np

    from pyimagesearch.io import HDF5DatasetWriter
    from pyimagesearch.io.atomic import check_output
    from pyimagesearch.io.headerchecks import is_finished
    from pyimagesearch.io.imagesource import open_images
    from pyimagesearch.utils.digest import fingerprint
    from pyimagesearch.utils.parallel import cpu_count, keep_opencv_to_one_thread, map_ahead
    from pyimagesearch.utils.progress import progress

    output = check_output(args.output or config.FEATURES_HDF5, args.force or args.resume)
    cli.info("listing images...")
    threads = args.jobs or cpu_count()
    keep_opencv_to_one_thread()
    dataset = args.dataset or config.IMAGES_PATH
    images = open_images(dataset, config.LABEL_OF, threads)

    from pyimagesearch.nn.featureextractor import FeatureExtractor

    cli.info(f"loading network {args.model}...")
    extractor = FeatureExtractor.from_names(
        args.model, args.weights, layer=args.layer, alpha=args.alpha, flip=args.flip, precision=args.precision,
        seed=config.SEED, stored_size=images.stored_size,
    )  # fmt: skip

    build = fingerprint([images.identity, extractor.recipe, str(args.batch_size), str(config.SEED)])
    networks = [name for name in (*args.model.split(","), *args.weights.split(",")) if Path(name).is_file()]
    results = {
        "images": len(images.labels), "features": extractor.features, "networks": extractor.description,
        "build": build, "inputs": [dataset, *networks], "files": [output],
    }  # fmt: skip
    if args.resume and not args.force and is_finished(output, build):
        cli.info(f"{output} is complete")
        return {**results, "seconds": 0.0, "images_per_second": None}
    order = np.random.default_rng(config.SEED).permutation(len(images.labels))

    def prepare(rows: np.ndarray) -> list[np.ndarray]:
        return extractor.prepare(images.read(rows, extractor.resize))

    cli.resumable(__name__)
    start = time.perf_counter()
    with HDF5DatasetWriter(
        (len(order), extractor.features), output, "features", args.buffer_size,
        overwrite=args.force, resume=args.resume, history=extractor.description, build=build,
        recipe=extractor.recipe,
    ) as writer:  # fmt: skip
        writer.store_class_labels(images.label_names)
        paths = [images.paths[row] for row in order] if images.paths else None
        done = writer.recover(images.labels[order], paths, args.batch_size) if args.resume else 0
        starts = range(done, len(order), args.batch_size)
        blocks = [slice(start, start + args.batch_size) for start in starts]
        prepared = map_ahead(lambda block: prepare(order[block]), blocks, threads, threads + 1)
        bar = progress(prepared, len(order), "Extracting features", args.batch_size, done)
        for inputs, block in zip(bar, blocks, strict=True):
            writer.add(extractor.extract(inputs), images.labels[order[block]], paths and paths[block])
    images.close()
    seconds = time.perf_counter() - start
    speed = (len(order) - done) / seconds
    cli.info(f"{len(order):,} feature vectors of length {extractor.features:,}")
    cli.wrote(output)
    line = (str(output), f"{len(order):,}", f"{extractor.features:,}", f"{seconds:.1f}", f"{speed:,.0f}")
    cli.table(("features", "images", "length", "seconds", "images/s"), line)
    return {**results, "seconds": round(seconds, 3), "images_per_second": round(speed, 1)}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
