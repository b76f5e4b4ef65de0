"""Predict images: the most probable classes of each, as text or on a contact sheet."""

import contextlib
import sys
from collections import Counter
from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, screen, table, wrote
from pyimagesearch.errors import UserError


@script(
    step="predict",
    new_folder=False,
    options=[
        Option("image", nargs="+", help="image files, folders, and patterns in quotes, as 'photos/**/*.jpg'"),
        options.MODEL.but(help="a .keras, .skops or .pickle file, or a network of Keras with ImageNet's 1000 classes"),
        Option("--weights", default="", help="of a network of Keras: imagenet (if not given), or a file"),
        Option("--alpha", type=options.positive_number, help="width of a MobileNet, as a factor; 1 if not given"),
        Option("-k", "--top", type=options.positive_int, default=5, help="classes to name for each image"),
        Option("--crops", action="store_true", help="average the probabilities of ten crops of each image"),
        Option("-f", "--format", choices=("table", "json", "csv", "kaggle"), default="table",
               help="of the predictions; kaggle: a submission to a contest"),
        Option("--on-error", choices=("fail", "skip"), default="fail", help="what to do with an unreadable image"),
        Option("--trust-pickle", action="store_true", help="load a .pickle file, which can run any code of its maker"),
        options.OUTPUT.but(help="file to write; if not given, predictions are printed, and all else goes to stderr"),
        Option("--sheet", metavar="FILE.png", group=options.FILES, help="contact sheet to draw, on one page or more"),
        options.FORCE,
        options.BATCH_SIZE.but(default=32, help="images, or crops of them, in a batch"),
        options.JOBS,
    ],
)  # fmt: skip
def main(args, config):
    from pyimagesearch.io.images.decoding import Decoding
    from pyimagesearch.predicting import ContactSheet, find_images, in_order_of_ids, open_writer, page_paths
    from pyimagesearch.predicting.files import predict_files
    from pyimagesearch.utils.atomic import check_output
    from pyimagesearch.utils.parallel import cpu_count
    from pyimagesearch.utils.progress import progress
    from pyimagesearch.utils.text import printable

    if args.json and not args.output:
        raise UserError("--json: needs --output for the predictions; add it, or print these with --format json")
    decoding = Decoding(3, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS, config.MAX_VALUE).check()
    paths = find_images(args.image)
    for page in page_paths(args.sheet, len(paths)) if args.sheet else ():
        check_output(page, args.force, "sheet")
    if args.output:
        check_output(args.output, args.force)

    with contextlib.redirect_stdout(sys.stdout if args.output or args.quiet else sys.stderr):
        from pyimagesearch.predicting import open_predictor  # takes seconds: what was typed is checked before

        info(f"loading model {args.model}...")
        trust = args.trust_pickle
        predictor = open_predictor(args.model, args.weights, args.alpha, crops=args.crops, trust_pickle=trust)
        names, threads = predictor.label_names, args.jobs or cpu_count()
        paths = in_order_of_ids(paths, names) if args.format == "kaggle" else paths
        sheet = ContactSheet(args.sheet, names) if args.sheet else None

        info(f"predicting {len(paths):,} images...")
        counts, skipped = Counter(), {}
        predictions = predict_files(predictor, paths, args.batch_size, threads, decoding, args.on_error, bool(sheet))
        with open_writer(args.format, args.output, screen(), names, args.top) as writer:
            for prediction in progress(predictions, len(paths), "Predicting"):
                writer.add(prediction)
                if sheet:
                    sheet.add(prediction)
                if prediction.reason:
                    skipped[prediction.path] = prediction.reason
                    info(f"left out {printable(prediction.path)}: {printable(prediction.reason)}")
                else:
                    counts[names[prediction.best(1)[0][0]]] += 1
        info(f"predicted {counts.total():,} of {len(paths):,} images")
        files = [*([Path(args.output)] if args.output else []), *(sheet.close() if sheet else [])]
        wrote(*files)
        if args.output or not args.quiet:  # printed predictions are the end of a quiet run
            rows = ((printable(n, 40), f"{c:,}", f"{c / counts.total():.1%}") for n, c in counts.most_common(args.top))
            table(("most probable", "images", "share"), *rows)
    return {
        "images": counts.total(), "classes": dict(counts), "skipped": skipped, "model": str(args.model),
        "inputs": [args.model] if Path(args.model).is_file() else [], "files": files,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main.run())
