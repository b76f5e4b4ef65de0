"""Step 5: train a linear classifier on the features of step 4."""

import time

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, table, wrote
from pyimagesearch.cluster import open_cluster
from pyimagesearch.runs.modelcard import write_model_card
from pyimagesearch.runs.surroundings import versions


@script(
    step="classify", then=write_model_card, uses_keras=False,
    options=[
        Option("-d", "--dataset", "--db", config="FEATURES_HDF5", group=options.FILES, help="HDF5 file of features"),
        options.MODEL.but(config="CLASSIFIER_PATH", help=".skops or .pickle file to write; others are named after it"),
        options.FORCE, options.JOBS, options.CLUSTER, options.CLASS_WEIGHT,
        Option("-c", "--classifier", choices=("logistic", "linear-svm", "sgd"), default="logistic",
               help="kind; sgd: logistic regression by stochastic gradient descent"),
        Option("--folds", dest="cv", type=options.positive_int, default=3, metavar="N", help="of the search for C"),
        Option("--calibrate", action="store_true", help="calibrate the probabilities on the folds"),
        Option("--clip", type=float, default=0.0, metavar="P", help="limit probabilities to [P, 1 - P]"),
        Option("--out-of-core", choices=("auto", "yes", "no"), default="auto", group=options.SPEED,
               help="read features from the file in each pass; auto: if they exceed half of the free memory"),
    ],
)  # fmt: skip
def main(args, config):
    import numpy as np
    from sklearn.metrics import classification_report
    from sklearn.model_selection import train_test_split

    from pyimagesearch.features import FeatureFile
    from pyimagesearch.ml import ClassifierFiles, LinearClassifierCV, draw_confusion_matrix, metrics
    from pyimagesearch.predicting.predictionsfile import write_predictions
    from pyimagesearch.utils.atomic import write_json

    start, files = time.monotonic(), ClassifierFiles(args.model, args.force)
    db = FeatureFile(args.dataset, in_memory={"auto": None, "yes": False, "no": True}[args.out_of_core])
    rows, names = np.arange(len(db.labels)), np.array(db.names)
    train, test = train_test_split(rows, test_size=0.25, stratify=db.labels, random_state=config.SEED)
    test.sort()
    place = "in memory" if db.in_memory else "out of core"
    info(f"tuning hyperparameters on 75% of {len(rows):,} feature vectors, {place}...")
    with open_cluster(args.cluster, args.jobs, versions) as cluster:
        model = LinearClassifierCV(
            Cs=[0.0001, 0.001, 0.01, 0.1, 1.0], cv=args.cv, kind=args.classifier, calibrate=args.calibrate,
            clip=args.clip, class_weight=args.class_weight, seed=config.SEED, jobs=args.jobs, cluster=cluster,
        ).fit(db, train)  # fmt: skip
    for result in model.cv_results_:
        info(str(result))
    info(f"best hyperparameters: C = {model.C_}")

    info("evaluating...")
    preds, probabilities = model.classifier_.predict_rows(db, test)
    truth, paths = db.labels[test], db.read_paths(test)
    db.close()
    print(classification_report(names[truth], names[preds], digits=4, zero_division=0))
    evaluation = metrics.evaluate_predictions(truth, probabilities, db.names, paths, test, preds)
    print(metrics.confusion_in_words(evaluation))
    info(f"accuracy: {evaluation['accuracy']:.2%} of {len(test):,} images")
    if evaluation["rarest"]:
        info(metrics.imbalance_in_words(evaluation))
    if probabilities is not None:
        info(f"log loss: {evaluation['log_loss']:.4f} on {len(test):,} images")

    info("saving model...")
    model.classifier_.save(args.model)
    write_predictions(files.predictions, preds, truth, db.names, probabilities, test, paths)
    seconds, results = round(time.monotonic() - start, 2), model.report(evaluation)
    write_json(files.report, {**results, "out_of_core": not db.in_memory, "seconds": seconds})
    draw_confusion_matrix(names[truth], names[preds], names, files.confusion_matrix)
    wrote(*files.all)
    line = args.model, f"{model.C_:g}", f"{evaluation['accuracy']:.2%}", f"{len(test):,}"
    table(("classifier", "C", "accuracy", "test images"), line)
    return {**results, "evaluation": evaluation, "cluster": args.cluster, "workers": cluster.workers,
            "predictions": files.predictions, "inputs": [args.dataset], "files": files.all}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main.run())
