"""Step 2: train AlexNet from scratch on the images of step 1."""

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.config import read_means
from pyimagesearch.cli.messages import table, verbosity, wrote
from pyimagesearch.runs.modelcard import write_model_card


@script(
    step="train",
    then=write_model_card,
    options=[
        options.MODEL.but(help="file for the best model; the training's other files are named after it"),
        options.RESUME, options.FORCE,
        Option("--epochs", type=options.positive_int, config="EPOCHS", metavar="N", help="epochs in all"),
        options.CLASS_WEIGHT, options.TENSORBOARD,
        options.BATCH_SIZE, options.JOBS, options.PRECISION, *options.DEVICES,
    ],
)  # fmt: skip
def main(args, config):
    import keras

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_splits
    from pyimagesearch.nn.conv import AlexNet
    from pyimagesearch.nn.modelfile import Preparation
    from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor
    from pyimagesearch.training import Training, learning_rate

    header, _ = read_splits(config.TRAIN_HDF5, config.VAL_HDF5)
    size, depth, classes = config.INPUT_SIZE, header.shape[-1], len(header.label_names)
    means, weights = read_means(config.DATASET_MEAN), args.class_weight
    preparation = Preparation(
        size, size, header.color_order, means, header.label_names, stored_size=header.stored_size, fit=header.fit
    )
    pp, aug = PatchPreprocessor(size, size), AugmentPreprocessor.from_settings(config.AUGMENTATION)
    sp, (mp, iap) = preparation.resize(), preparation.normalize()  # as every user of the model will do

    with Training(
        args.model, epochs=args.epochs, batch_size=args.batch_size, **options.training(args, config),
        last_path=config.LAST_MODEL_PATH if args.model == config.MODEL_PATH else None,
    ) as training:  # fmt: skip
        train = HDF5DatasetGenerator(
            config.TRAIN_HDF5, args.batch_size, preprocessors=[pp, aug, mp, iap], classes=classes,
            shuffle=True, seed=config.SEED, class_weight=weights, threads=args.jobs, share=training.share,
        )  # fmt: skip
        val = HDF5DatasetGenerator(
            config.VAL_HDF5, args.batch_size, preprocessors=[sp, mp, iap], classes=classes,
            threads=args.jobs, share=training.share,
        )  # fmt: skip
        steps = len(train)
        rate = learning_rate(
            config.LEARNING_RATE, config.LEARNING_RATE_DECAY, args.epochs * steps, config.WARM_UP_EPOCHS * steps
        )

        def new_alexnet():
            decay, smoothing = config.WEIGHT_DECAY, config.LABEL_SMOOTHING
            opt = keras.optimizers.AdamW(rate, weight_decay=decay) if decay else keras.optimizers.Adam(rate)
            loss = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.CategoricalCrossentropy
            model = AlexNet.build(size, size, depth, classes, reg=config.REGULARIZATION, dropout=config.DROPOUT)
            model.compile(loss=loss(label_smoothing=smoothing), optimizer=opt, metrics=["accuracy"])
            return model

        settings = f"class weights {weights}" if weights else ""
        training.fit(new_alexnet, train, val, preparation, learning_rate=rate, settings=settings, verbose=verbosity())
    if training.is_first:
        wrote(*training.files)
        table(training.HEADER, training.row())
    return training.results()


if __name__ == "__main__":
    raise SystemExit(main.run())
