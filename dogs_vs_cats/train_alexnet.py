"""Step 2: train AlexNet from scratch on the images of step 1."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.runs.modelcard import write_model_card
from pyimagesearch.runs.recording import recorded
from pyimagesearch.training.hosts import add_options, read_layout
from pyimagesearch.training.supervisor import run
from pyimagesearch.utils import cli
from pyimagesearch.watch import options as watch


@recorded(then=write_model_card)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-m", "--model", help="file for the best model; the config's MODEL_PATH if not given")
    parser.add_argument("-b", "--batch-size", type=cli.positive_int, help="the config's BATCH_SIZE if not given")
    parser.add_argument(
        "-j", "--jobs", type=cli.positive_int, help="preprocessing threads; all processors if not given"
    )
    parser.add_argument("--epochs", type=cli.positive_int, help="epochs in all; the config's EPOCHS if not given")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    parser.add_argument("--force", action="store_true", help="replace the models of an earlier run")
    add_options(parser)
    watch.add_options(parser)
    args = parser.parse_args(argv)
    layout = read_layout(args)
    config = cli.load_config(args.config)
    means = cli.read_means(config.DATASET_MEAN)

    from pyimagesearch.errors import UserError
    from pyimagesearch.io.format.dataset import check_images, check_same_build, read_header
    from pyimagesearch.utils.atomic import check_output

    watch.check_tensorboard(args.tensorboard)
    best_path = check_output(args.model or config.MODEL_PATH, args.force or args.resume, "--model")
    last_path = check_output(config.LAST_MODEL_PATH, args.force or args.resume, "LAST_MODEL_PATH")
    if best_path.suffix != ".keras":
        raise UserError(f"--model: must end in .keras, the format of Keras 3; received {best_path}")
    header = read_header(config.TRAIN_HDF5)
    check_images(header)
    check_same_build(header, read_header(config.VAL_HDF5))

    from pyimagesearch.training.opening import open_world

    with open_world(layout, args.batch_size or config.BATCH_SIZE) as world:
        return learn(world, args, config, means, best_path, last_path)


def learn(world: Any, args: Namespace, config: Any, means: dict, best_path: Path, last_path: Path) -> dict:
    """Train in a world of devices and hosts; return the results of `main`."""
    import keras

    from pyimagesearch import callbacks, preprocessing
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.nn import modelfile
    from pyimagesearch.nn.conv import AlexNet
    from pyimagesearch.training.fit import fit_from, learning_rate
    from pyimagesearch.training.results import training_results

    epochs, batch_size = args.epochs or config.EPOCHS, args.batch_size or config.BATCH_SIZE
    header, size = read_header(config.TRAIN_HDF5), config.INPUT_SIZE
    classes = len(header.label_names)
    keras.utils.set_random_seed(config.SEED)
    preparation = modelfile.Preparation(
        size, size, header.color_order, means, header.label_names, stored_size=header.stored_size
    )
    pp = preprocessing.PatchPreprocessor(size, size)
    aug = preprocessing.AugmentPreprocessor.from_settings(config.AUGMENTATION)
    sp, (mp, iap) = preparation.resize(), preparation.normalize()
    train = HDF5DatasetGenerator(
        config.TRAIN_HDF5, batch_size, [pp, aug, mp, iap], classes=classes,
        shuffle=True, seed=config.SEED, threads=args.jobs, part=world.part,
    )  # fmt: skip
    val = HDF5DatasetGenerator(
        config.VAL_HDF5, batch_size, [sp, mp, iap], classes=classes, threads=args.jobs, part=world.part
    )

    stream = f"build {header.build}, batch size {batch_size}, seed {config.SEED}"
    rate = learning_rate(config.LEARNING_RATE, config.LEARNING_RATE_DECAY, epochs * len(train))
    start = modelfile.check_resumable(last_path, preparation, stream, epochs) if args.resume else modelfile.Position()
    world.begin(f"{stream}, {epochs} epochs, {preparation}, start {start}", last_path, args.resume)
    if args.resume:
        cli.info(f"loading {last_path}...")
        cli.resumable(__name__)
        model, _ = modelfile.load_model(last_path)
        if config.LEARNING_RATE_DECAY == "linear":  # more epochs in all make a longer line
            model.optimizer.learning_rate = rate
    else:
        cli.info("compiling model...")
        model = AlexNet.build(size, size, header.shape[-1], classes, config.REGULARIZATION)
        loss = "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
        model.compile(loss=loss, optimizer=keras.optimizers.Adam(rate), metrics=["accuracy"])

    def save(trained: keras.Model, path: Path, position: modelfile.Position) -> None:
        if world.is_first:
            with world.apart():
                modelfile.save_model(trained, path, preparation, position, stream)
        if path == last_path:
            cli.resumable(__name__)

    figure, curves = best_path.with_name("training.png"), best_path.with_name("training.json")
    pace = best_path.with_name("training_speed.json")
    monitor = callbacks.TrainingMonitor(figure, curves, start_at=start.epoch, writes=world.is_first)
    speed = callbacks.TrainingSpeed(pace, train, start, writes=world.is_first)
    checkpoint = callbacks.TrainingCheckpoint(
        last_path, save, rows=world.rows(train.num_images), batch_size=batch_size, start=start,
        every_batches=config.CHECKPOINT_BATCHES, every_minutes=config.CHECKPOINT_MINUTES,
    )  # fmt: skip
    best = callbacks.BestModel(best_path, save, monitor.history)
    cli.info(f"training on {train.num_images:,} images, validating on {val.num_images:,}...")
    histories = [monitor.history, speed.history]
    world.explain_visits(val.num_images)
    port, board = (args.watch, args.tensorboard) if world.is_first else (None, None)
    with callbacks.followers(port, board, train, epochs, best, histories, start, "AlexNet") as more:
        fit_from(model, train, val, epochs, start, [checkpoint, monitor, best, speed, *more], cli.verbosity())
    train.close()
    val.close()
    if not world.is_first:
        return {}

    cli.info(f"best validation accuracy: {best.accuracy:.2%}, in epoch {best.epoch} of {epochs}")
    files = [best_path, last_path, figure, curves, pace]
    cli.wrote(*files)
    line = str(best_path), f"{best.epoch} of {epochs}", f"{best.accuracy:.2%}", f"{val.num_images:,}"
    cli.table(("best model", "epoch", "validation accuracy", "images"), line)
    results = training_results(model, train, val, best, histories)
    return {**results, "inputs": [config.TRAIN_HDF5, config.VAL_HDF5], "files": files}


if __name__ == "__main__":
    raise SystemExit(run(main))
