"""What a trained model sees in images: the most probable classes of each, as text or on a contact sheet."""

import contextlib
import sys
from collections import Counter
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.errors import UserError
from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded(new_folder=False)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("image", nargs="+", help="image files, folders, and patterns in quotes, as 'photos/**/*.jpg'")
    parser.add_argument(
        "-m", "--model",
        help="a .keras file, a classifier's .skops or .pickle file, or a network of Keras, which knows ImageNet's "
        "1000 classes; the config's MODEL_PATH if not given",
    )  # fmt: skip
    parser.add_argument("--weights", default="", help="of a network of Keras: imagenet (if not given), or a file")
    parser.add_argument("--alpha", type=cli.positive_number, help="width of a MobileNet, as a factor; 1 if not given")
    parser.add_argument("-k", "--top", type=cli.positive_int, default=5, help="classes to name for each image")
    parser.add_argument("--crops", action="store_true", help="average the probabilities of ten crops of each image")
    parser.add_argument(
        "-b", "--batch-size", type=cli.positive_int, default=32, help="images, or crops of them, in a batch"
    )
    parser.add_argument("-j", "--jobs", type=cli.positive_int, help="decoding threads; all processors if not given")
    parser.add_argument(
        "-f", "--format", choices=("table", "json", "csv", "kaggle"), default="table",
        help="kaggle: a submission, with the last class's probability of two, or that of each class of more",
    )  # fmt: skip
    parser.add_argument("-o", "--output", help="file to write; printed if not given, all else then goes to stderr")
    parser.add_argument("--sheet", metavar="FILE.png", help="contact sheet to draw, of as many pages as needed")
    parser.add_argument("--on-error", choices=["fail", "skip"], default="fail", help="what an unreadable image means")
    parser.add_argument(
        "--trust-pickle", action="store_true", help="load a .pickle file, which can run any program of its maker's"
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")
    args = parser.parse_args(argv)
    if args.json and not args.output:
        raise UserError(
            "--json: prints a summary of predictions that go to a file; received no --output; name a file, or print "
            "the predictions themselves by --format json"
        )
    config = cli.load_config(args.config)

    from pyimagesearch.io.images.decoding import Decoding
    from pyimagesearch.predicting.contactsheet import ContactSheet, page_paths
    from pyimagesearch.predicting.formats import FORMATS
    from pyimagesearch.predicting.formats.cells import escaped
    from pyimagesearch.predicting.formats.submission import in_order_of_ids
    from pyimagesearch.predicting.imagepaths import find_images
    from pyimagesearch.predicting.prediction import predict_files
    from pyimagesearch.predicting.textoutput import text_output
    from pyimagesearch.utils.atomic import check_output
    from pyimagesearch.utils.parallel import cpu_count, keep_opencv_to_one_thread
    from pyimagesearch.utils.progress import progress

    decoding = Decoding(3, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS).check()
    paths = find_images(args.image)
    if args.sheet and Path(args.sheet).suffix.lower() != ".png":
        raise UserError(f"--sheet: must end in .png; received {args.sheet}; choose such a name")
    for page in page_paths(args.sheet, len(paths)) if args.sheet else ():
        check_output(page, args.force, "--sheet")
    if args.output:
        check_output(args.output, args.force, "--output")
    threads, screen = args.jobs or cpu_count(), cli.screen()
    keep_opencv_to_one_thread()

    from pyimagesearch.predicting.opening import open_predictor

    with contextlib.redirect_stdout(sys.stdout if args.output or args.quiet else sys.stderr):
        model = args.model or config.MODEL_PATH
        cli.info(f"loading model {model}...")
        predictor = open_predictor(model, args.weights, args.alpha, crops=args.crops, trust_pickle=args.trust_pickle)
        names = predictor.label_names
        if args.format == "kaggle":
            paths = in_order_of_ids(paths, numbered=len(names) == 2)
        predictions = predict_files(
            predictor, paths, args.batch_size, threads, decoding, args.on_error == "skip", bool(args.sheet)
        )
        sheet = ContactSheet(args.sheet, names) if args.sheet else None

        cli.info(f"predicting {len(paths):,} images...")
        counts: Counter[str] = Counter()
        skipped = {}
        with text_output(args.output, screen) as file:
            text = FORMATS[args.format](file, names, args.top)
            for prediction in progress(predictions, len(paths), "Predicting"):
                text.add(prediction)
                if prediction.reason:
                    skipped[prediction.path] = prediction.reason
                    cli.info(f"left out {escaped(prediction.path)}: {escaped(prediction.reason)}")
                    continue
                counts[names[prediction.best(1)[0][0]]] += 1
                if sheet:
                    sheet.add(prediction)
            text.close()
        if sheet:
            sheet.write()
        cli.info(f"predicted {counts.total():,} of {len(paths):,} images")
        files = ([Path(args.output)] if args.output else []) + (sheet.files if sheet else [])
        cli.wrote(*files)
        if args.output or not args.quiet:  # the predictions themselves are the end otherwise
            most = counts.most_common(args.top)
            lines = [(escaped(name)[:40], f"{count:,}", f"{count / counts.total():.1%}") for name, count in most]
            cli.table(("most probable", "images", "share"), *lines)
    return {
        "images": counts.total(), "classes": dict(counts), "skipped": skipped, "model": str(model),
        "inputs": [model] if Path(model).is_file() else [], "files": files,
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
