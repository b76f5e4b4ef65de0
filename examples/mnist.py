"""MNIST, three ways: softmax regression, a multilayer perceptron and a small convolutional network."""

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.utils.cli import ArgumentParser, info, positive_int, run, wrote

PUBLISHED = {"softmax": 0.886, "mlp": 0.925, "cnn": 0.990}


def main(argv: list[str] | None = None) -> dict:
    """Train the networks and return their test accuracies, by name, and the files that were written."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("-d", "--data", help='mnist.npz; "sample" for 1,797 small digits; downloaded if not given')
    parser.add_argument("-n", "--network", choices=[*PUBLISHED, "all"], default="all", help="what to train")
    parser.add_argument("-e", "--epochs", type=positive_int, default=5, help="passes over the training images")
    parser.add_argument("-o", "--output", type=Path, default=Path("output/mnist"), help="folder for data and models")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same run")
    parser.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    args = parser.parse_args(argv)

    from examples._data import pack_mnist
    from pyimagesearch.utils.atomic import check_output

    names = list(PUBLISHED) if args.network == "all" else [args.network]
    models = {name: check_output(args.output / f"{name}.keras", args.force, "--output") for name in names}
    info("packing images...")
    train_path, test_path = pack_mnist(args.data, args.output, args.seed, args.force)

    import keras

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.nn import conv, dense
    from pyimagesearch.nn.modelfile import Position, Preparation, save_model

    networks = {"softmax": dense.SoftmaxRegression, "mlp": dense.MultilayerPerceptron, "cnn": conv.MnistNet}
    accuracy = {}
    train = HDF5DatasetGenerator(train_path, 128, classes=10, shuffle=True, seed=args.seed, dtype="uint8")
    test = HDF5DatasetGenerator(test_path, 128, classes=10, dtype="uint8")
    for name, path in models.items():
        info(f"training {name} on {train.num_images:,} images...")
        keras.utils.set_random_seed(args.seed)
        model = networks[name].build(28, 28, 1, 10, scale=1 / 255)
        # The published 0.990 came from Adadelta's default rate of its time, a thousand times today's.
        optimizer = keras.optimizers.Adadelta(1.0) if name == "cnn" else keras.optimizers.SGD(0.01)
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        train.epoch = 0
        model.fit(train, epochs=args.epochs, shuffle=False, verbose=1 if sys.stdout.isatty() else 2)
        accuracy[name] = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
        preparation = Preparation(28, 28, "BGR", dict.fromkeys("RGB", 0.0), train.label_names)
        save_model(model, path, preparation, Position(args.epochs))

    print(f"{'network':<10}{'accuracy':>10}{'published':>11}")
    for name, value in accuracy.items():
        print(f"{name:<10}{value:>10.4f}{PUBLISHED[name]:>11.3f}")
    info(f"tested on {test.num_images:,} images; the published figures are for the 10,000 of MNIST")
    files = [train_path, test_path, *models.values()]
    wrote(*files)
    return {"accuracy": accuracy, "images": test.num_images, "files": files}


if __name__ == "__main__":
    raise SystemExit(run(main))
