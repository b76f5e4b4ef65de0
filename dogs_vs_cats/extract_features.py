"""Step 4: turn images into feature vectors by a trained network."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.cluster import open_cluster, options
from pyimagesearch.runs.recording import recorded
from pyimagesearch.runs.surroundings import versions
from pyimagesearch.utils import cli


@recorded
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "-d",
        "--dataset",
        help="folder of images, its URL, CSV list, or HDF5 file of step 1; the config's IMAGES_PATH if not given",
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
    options.add_shards(parser)
    options.add_cluster(parser)
    parser.add_argument("--resume", action="store_true", help="go on with an extraction that was stopped")
    parser.add_argument("--force", action="store_true", help="replace an existing file, once the new one is complete")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    with open_cluster(args.cluster, args.jobs, versions) as cluster:
        return extract(args, config, cluster)


def extract(args: argparse.Namespace, config: Any, cluster: Any) -> dict:
    """Extract what the options ask for on a cluster; return the results of `main`."""
    import numpy as np

    from pyimagesearch.features.imagesource import open_images
    from pyimagesearch.io.shards.names import files_of_set
    from pyimagesearch.utils.atomic import check_output
    from pyimagesearch.utils.parallel import cpu_count, keep_opencv_to_one_thread
    from pyimagesearch.utils.text import fingerprint

    output = check_output(args.output or config.FEATURES_HDF5, args.force or args.resume)
    cli.info("listing images...")
    keep_opencv_to_one_thread()
    dataset = args.dataset or config.IMAGES_PATH
    images = open_images(dataset, config.LABEL_OF, args.jobs or cpu_count())

    from pyimagesearch.features.extraction import extract_together
    from pyimagesearch.features.extractor import FeatureExtractor

    cli.info(f"loading network {args.model}...")
    extractor = FeatureExtractor.from_names(
        args.model, args.weights, layer=args.layer, alpha=args.alpha, flip=args.flip, precision=args.precision,
        seed=config.SEED, stored_size=images.stored_size,
    )  # fmt: skip

    build = fingerprint([images.identity, extractor.recipe, str(args.batch_size), str(config.SEED)])
    networks = [name for name in (*args.model.split(","), *args.weights.split(",")) if Path(name).is_file()]
    order = np.random.default_rng(config.SEED).permutation(len(images.labels))
    cli.resumable(__name__)
    start = time.perf_counter()
    done = extract_together(
        cluster, images, order, extractor, output, dataset,
        shards=options.number_of_shards(args.shards, args.cluster, [len(order)]), batch_size=args.batch_size,
        buf_size=args.buffer_size, build=build, networks=networks, overwrite=args.force, resume=args.resume,
    )  # fmt: skip
    images.close()
    files = files_of_set(output)
    results = {
        "images": len(order), "features": extractor.features, "networks": extractor.description,
        "shards": max(1, len(files) - 1), "cluster": args.cluster, "workers": cluster.workers,
        "build": build, "inputs": [dataset, *networks], "files": files,
    }  # fmt: skip
    if done == len(order):
        cli.info(f"{output} is complete")
        return {**results, "seconds": 0.0, "images_per_second": None}
    seconds = time.perf_counter() - start
    speed = (len(order) - done) / seconds
    cli.info(f"{len(order):,} feature vectors of length {extractor.features:,}")
    cli.wrote(*files)
    line = (str(output), f"{len(order):,}", f"{extractor.features:,}", f"{seconds:.1f}", f"{speed:,.0f}")
    cli.table(("features", "images", "length", "seconds", "images/s"), line)
    return {**results, "seconds": round(seconds, 3), "images_per_second": round(speed, 1)}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
