"""Step 3: accuracy on the test images, without crops and averaged over ten crops of each."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.runs.modelcard import write_model_card
from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded(then=write_model_card)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-d", "--dataset", help="HDF5 file of test images; the config's TEST_HDF5 if not given")
    parser.add_argument("-m", "--model", help="trained model; the config's MODEL_PATH if not given")
    parser.add_argument("-b", "--batch-size", type=cli.positive_int, default=32, help="images in a batch")
    parser.add_argument(
        "-j", "--jobs", type=cli.positive_int, help="preprocessing threads; all processors if not given"
    )
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    dataset, model_path = args.dataset or config.TEST_HDF5, args.model or config.MODEL_PATH

    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.ml.metrics import evaluate_predictions
    from pyimagesearch.nn.modelfile import load_model
    from pyimagesearch.nn.prediction import predict
    from pyimagesearch.predicting.predictionsfile import read_paths, write_predictions
    from pyimagesearch.predicting.predictor import size_around
    from pyimagesearch.preprocessing import CropPreprocessor, SimplePreprocessor
    from pyimagesearch.utils import rank5_accuracy

    cli.info(f"loading {model_path}...")
    model, preparation = load_model(model_path)
    sp, normalize = preparation.resize(), preparation.normalize()
    size = preparation.width, preparation.height
    header = read_header(dataset)
    preparation.check_data(header)
    enlarge = [SimplePreprocessor(*size_around(*size))] if min(header.shape[1:3]) < max(size) else []
    cp = CropPreprocessor(*size)
    names, paths = preparation.label_names, read_paths(dataset, len(header.labels))
    predicted_path = Path(config.OUTPUT_PATH, f"{Path(model_path).stem}_predictions.hdf5")

    evaluations = []
    for name, steps in (("no crops", [sp, *normalize]), ("10 crops", [*enlarge, cp, *normalize])):
        cli.info(f"predicting on test data ({name})...")
        test = HDF5DatasetGenerator(dataset, args.batch_size, steps, classes=len(names), threads=args.jobs)
        predictions = predict(model, test, f"Evaluating, {name}")
        rank1, rank5 = rank5_accuracy(predictions, header.labels)
        evaluations.append(evaluate_predictions(header.labels, predictions, names, paths))
        test.close()
        rank5_text = f", rank-5: {rank5:.2%}" if len(names) > 5 else ""
        cli.info(f"rank-1, {name}: {rank1:.2%}{rank5_text} of {len(predictions):,} images")
    write_predictions(predicted_path, predictions.argmax(axis=1), header.labels, names, predictions, paths=paths)
    cli.wrote(predicted_path)
    whole, crops = evaluations
    rows = [
        (name, f"{found['accuracy']:.2%}", f"{found['images']:,}")
        for name, found in (("no crops", whole), ("10 crops", crops))
    ]
    cli.table(("rank-1", "accuracy", "test images"), *rows)
    return {
        "rank1": whole["accuracy"], "rank1_crops": crops["accuracy"], "images": len(predictions), "model": model_path,
        "evaluation": whole, "evaluation_crops": crops, "predictions": predicted_path,
        "inputs": [dataset, model_path], "files": [predicted_path],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
