"""Transfer learning: train a new head on a network that knows ImageNet, then its upper layers as well."""

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, verbosity, wrote
from pyimagesearch.errors import UserError
from pyimagesearch.runs.modelcard import write_model_card

NETWORK, LEARNING = "network", "learning"
OPTIONS = [
    options.OUTPUT.but(dest="model_path", help="best model; if not given, fine_tuned.keras in OUTPUT_PATH"),
    options.RESUME, options.FORCE, options.TENSORBOARD,
    Option("-m", "--model", config="NETWORK", group=NETWORK, help="a network of Keras"),
    Option("-w", "--weights", default="imagenet", group=NETWORK, help="imagenet, none (random: for tests), or a file"),
    Option("-a", "--alpha", type=float, config="NETWORK_ALPHA", group=NETWORK, help="width factor of a MobileNet"),
    Option("--size", type=options.positive_int, config="NETWORK_SIZE", group=NETWORK, help="pixels of the input"),
    Option("--layer", config="NETWORK_LAYER", group=NETWORK, help="layer to put the head on, if not the last"),
    Option("--head", type=options.positive_ints, config="HEAD", group=NETWORK, help="units of dense layers: 64,32"),
    Option("--dropout", type=options.fraction, config="HEAD_DROPOUT", group=NETWORK, help="of the last layer's inputs"),
    Option("--batch-norm", action="store_true", default=None, config="HEAD_BATCH_NORM", group=NETWORK,
           help="begin the head with a batch normalisation"),
    Option("--warm-up", type=options.whole_number, config="HEAD_EPOCHS", group=LEARNING, help="epochs of the head"),
    Option("-e", "--epochs", type=options.whole_number, config="FINE_TUNE_EPOCHS", group=LEARNING, help="after these"),
    Option("--freeze", config="FREEZE", group=LEARNING, help="the first N layers, those up to a name, or all"),
    Option("--learning-rate", type=options.positive_number, default=1e-3, group=LEARNING, help="in the warm-up"),
    Option("--fine-tune-rate", type=options.positive_number, config="FINE_TUNE_RATE", group=LEARNING, help="after it"),
    options.CLASS_WEIGHT.but(group=LEARNING),
    Option("-p", "--patience", type=options.positive_int, group=LEARNING, help="epochs to wait for a lower loss"),
    options.BATCH_SIZE.but(default=32), options.JOBS, options.PRECISION, *options.DEVICES,
]  # fmt: skip


@script(step="fine_tune", options=OPTIONS, then=write_model_card)
def main(args, config):
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_splits
    from pyimagesearch.nn.transfer import TransferNetwork, backbone_layers
    from pyimagesearch.preprocessing import AugmentPreprocessor
    from pyimagesearch.training import Training
    from pyimagesearch.training.stages import plan_stages

    header, _ = read_splits(config.TRAIN_HDF5, config.VAL_HDF5)
    if header.shape[-1] != 3:
        raise UserError(
            f"train_hdf5: {header.path} must hold images of 3 channels; received {header.shape[-1]}; "
            "set CHANNELS = 3 in the config and build it again"
        )
    network = TransferNetwork(
        args.model, args.weights, args.alpha, args.size, args.layer, args.head, args.dropout, args.batch_norm
    )
    names, stored = header.label_names, min(header.shape[1:3])
    preparation = network.preparation(names, header.color_order, header.stored_size, header.fit)
    if stored < preparation.width:
        info(f"images of {stored} pixels are enlarged to {preparation.width}; a larger STORED_SIZE would show more")
    aug = AugmentPreprocessor.from_settings(config.AUGMENTATION)
    sp, (mp, iap) = preparation.resize(), preparation.normalize()

    def plan(model):
        rates = args.learning_rate, args.fine_tune_rate
        stages = plan_stages(model, str(args.freeze), args.warm_up, args.epochs, *rates)
        if stages[-1].frozen == len(backbone_layers(model)):
            info("the backbone stays as it is: extract_features and train_model are much faster at that")
        return stages

    rates = f"rates {args.learning_rate} and {args.fine_tune_rate}, class weights {args.class_weight or 'none'}"
    settings = f"{tuple(network)}, {args.warm_up} epochs of warm-up, then frozen {args.freeze}, {rates}"
    with Training(
        args.model_path or f"{config.OUTPUT_PATH}/fine_tuned.keras", epochs=args.warm_up + args.epochs,
        batch_size=args.batch_size, **options.training(args, config),
    ) as training:  # fmt: skip
        feeding = {"classes": len(names), "threads": args.jobs, "share": training.share}
        train = HDF5DatasetGenerator(
            config.TRAIN_HDF5, args.batch_size, preprocessors=[sp, aug, mp, iap], shuffle=True, seed=config.SEED,
            class_weight=args.class_weight, **feeding,
        )  # fmt: skip
        val = HDF5DatasetGenerator(config.VAL_HDF5, args.batch_size, preprocessors=[sp, mp, iap], **feeding)
        info(f"training a head on {args.model}...")
        training.fit(
            lambda: network.build(len(names)), train, val, preparation, stages=plan, patience=args.patience,
            settings=settings, verbose=verbosity(),
        )  # fmt: skip
    if training.is_first:
        wrote(*training.files)
        table(training.HEADER, training.row())
    return training.results()


if __name__ == "__main__":
    raise SystemExit(main.run())
