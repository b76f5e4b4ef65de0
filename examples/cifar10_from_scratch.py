"""CIFAR-10 from scratch: a small convolutional network with batch normalisation and dropout."""

from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, verbosity, wrote

SOURCES = 'CIFAR-10\'s Python batches, .npz, folder or CSV list of images; "sample" for drawn cats and dogs'


@script(
    step="train",
    config=None,
    options=[
        Option("-d", "--dataset", help=f"{SOURCES}; downloaded if not given"),
        Option("-o", "--output", type=Path, default=Path("output/cifar10"), help="folder for data and model"),
        options.FORCE,
        Option("-e", "--epochs", type=options.positive_int, default=25, help="passes over the training images"),
        options.BATCH_SIZE.but(default=128),
        Option("--seed", type=options.whole_number, default=42, help="the same seed gives the same run"),
    ],
)
def main(args):
    import keras

    from examples._data import pack_cifar10
    from pyimagesearch.callbacks import TrainingMonitor
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.nn.conv import CifarNet
    from pyimagesearch.nn.modelfile import Position, Preparation, save_model
    from pyimagesearch.utils.atomic import check_output

    names = ("cifarnet.keras", "training.png", "training.json")
    model_path, figure, curves = (check_output(args.output / name, args.force) for name in names)
    info("packing images...")
    train_path, test_path = pack_cifar10(args.dataset, args.output, args.seed, args.force)
    classes = len(read_header(train_path).label_names)
    batches = {"batch_size": args.batch_size, "classes": classes, "dtype": "uint8"}
    train = HDF5DatasetGenerator(train_path, shuffle=True, seed=args.seed, **batches)
    test = HDF5DatasetGenerator(test_path, **batches)

    info(f"training on {train.num_images:,} images...")
    keras.utils.set_random_seed(args.seed)
    model = CifarNet.build(32, 32, 3, classes, scale=1 / 255)
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    monitor = TrainingMonitor(figure, curves)
    model.fit(
        train, validation_data=test, epochs=args.epochs, shuffle=False, callbacks=[monitor], verbose=verbosity()
    )  # fmt: skip
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    preparation = Preparation(32, 32, "BGR", dict.fromkeys("RGB", 0.0), train.label_names)
    save_model(model, model_path, preparation, Position(args.epochs))

    files = [train_path, test_path, model_path, figure, curves]
    wrote(*files)
    table(("accuracy", "published", "test images"), (f"{accuracy:.2%}", "about 65%", f"{test.num_images:,}"))
    return {"accuracy": accuracy, "images": test.num_images, "history": monitor.history, "files": files}


if __name__ == "__main__":
    raise SystemExit(main.run())
