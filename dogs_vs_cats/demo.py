"""All five steps in a row, on the drawn sample or on a folder of your own, their results in a table and on a page."""

import sys
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dogs_vs_cats import (
    build_dogs_vs_cats,
    crop_accuracy,
    draw_sample,
    extract_features,
    report,
    train_alexnet,
    train_model,
)
from pyimagesearch.errors import UserError
from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__, default_config="config.demo_config")
    parser.add_argument("--images", help="folder of labelled images; a sample is drawn if not given")
    parser.add_argument("--epochs", type=cli.positive_int, help="the config's EPOCHS if not given")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    settings = ["--config", args.config]
    images = args.images or config.IMAGES_PATH
    seconds: dict[str, float] = {}

    def step(name: str, script, *arguments: str) -> dict:
        print(f"\n== {name}: python -m {script.__name__} {' '.join(arguments)}", flush=True)
        start = time.perf_counter()
        result = script.main([*arguments, *(settings if script is not draw_sample else [])])
        seconds[name] = time.perf_counter() - start
        return result

    files = []
    if not args.images:
        step("draw", draw_sample, "--output", images, "--force")
        files.append(Path(images))
    epochs = ["--epochs", str(args.epochs)] if args.epochs else []
    built = step("build", build_dogs_vs_cats, "--dataset", images, "--force")
    trained = step("train", train_alexnet, *epochs, "--force")
    crops = step("crops", crop_accuracy)
    test_images = ["--dataset", config.TEST_HDF5]
    try:
        network = "ResNet50"
        features = step("features", extract_features, *test_images, "--force")
    except UserError as error:
        cli.info(f"no ResNet50 here: {error}")
        network = "our AlexNet"
        own = ["--model", config.MODEL_PATH]
        features = step("features", extract_features, *test_images, *own, "--force")
    classified = step("classify", train_model, "--force")

    rows = [
        ("AlexNet, rank-1, no crops", crops["rank1"], crops["images"]),
        ("AlexNet, rank-1, 10 crops", crops["rank1_crops"], crops["images"]),
        (f"logistic regression on features of {network}", classified["accuracy"], classified["images"]),
    ]
    cli.table(("result", "accuracy", "test images"), *((name, f"{a:.2%}", f"{n:,}") for name, a, n in rows))
    page = step("report", report)

    for result in (built, trained, crops, features, classified, page):
        files.extend(map(Path, result["files"]))
    taken = [*seconds.items(), ("all", sum(seconds.values()))]
    cli.table(("step", "seconds"), *((name, f"{time:.1f}") for name, time in taken))
    cli.closing("files written\n" + "\n".join(f"  {path}" for path in files))
    return {"results": rows, "seconds": seconds, "files": files}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
