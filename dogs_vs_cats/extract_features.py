"""Step 4: turn images into feature vectors by a pretrained network."""

import time

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, wrote
from pyimagesearch.cluster import open_cluster
from pyimagesearch.runs.surroundings import versions


@script(
    step="features",
    options=[
        options.DATASET,
        options.OUTPUT.but(config="FEATURES_HDF5", help="HDF5 file of features to write"),
        options.RESUME, options.FORCE,
        options.MODEL.but(default="resnet50", help="network of Keras, or .keras file; join several by commas"),
        Option("--weights", default="", help="imagenet (if not given), none (random: only for tests), or a file"),
        Option("--layer", default="", help="layer to take features from; if not given, the one before the classifier"),
        Option("--alpha", help="width of a MobileNet, as a factor; 1 if not given"),
        Option("--flip", action="store_true", help="average the features of each image and its mirror image"),
        options.PRECISION.but(choices=("float32", "mixed_bfloat16"), default="float32", help="of the arithmetic"),
        options.BATCH_SIZE.but(default=32), options.BUFFER_SIZE, options.JOBS, options.CLUSTER, options.SHARDS,
    ],
)  # fmt: skip
def main(args, config):
    import numpy as np

    from pyimagesearch.features import FeatureExtraction, FeatureExtractor, open_images
    from pyimagesearch.io.images import Decoding
    from pyimagesearch.io.shards.names import files_of_set
    from pyimagesearch.utils.atomic import check_output

    output = check_output(args.output, args.force or args.resume)
    info("listing images...")
    channels = 1 if config.CHANNELS == 1 else 3
    decoding = Decoding(channels, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS, config.MAX_VALUE).check()
    images = open_images(args.dataset, config.LABEL_OF, args.jobs, decoding, **config.listing)
    order = np.random.default_rng(config.SEED).permutation(len(images.labels))  # shuffled

    info(f"loading network {args.model}...")
    model = FeatureExtractor.from_names(
        args.model, args.weights, layer=args.layer, alpha=args.alpha, flip=args.flip, precision=args.precision,
        seed=config.SEED, stored_size=images.stored_size, fit=images.fit, gray=images.gray,
    )  # fmt: skip

    start = time.perf_counter()
    with images, open_cluster(args.cluster, args.jobs, versions) as cluster:
        extraction = FeatureExtraction(
            model, images, order, batch_size=args.batch_size, shards=args.shards, cluster=cluster
        )
        done = extraction.run(
            write_features, output, buf_size=args.buffer_size, overwrite=args.force, resume=args.resume
        )
    seconds, made, files = time.perf_counter() - start, len(order) - done, files_of_set(output)

    if made:
        info(f"{len(order):,} feature vectors of length {model.features:,}")
        wrote(*files)
        line = (str(output), f"{len(order):,}", f"{model.features:,}", f"{seconds:.1f}", f"{made / seconds:,.0f}")
        table(("features", "images", "length", "seconds", "images/s"), line)
    else:
        info(f"{output} is complete")
    return {
        "images": len(order), "features": model.features, "networks": model.description, "build": extraction.mark,
        "shards": max(1, len(files) - 1), "cluster": args.cluster, "workers": cluster.workers,
        "seconds": round(seconds, 3) if made else 0.0, "images_per_second": round(made / seconds, 1) if made else None,
        "inputs": [args.dataset, *model.files], "files": files,
    }  # fmt: skip


def write_features(model, batches, dataset):
    for batch in batches:  # decoded, resized and prepared ahead by threads
        features = model.predict(batch.images)
        dataset.add(features, batch.labels, batch.paths)


if __name__ == "__main__":
    raise SystemExit(main.run())
