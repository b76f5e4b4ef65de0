"""What the tutorials on transfer learning share: their options, the training, the report."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyimagesearch.utils.cli import ArgumentParser, info, positive_int

SOURCES = 'a folder with a folder for each class, a CSV list of images, or "sample" for drawings'
MODEL_FILES = ("model.keras", "training.png", "training.json", "confusion_matrix.png")
_DRAWN_CLASSES = 20
"""More classes make a confusion matrix that nobody can read."""


def parser(description: str, epochs: int, output: str, size: int, data: str | None = SOURCES) -> ArgumentParser:
    """Return a parser with the options that all have; without ``data`` it may be left out, to download it."""
    result = ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    result.add_argument("-d", "--data", required=data is not None, help=data or "as examples.cifar10_from_scratch")
    result.add_argument("-w", "--weights", default="imagenet", help="imagenet, none (random: to try it), or a file")
    result.add_argument("-s", "--size", type=positive_int, default=size, help="pixels of the network's input")
    result.add_argument("-e", "--epochs", type=positive_int, default=epochs, help="passes over the images")
    result.add_argument("-b", "--batch-size", type=positive_int, default=32, help="images in a batch")
    result.add_argument("-o", "--output", type=Path, default=Path(output), help="folder for data and model")
    result.add_argument("--seed", type=int, default=42, help="the same seed gives the same run")
    result.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    return result


def check_outputs(args: argparse.Namespace) -> None:
    """Raise a `UserError` if a file that `learn` writes exists."""
    from pyimagesearch.utils.atomic import check_output

    for name in MODEL_FILES:
        check_output(args.output / name, args.force, "--output")


def learn(
    network: Any, paths: Mapping[str, Path], args: argparse.Namespace, *, freeze: str = "all", warm_up: int = 0,
    fine_tune_rate: float = 1e-4, augmentation: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train a `TransferNetwork`, save it, test it on every test image once, and print how it did.

    Args:
        network: the network.
        paths: the HDF5 file of each split; "val" may be missing.
        args: of `parser`; the epochs are those of both stages together.
        freeze, warm_up, fine_tune_rate: as of `plan_stages`.
        augmentation: arguments of `AugmentPreprocessor`.

    Returns:
        "model", "classes", "accuracy", "f1" (the mean over the classes), "images", "history" and "files".
    """
    import keras
    import numpy as np
    from sklearn.metrics import classification_report, confusion_matrix, f1_score

    from pyimagesearch.callbacks import TrainingMonitor
    from pyimagesearch.io import HDF5DatasetGenerator
    from pyimagesearch.io.format.dataset import read_header
    from pyimagesearch.ml.plots import draw_confusion_matrix
    from pyimagesearch.nn.modelfile import Position, save_model
    from pyimagesearch.nn.prediction import predict
    from pyimagesearch.preprocessing import AugmentPreprocessor
    from pyimagesearch.training.stages import fit_stages, plan_stages

    names = read_header(paths["train"]).label_names
    preparation = network.preparation(names)
    sp, aug, scale = preparation.resize(), AugmentPreprocessor(**(augmentation or {})), preparation.normalize()
    options = {"batch_size": args.batch_size, "classes": len(names)}
    train = HDF5DatasetGenerator(
        paths["train"], preprocessors=[sp, aug, *scale], shuffle=True, seed=args.seed, **options
    )
    held_out = {
        split: HDF5DatasetGenerator(path, preprocessors=[sp, *scale], **options)
        for split, path in paths.items()
        if split != "train"
    }

    info(f"training on {train.num_images:,} images...")
    keras.utils.set_random_seed(args.seed)
    model = network.build(len(names))
    warm_up = min(warm_up, args.epochs)
    stages = plan_stages(model, freeze, warm_up, args.epochs - warm_up, 1e-3, fine_tune_rate)
    model_path, figure, curves, confusion = (args.output / name for name in MODEL_FILES)
    monitor, verbose = TrainingMonitor(figure, curves), 1 if sys.stdout.isatty() else 2
    fit_stages(model, stages, train, held_out.get("val"), Position(), [monitor], verbose)
    save_model(model, model_path, preparation, Position(args.epochs))

    test = held_out["test"]
    predictions = np.array(names)[predict(model, test, "Testing").argmax(axis=1)]
    truth = np.array(names)[test.labels]
    print(classification_report(truth, predictions, digits=4, zero_division=0))
    files = [*paths.values(), model_path, figure, curves]
    if len(names) <= _DRAWN_CLASSES:
        counts = confusion_matrix(truth, predictions, labels=names)
        print(f"confusion matrix (rows: {', '.join(names)})\n{counts}")
        print(f"as shares of each row\n{(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).round(4)}")
        draw_confusion_matrix(truth, predictions, names, confusion)
        files.append(confusion)
    accuracy = float((truth == predictions).mean())
    f1 = float(f1_score(truth, predictions, labels=names, average="macro", zero_division=0))
    info(f"{(truth == predictions).sum():,} of {len(truth):,} test images are right: {accuracy:.2%}; F1 {f1:.4f}")
    return {
        "model": model, "classes": names, "accuracy": accuracy, "f1": f1, "images": len(truth),
        "history": monitor.history, "files": files,
    }  # fmt: skip
