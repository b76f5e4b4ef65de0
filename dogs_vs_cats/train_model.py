"""Step 5: train a linear classifier on the features of step 4."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.cluster import open_cluster, options
from pyimagesearch.runs.modelcard import write_model_card
from pyimagesearch.runs.recording import recorded
from pyimagesearch.runs.surroundings import versions
from pyimagesearch.utils import cli

C_VALUES = (0.0001, 0.001, 0.01, 0.1, 1.0)
IN_MEMORY = {"auto": None, "yes": False, "no": True}  # by --out-of-core


def margin(text: str) -> float:
    number = float(text)
    if not 0 <= number < 0.5:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 0.5; received {text}")
    return number


@recorded(then=write_model_card, uses_keras=False)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-d", "--db", help="HDF5 file of features; the config's FEATURES_HDF5 if not given")
    parser.add_argument(
        "-m", "--model", help=".skops or .pickle file to write; the config's CLASSIFIER_PATH if not given"
    )
    parser.add_argument(
        "-c", "--classifier", choices=("logistic", "linear-svm", "sgd"), default="logistic",
        help="logistic regression, linear support vector machine, or logistic regression by stochastic descent",
    )  # fmt: skip
    parser.add_argument("-k", "--folds", type=cli.positive_int, default=3, help="parts of the search for C")
    parser.add_argument("--calibrate", action="store_true", help="calibrate probabilities on the folds")
    parser.add_argument(
        "--clip", type=margin, default=0.0, metavar="P",
        help="keep probabilities in [P, 1 - P]: a contest scored by log loss rewards 0.005",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out-of-core", choices=IN_MEMORY, default="auto",
        help="read features from the file again and again; auto: if they exceed half of the free memory",
    )  # fmt: skip
    parser.add_argument("-j", "--jobs", type=cli.processes, default=-1, help="threads; -1 for all processors")
    options.add_cluster(parser)
    parser.add_argument("--force", action="store_true", help="replace existing files")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    with open_cluster(args.cluster, None if args.jobs == -1 else args.jobs, versions) as cluster:
        return train(args, config, cluster)


def train(args: argparse.Namespace, config: Any, cluster: Any) -> dict:
    """Train what the options ask for, and search on a cluster; return the results of `main`."""
    db, model_path = Path(args.db or config.FEATURES_HDF5), Path(args.model or config.CLASSIFIER_PATH)

    import numpy as np

    from pyimagesearch.features.featurefile import FeatureFile
    from pyimagesearch.ml import classifierfile, evaluation
    from pyimagesearch.ml.plots import draw_confusion_matrix
    from pyimagesearch.predicting.predictionsfile import read_paths, write_predictions
    from pyimagesearch.utils.atomic import check_output, write_json
    from pyimagesearch.utils.parallel import cpu_count

    classifierfile.check_name(model_path)
    figure, report = model_path.with_name("confusion_matrix.png"), model_path.with_suffix(".json")
    files = [*classifierfile.files_of(model_path), figure, report]
    for path in files:
        check_output(path, args.force, "--model")
    predicted_path = model_path.with_name(f"{model_path.stem}_predictions.hdf5")
    start = time.monotonic()
    features = FeatureFile(db, IN_MEMORY[args.out_of_core])
    cluster.check(reads=[db])
    evaluation.check_probabilities(args.classifier, args.calibrate, args.clip, len(features.names))

    from sklearn.metrics import classification_report
    from sklearn.model_selection import train_test_split

    from pyimagesearch.ml.calibration import calibrate
    from pyimagesearch.ml.metrics import evaluate_predictions
    from pyimagesearch.ml.search import search

    n, place = len(features.labels), "in memory" if features.in_memory else "out of core"
    cli.info(f"tuning hyperparameters on 75% of {n:,} feature vectors, {place}...")
    train, test = train_test_split(np.arange(n), test_size=0.25, stratify=features.labels, random_state=config.SEED)
    threads = cpu_count() if args.jobs == -1 else args.jobs
    found = search(features, train, args.classifier, C_VALUES, args.folds, threads, config.SEED, cluster)
    for candidate in found.candidates:
        cli.info(evaluation.in_words(candidate))
    cli.info(f"best hyperparameters: C = {found.best.c}")
    pipeline = calibrate(found, features.labels[train]) if args.calibrate else found.pipeline
    classifier = classifierfile.Classifier(pipeline, features.recipe, features.names, args.clip)

    cli.info("evaluating...")
    names, rows = classifier.label_names, np.sort(test)
    truth, paths = features.labels[rows], read_paths(db, n)
    predictions, probabilities = evaluation.predict(classifier, features, rows)
    features.close()
    paths = paths and [paths[row] for row in rows]
    result = evaluate_predictions(truth, probabilities, names, paths, rows, predictions)
    by_name = np.array(names)[truth], np.array(names)[predictions]
    print(classification_report(*by_name, digits=4, zero_division=0))
    cli.info(f"accuracy: {result['accuracy']:.2%} of {len(test):,} images")
    if result["log_loss"] is not None:
        cli.info(f"log loss: {result['log_loss']:.4f} on {len(test):,} images")

    cli.info("saving model...")
    classifierfile.save(pipeline, model_path, *classifier[1:])
    draw_confusion_matrix(*by_name, names, figure)
    write_predictions(predicted_path, predictions, truth, names, probabilities, rows, paths)
    figures = {
        **{key: result[key] for key in ("accuracy", "log_loss", "images")}, "best_c": found.best.c,
        "training_images": len(train), "features": features.shape[1], "classifier": args.classifier,
    }  # fmt: skip
    content = {
        **figures, "calibrated": args.calibrate, "clip": args.clip, "classes": names,
        "folds": args.folds, "search": [candidate._asdict() for candidate in found.candidates],
        "out_of_core": not features.in_memory, "seconds": round(time.monotonic() - start, 2),
    }  # fmt: skip
    write_json(report, content)
    files.append(predicted_path)
    cli.wrote(*files)
    line = str(model_path), f"{found.best.c:g}", f"{result['accuracy']:.2%}", f"{len(test):,}"
    cli.table(("classifier", "C", "accuracy", "test images"), line)
    return {
        **figures, "evaluation": result, "cluster": args.cluster, "workers": cluster.workers,
        "predictions": predicted_path, "inputs": [db], "files": files,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
