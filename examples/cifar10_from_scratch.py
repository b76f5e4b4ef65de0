"""CIFAR-10 from scratch: a small convolutional network with batch normalisation and dropout."""

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.utils.cli import ArgumentParser, info, positive_int, run, wrote


def main(argv: list[str] | None = None) -> dict:
    """Train the network and return its test accuracy, its curves and the files that were written."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    sources = 'CIFAR-10\'s Python batches, .npz, folder or CSV list of images; "sample" for drawn cats and dogs'
    parser.add_argument("-d", "--data", help=f"{sources}; downloaded if not given")
    parser.add_argument("-e", "--epochs", type=positive_int, default=25, help="passes over the training images")
    parser.add_argument("-b", "--batch-size", type=positive_int, default=128, help="images in a batch")
    parser.add_argument("-o", "--output", type=Path, default=Path("output/cifar10"), help="folder for data and model")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same run")
    parser.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    args = parser.parse_args(argv)

    from examples._data import pack_cifar10
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.utils.atomic import check_output

    names = ("cifarnet.keras", "training.png", "training.json")
    model_path, figure, curves = (check_output(args.output / name, args.force, "--output") for name in names)
    info("packing images...")
    train_path, test_path = pack_cifar10(args.data, args.output, args.seed, args.force)
    label_names = read_header(train_path).label_names

    import keras

    from pyimagesearch.callbacks import TrainingMonitor
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.nn.conv import CifarNet
    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    batches = {"batch_size": args.batch_size, "classes": len(label_names), "dtype": "uint8"}
    train = HDF5DatasetGenerator(train_path, shuffle=True, seed=args.seed, **batches)
    test = HDF5DatasetGenerator(test_path, **batches)

    info(f"training on {train.num_images:,} images...")
    keras.utils.set_random_seed(args.seed)
    model = CifarNet.build(32, 32, 3, len(label_names), scale=1 / 255)
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    monitor, verbose = TrainingMonitor(figure, curves), 1 if sys.stdout.isatty() else 2
    model.fit(train, validation_data=test, epochs=args.epochs, shuffle=False, callbacks=[monitor], verbose=verbose)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    preparation = Preparation(32, 32, "BGR", dict.fromkeys("RGB", 0.0), label_names)
    save_model(model, model_path, preparation, Position(args.epochs))

    info(f"accuracy: {accuracy:.2%} of {test.num_images:,} images; published: about 65% of the 10,000 of CIFAR-10")
    files = [train_path, test_path, model_path, figure, curves]
    wrote(*files)
    return {"accuracy": accuracy, "images": test.num_images, "history": monitor.history, "files": files}


if __name__ == "__main__":
    raise SystemExit(run(main))
