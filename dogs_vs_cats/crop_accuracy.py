"""Step 3: accuracy on the test images, without crops and averaged over ten crops of each."""

from pathlib import Path

from pyimagesearch.cli import options, script
from pyimagesearch.cli.messages import closing, info, table, wrote
from pyimagesearch.runs.modelcard import write_model_card


@script(
    step="crops", then=write_model_card,
    options=[
        options.DATASET.but(config="TEST_HDF5", help="HDF5 file of test images"),
        options.MODEL.but(help="trained network"),
        options.OUTPUT.but(help="file of predictions to write; if not given, MODEL_predictions.hdf5 beside the model"),
        options.FORCE, options.BATCH_SIZE.but(default=32), options.JOBS,
    ],
)  # fmt: skip
def main(args, config):
    import numpy as np
    from sklearn.metrics import classification_report

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.ml import metrics
    from pyimagesearch.nn.modelfile import load_model
    from pyimagesearch.nn.prediction import predict
    from pyimagesearch.predicting.predictionsfile import read_paths, write_predictions
    from pyimagesearch.preprocessing import CropPreprocessor, SimplePreprocessor
    from pyimagesearch.preprocessing.croppreprocessor import size_around
    from pyimagesearch.utils import rank5_accuracy
    from pyimagesearch.utils.atomic import check_output

    beside_model = Path(args.model).with_name(f"{Path(args.model).stem}_predictions.hdf5")
    output = check_output(args.output or beside_model, args.force)
    info(f"loading {args.model}...")
    model, preparation = load_model(args.model)
    header = read_header(args.dataset)
    preparation.check_data(header)
    names, labels, paths = preparation.label_names, header.labels, read_paths(args.dataset, len(header.labels))

    # the whole image resized, or ten crops, which a stored image must be large enough for
    width, height = preparation.width, preparation.height
    sp, cp, normalize = preparation.resize(), CropPreprocessor(width, height), preparation.normalize()
    enlarge = [SimplePreprocessor(*size_around(width, height))] if min(header.shape[1:3]) < max(width, height) else []

    evaluations, most_probable = [], []
    for name, preprocessors in (("no crops", [sp, *normalize]), ("10 crops", [*enlarge, cp, *normalize])):
        info(f"predicting on test data ({name})...")
        test = HDF5DatasetGenerator(
            args.dataset, args.batch_size, preprocessors=preprocessors, classes=len(names), threads=args.jobs
        )
        predictions = predict(model, test, f"Evaluating, {name}")
        test.close()
        rank1, rank5 = rank5_accuracy(predictions, labels)
        rank5_text = f", rank-5: {rank5:.2%}" if len(names) > 5 else ""
        info(f"rank-1, {name}: {rank1:.2%}{rank5_text} of {len(predictions):,} images")
        evaluations.append(metrics.evaluate_predictions(labels, predictions, names, paths))
        most_probable.append(predictions.argmax(axis=1))
        if words := metrics.imbalance_in_words(evaluations[-1]):
            info(f"{words}, {name}")

    whole, crops = evaluations
    difference, classes = metrics.mcnemar(labels, *most_probable), np.array(names)
    report = classification_report(classes[labels], classes[most_probable[1]], digits=4, zero_division=0)
    print(report, metrics.confusion_in_words(crops), sep="\n")
    write_predictions(output, most_probable[1], labels, names, predictions, paths=paths)
    wrote(output)
    both = [(n, f"{e['accuracy']:.2%}", f"{e['images']:,}") for n, e in (("no crops", whole), ("10 crops", crops))]
    table(("rank-1", "accuracy", "test images"), *both)
    closing(metrics.difference_in_words("ten crops", difference))
    return {
        "rank1": whole["accuracy"], "rank1_crops": crops["accuracy"], "images": len(predictions), "model": args.model,
        "evaluation": whole, "evaluation_crops": crops, "crops_against_none": difference, "predictions": output,
        "inputs": [args.dataset, args.model], "files": [output],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main.run())
