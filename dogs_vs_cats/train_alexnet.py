"""Step 2: train AlexNet from scratch on the images of step 1."""

import json
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.utils import cli


def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-m", "--model", help="file for the best model; the config's MODEL_PATH if not given")
    parser.add_argument("-b", "--batch-size", type=cli.positive_int, help="the config's BATCH_SIZE if not given")
    parser.add_argument(
        "-j", "--jobs", type=cli.positive_int, help="preprocessing threads; all processors if not given"
    )
    parser.add_argument("--epochs", type=cli.positive_int, help="epochs in all; the config's EPOCHS if not given")
    parser.add_argument("--resume", action="store_true", help="go on from the last model of an earlier run")
    parser.add_argument("--force", action="store_true", help="replace the models of an earlier run")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    epochs = args.epochs or config.EPOCHS
    batch_size = args.batch_size or config.BATCH_SIZE

    from pyimagesearch.io.atomic import check_output

    best_path = check_output(args.model or config.MODEL_PATH, args.force or args.resume, "--model")
    last_path = check_output(config.LAST_MODEL_PATH, args.force or args.resume, "LAST_MODEL_PATH")
    means = cli.read_means(config.DATASET_MEAN)

    import keras

    from pyimagesearch.callbacks import BestModel, EpochCheckpoint, TrainingMonitor
    from pyimagesearch.errors import UserError
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.fileformat import check_same_build, read_header
    from pyimagesearch.nn.conv import AlexNet
    from pyimagesearch.nn.modelfile import Preparation, load_model, save_model
    from pyimagesearch.preprocessing import (
        AugmentPreprocessor,
        ImageToArrayPreprocessor,
        MeanPreprocessor,
        PatchPreprocessor,
        SimplePreprocessor,
    )  # fmt: skip

    size = config.INPUT_SIZE
    header = read_header(config.TRAIN_HDF5)
    check_same_build(header, read_header(config.VAL_HDF5))
    preparation = Preparation(size, size, header.color_order, means, header.label_names)
    classes = len(header.label_names)
    keras.utils.set_random_seed(config.SEED)

    pp, sp = PatchPreprocessor(size, size), SimplePreprocessor(size, size)
    aug, iap = AugmentPreprocessor(**config.AUGMENTATION), ImageToArrayPreprocessor()
    mp = MeanPreprocessor(means["R"], means["G"], means["B"])
    train = HDF5DatasetGenerator(
        config.TRAIN_HDF5, batch_size, [pp, aug, mp, iap], classes=classes,
        shuffle=True, seed=config.SEED, threads=args.jobs,
    )  # fmt: skip
    val = HDF5DatasetGenerator(config.VAL_HDF5, batch_size, [sp, mp, iap], classes=classes, threads=args.jobs)

    epochs_done = 0
    if args.resume:
        cli.info(f"loading {last_path}...")
        model, trained_with, epochs_done = load_model(last_path)
        if trained_with != preparation:
            raise UserError(
                f"--resume: {last_path} was trained with another input than the config and the data "
                f"give now: {trained_with}; received {preparation}; train anew with --force"
            )
        if epochs_done >= epochs:
            raise UserError(
                f"--epochs: must exceed the {epochs_done} epochs that {last_path} was trained for; "
                f"received {epochs}; ask for more epochs in all"
            )
    else:
        cli.info("compiling model...")
        model = AlexNet.build(size, size, header.shape[-1], classes, config.REGULARIZATION)
        loss = "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
        rate = config.LEARNING_RATE
        if config.LEARNING_RATE_DECAY == "linear":
            rate = keras.optimizers.schedules.PolynomialDecay(rate, epochs * len(train), end_learning_rate=0.0)
        model.compile(loss=loss, optimizer=keras.optimizers.Adam(rate), metrics=["accuracy"])

    def save(trained: keras.Model, path: Path, done: int) -> None:
        save_model(trained, path, preparation, done)

    figure, curves = best_path.with_name("training.png"), best_path.with_name("training.json")
    monitor = TrainingMonitor(figure, curves, start_at=epochs_done)
    callbacks = [
        monitor,
        BestModel(best_path, save, monitor.history),
        EpochCheckpoint(last_path, every=1, start_at=epochs_done, save=save),
    ]
    cli.info(f"training on {train.num_images:,} images, validating on {val.num_images:,}...")
    train.epoch = epochs_done
    model.fit(
        train, validation_data=val, epochs=epochs, initial_epoch=epochs_done, shuffle=False,
        callbacks=callbacks, verbose=1 if sys.stdout.isatty() else 2,
    )  # fmt: skip
    train.close()
    val.close()

    accuracy = max(monitor.history["val_accuracy"])
    epoch = 1 + monitor.history["val_accuracy"].index(accuracy)
    cli.info(f"best validation accuracy: {accuracy:.2%}, in epoch {epoch} of {epochs}")
    files = [best_path, last_path, figure, curves]
    cli.wrote(*files)
    return {"val_accuracy": accuracy, "history": json.loads(curves.read_text()), "files": files}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
