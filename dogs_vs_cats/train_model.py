"""Step 5: train logistic regression on the features of step 4."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.utils import cli

C_VALUES = (0.0001, 0.001, 0.01, 0.1, 1.0)


def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-d", "--db", help="HDF5 file of features; the config's FEATURES_HDF5 if not given")
    parser.add_argument(
        "-m", "--model", help=".skops or .pickle file to write; the config's CLASSIFIER_PATH if not given"
    )
    parser.add_argument(
        "-j", "--jobs", type=cli.processes, default=-1, help="processes of the grid search; -1 for all processors"
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    db, model_path = Path(args.db or config.FEATURES_HDF5), Path(args.model or config.CLASSIFIER_PATH)

    import numpy as np

    from pyimagesearch.io.atomic import check_output
    from pyimagesearch.ml import classifierfile, reports
    from pyimagesearch.ml.features import read_features

    classifierfile.check_name(model_path)
    check_output(model_path, args.force, "--model")
    figure = check_output(model_path.with_name("confusion_matrix.png"), args.force, "--model")
    features, labels, names = read_features(db)

    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, classification_report
    from sklearn.model_selection import GridSearchCV, train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    cli.info(f"tuning hyperparameters on 75% of {len(labels):,} feature vectors...")
    names = np.array(names)
    split = train_test_split(features, names[labels], test_size=0.25, stratify=labels, random_state=config.SEED)
    train_x, test_x, train_y, test_y = split
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    search = GridSearchCV(pipeline, {"logisticregression__C": C_VALUES}, cv=3, n_jobs=args.jobs)
    search.fit(train_x, train_y)
    best_c = search.best_params_["logisticregression__C"]
    cli.info(f"best hyperparameters: C = {best_c}")

    cli.info("evaluating...")
    predictions = search.predict(test_x)
    print(classification_report(test_y, predictions, digits=4))
    accuracy = accuracy_score(test_y, predictions)
    cli.info(f"accuracy: {accuracy:.2%} of {len(test_y):,} images")

    cli.info("saving model...")
    classifierfile.save(search.best_estimator_, model_path)
    reports.draw_confusion_matrix(test_y, predictions, names, figure)
    cli.wrote(model_path, figure)
    return {"accuracy": accuracy, "images": len(test_y), "best_c": best_c, "files": [model_path, figure]}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
