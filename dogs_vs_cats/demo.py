"""All five steps in a row, on the drawn sample or on a folder of your own, their results in a table and on a page."""

import time
from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import closing, info, table
from pyimagesearch.errors import UserError


@script(
    step="demo",
    config="config.demo_config",
    options=[
        Option("--images", help="folder of labelled images; a sample is drawn if not given"),
        Option("--epochs", type=options.positive_int, help="epochs of AlexNet (config: EPOCHS)"),
    ],
)
def main(args, config):
    from dogs_vs_cats import (
        build_dogs_vs_cats,
        crop_accuracy,
        draw_sample,
        extract_features,
        report,
        train_alexnet,
        train_model,
    )

    seconds, files = {}, []

    def step(name, module, *arguments):
        print(f"\n== {name}: python -m {module.main.name} {' '.join(arguments)}", flush=True)
        start = time.perf_counter()
        results = module.main([*arguments, *(["--config", args.config] if module is not draw_sample else [])])
        seconds[name] = time.perf_counter() - start
        files.extend(map(Path, results["files"]))
        return results

    images = args.images or config.IMAGES_PATH
    if not args.images:
        step("draw", draw_sample, "--output", images, "--force")
    step("build", build_dogs_vs_cats, "--dataset", images, "--force")
    step("train", train_alexnet, *(["--epochs", str(args.epochs)] if args.epochs else []), "--force")
    crops = step("crops", crop_accuracy, "--force")
    of_test = ["--dataset", config.TEST_HDF5, "--force"]
    try:
        network = "ResNet50"
        step("features", extract_features, *of_test)
    except UserError as error:
        info(f"no ResNet50 here: {error}")
        network = "our AlexNet"
        step("features", extract_features, *of_test, "--model", config.MODEL_PATH)
    classified = step("classify", train_model, "--force")

    results = [
        ("AlexNet, rank-1, no crops", crops["rank1"], crops["images"]),
        ("AlexNet, rank-1, 10 crops", crops["rank1_crops"], crops["images"]),
        (f"logistic regression on features of {network}", classified["accuracy"], classified["images"]),
    ]
    table(("result", "accuracy", "test images"), *((name, f"{a:.2%}", f"{n:,}") for name, a, n in results))
    step("report", report)

    table(("step", "seconds"), *((name, f"{taken:.1f}") for name, taken in seconds.items()),
          ("all", f"{sum(seconds.values()):.1f}"))  # fmt: skip
    closing("files written\n" + "\n".join(f"  {path}" for path in files))
    return {"results": results, "seconds": seconds, "files": files}


if __name__ == "__main__":
    raise SystemExit(main.run())
