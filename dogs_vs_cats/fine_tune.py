"""Transfer learning: train a new head on a network that knows ImageNet, then its last layers as well."""

import argparse
import sys
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


def units(text: str) -> tuple[int, ...]:
    return tuple(cli.positive_int(word) for word in text.split(",") if word)


def share(text: str) -> float:
    if not 0 <= float(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1; received {text}")
    return float(text)


@recorded(then=write_model_card)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("-m", "--model", default="mobilenet", help="a network of Keras")
    option("-w", "--weights", default="imagenet", help="imagenet, none (random: only for tests), or a file")
    option("-a", "--alpha", type=float, help="width of a MobileNet, as a factor; 1 if not given")
    option("-s", "--size", type=cli.positive_int, help="pixels of the input's sides; the network's own if not given")
    option("--layer", default="", help="layer of the network that the head is put on; its last if not given")
    option("--head", type=units, default="", metavar="N,N", help="units of dense layers before the classes")
    option("--dropout", type=share, default=0.0, help="before the classes")
    option("--batch-norm", action="store_true", help="batch normalisation before the head's first dense layer")
    option(
        "--warm-up", type=cli.whole_number, default=3, metavar="EPOCHS", help="epochs in which the head alone learns"
    )
    option("-e", "--epochs", type=cli.whole_number, default=10, help="epochs after the warm-up")
    option("-f", "--freeze", default="0", help="what never learns: the first N layers, those up to a name, or all")
    option("--learning-rate", type=cli.positive_number, default=1e-3, help="of Adam while the head alone learns")
    option("--fine-tune-rate", type=cli.positive_number, default=1e-5, help="of Adam after the warm-up")
    option("--class-weight", choices=["balanced", "none"], default="none", help="balanced: rare classes count more")
    option("-p", "--patience", type=cli.positive_int, help="stop when validation has not improved for so many epochs")
    option("-b", "--batch-size", type=cli.positive_int, default=32, help="images in a batch")
    option("-j", "--jobs", type=cli.positive_int, help="preprocessing threads; all processors if not given")
    option("-o", "--output", help="file for the best model; fine_tuned.keras in the config's OUTPUT_PATH if not given")
    option("--resume", action="store_true", help="go on with a training that was stopped")
    option("--force", action="store_true", help="replace the models of an earlier run")
    add_options(parser)
    watch.add_options(parser)
    args = parser.parse_args(argv)
    layout = read_layout(args)
    config = cli.load_config(args.config)

    from pyimagesearch.errors import UserError
    from pyimagesearch.io.format.dataset import check_images, check_same_build, read_header
    from pyimagesearch.utils.atomic import check_output

    watch.check_tensorboard(args.tensorboard)
    best_path = Path(args.output or Path(config.OUTPUT_PATH) / "fine_tuned.keras")
    if best_path.suffix != ".keras":
        raise UserError(f"--output: must end in .keras, the format of Keras 3; received {best_path}")
    last_path = best_path.with_name(f"{best_path.stem}_last.keras")
    for path in (best_path, last_path):
        check_output(path, args.force or args.resume, "--output")
    if not args.warm_up + args.epochs:
        raise UserError("--epochs: must be at least 1 if --warm-up is 0; received 0; ask for more epochs")
    header = read_header(config.TRAIN_HDF5)
    check_images(header)
    check_same_build(header, read_header(config.VAL_HDF5))
    if header.shape[-1] != 3:
        raise UserError(
            f"TRAIN_HDF5: {header.path} must hold images of 3 channels, as networks of ImageNet take them; received "
            f"{header.shape[-1]}; set CHANNELS = 3 in the config and build it again"
        )

    from pyimagesearch.training.opening import open_world

    with open_world(layout, args.batch_size) as world:
        return learn(world, args, config, best_path, last_path)


def learn(world: Any, args: argparse.Namespace, config: Any, best_path: Path, last_path: Path) -> dict:
    """Train in a world of devices and hosts; return the results of `main`."""
    import keras

    from pyimagesearch import callbacks, preprocessing
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.nn import modelfile
    from pyimagesearch.nn.transfer import TransferNetwork, backbone_layers
    from pyimagesearch.training.results import training_results
    from pyimagesearch.training.stages import fit_stages, plan_stages

    header, epochs = read_header(config.TRAIN_HDF5), args.warm_up + args.epochs
    network = TransferNetwork(
        args.model, args.weights, args.alpha, args.size, args.layer, args.head, args.dropout, args.batch_norm
    )
    classes, class_weight = len(header.label_names), None if args.class_weight == "none" else args.class_weight
    preparation = network.preparation(header.label_names, header.color_order)._replace(stored_size=header.stored_size)
    stored, size = min(header.shape[1:3]), preparation.width
    if stored < size:
        cli.info(f"images of {stored} pixels are enlarged to {size}; a larger STORED_SIZE would show more")
    sp, (mp, iap) = preparation.resize(), preparation.normalize()
    aug = preprocessing.AugmentPreprocessor.from_settings(config.AUGMENTATION)
    train = HDF5DatasetGenerator(
        config.TRAIN_HDF5, args.batch_size, [sp, aug, mp, iap], classes=classes, shuffle=True, seed=config.SEED,
        threads=args.jobs, class_weight=class_weight, part=world.part,
    )  # fmt: skip
    val = HDF5DatasetGenerator(
        config.VAL_HDF5, args.batch_size, [sp, mp, iap], classes=classes, threads=args.jobs, part=world.part
    )

    rates = f"rates {args.learning_rate} and {args.fine_tune_rate}, class weights {args.class_weight}"
    steps = f"{args.warm_up} epochs of warm-up, then frozen {args.freeze}, {rates}"
    stream = f"build {header.build}, batch size {args.batch_size}, seed {config.SEED}, {tuple(network)}, {steps}"
    start = modelfile.check_resumable(last_path, preparation, stream, epochs) if args.resume else modelfile.Position()
    world.begin(f"{stream}, {epochs} epochs, {preparation}, start {start}", last_path, args.resume)
    if args.resume:
        cli.info(f"loading {last_path}...")
        cli.resumable(__name__)
        model, _ = modelfile.load_model(last_path)
    else:
        cli.info(f"loading network {args.model}...")
        keras.utils.set_random_seed(config.SEED)
        model = network.build(classes)
    stages = plan_stages(model, args.freeze, args.warm_up, args.epochs, args.learning_rate, args.fine_tune_rate)

    def save(trained: keras.Model, path: Path, position: modelfile.Position) -> None:
        if world.is_first:
            with world.apart():
                modelfile.save_model(trained, path, preparation, position, stream)
        if path == last_path:
            cli.resumable(__name__)

    figure, curves = best_path.with_suffix(".png"), best_path.with_suffix(".json")
    pace = best_path.with_name(f"{best_path.stem}_speed.json")
    monitor = callbacks.TrainingMonitor(figure, curves, start_at=start.epoch, writes=world.is_first)
    speed = callbacks.TrainingSpeed(pace, train, start, writes=world.is_first)
    checkpoint = callbacks.TrainingCheckpoint(
        last_path, save, rows=world.rows(train.num_images), batch_size=args.batch_size, start=start,
        every_batches=config.CHECKPOINT_BATCHES, every_minutes=config.CHECKPOINT_MINUTES,
    )  # fmt: skip
    best = callbacks.BestModel(best_path, save, monitor.history)
    stop = callbacks.EarlyStop(monitor.history, args.patience or epochs, stages[-1].first)
    for stage in stages:
        cli.info(stage.in_words(model))
    if stages[-1].frozen == len(backbone_layers(model)):
        cli.info("the network itself stays as it is: extract_features and train_model are much faster at that")
    cli.info(f"training on {train.num_images:,} images, validating on {val.num_images:,}...")
    world.explain_visits(val.num_images)
    histories = [monitor.history, speed.history]
    recorders = [checkpoint, monitor, best, stop, speed]
    if not stop.reached:
        port, board = (args.watch, args.tensorboard) if world.is_first else (None, None)
        with callbacks.followers(port, board, train, epochs, best, histories, start, args.model) as more:
            fit_stages(model, stages, train, val, start, [*recorders, *more], cli.verbosity())
    train.close()
    val.close()
    if not world.is_first:
        return {}

    cli.info(f"best validation accuracy: {best.accuracy:.2%}, in epoch {best.epoch} of {len(monitor.history['loss'])}")
    files = [best_path, last_path, figure, curves, pace]
    cli.wrote(*files)
    line = str(best_path), f"{best.epoch} of {epochs}", f"{best.accuracy:.2%}", f"{val.num_images:,}"
    cli.table(("best model", "epoch", "validation accuracy", "images"), line)
    results = training_results(model, train, val, best, histories)
    return {**results, "inputs": [config.TRAIN_HDF5, config.VAL_HDF5], "files": files}


if __name__ == "__main__":
    raise SystemExit(run(main))
