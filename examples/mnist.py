"""MNIST, three ways: softmax regression, a multilayer perceptron and a small convolutional network."""

from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, verbosity, wrote

PUBLISHED = {"softmax": 0.886, "mlp": 0.925, "cnn": 0.990}


@script(
    step="train",
    config=None,
    options=[
        Option("-d", "--dataset", help='mnist.npz; "sample" for 1,797 small digits; downloaded if not given'),
        Option("-o", "--output", type=Path, default=Path("output/mnist"), help="folder for data and models"),
        options.FORCE,
        Option("--network", choices=[*PUBLISHED, "all"], default="all", help="what to train"),
        Option("-e", "--epochs", type=options.positive_int, default=5, help="passes over the training images"),
        Option("--seed", type=options.whole_number, default=42, help="the same seed gives the same run"),
    ],
)
def main(args):
    import keras

    from examples._data import pack_mnist
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.nn import conv, dense
    from pyimagesearch.nn.modelfile import Position, Preparation, save_model
    from pyimagesearch.utils.atomic import check_output

    names = list(PUBLISHED) if args.network == "all" else [args.network]
    models = {name: check_output(args.output / f"{name}.keras", args.force) for name in names}
    info("packing images...")
    train_path, test_path = pack_mnist(args.dataset, args.output, args.seed, args.force)
    train = HDF5DatasetGenerator(train_path, 128, classes=10, shuffle=True, seed=args.seed, dtype="uint8")
    test = HDF5DatasetGenerator(test_path, 128, classes=10, dtype="uint8")

    networks = {"softmax": dense.SoftmaxRegression, "mlp": dense.MultilayerPerceptron, "cnn": conv.MnistNet}
    accuracy = {}
    for name, path in models.items():
        info(f"training {name} on {train.num_images:,} images...")
        keras.utils.set_random_seed(args.seed)
        model = networks[name].build(28, 28, 1, 10, scale=1 / 255)
        # The published 0.990 came from Adadelta's default rate of its time, a thousand times today's.
        optimizer = keras.optimizers.Adadelta(1.0) if name == "cnn" else keras.optimizers.SGD(0.01)
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        train.epoch = 0
        model.fit(train, epochs=args.epochs, shuffle=False, verbose=verbosity())
        accuracy[name] = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
        preparation = Preparation(28, 28, "BGR", dict.fromkeys("RGB", 0.0), train.label_names)
        save_model(model, path, preparation, Position(args.epochs))

    files = [train_path, test_path, *models.values()]
    wrote(*files)
    info(f"tested on {test.num_images:,} images; the published figures are for the 10,000 of MNIST")
    rows = [(name, f"{value:.4f}", f"{PUBLISHED[name]:.3f}") for name, value in accuracy.items()]
    table(("network", "accuracy", "published"), *rows)
    return {"accuracy": accuracy, "images": test.num_images, "files": files}


if __name__ == "__main__":
    raise SystemExit(main.run())
