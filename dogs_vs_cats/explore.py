"""Before step 1: look at the images: counts, sizes, colours, odd and unreadable files, duplicates, montages."""

import os
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded(new_folder=False, uses_keras=False)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument(
        "dataset",
        nargs="?",
        help="folder of images or its URL, CSV file or HDF5 file; the config's IMAGES_PATH if not given",
    )
    parser.add_argument("-o", "--output", help="folder for the pictures; the config's OUTPUT_PATH/explore if not given")
    parser.add_argument("-n", "--classes", type=cli.positive_int, default=20, help="classes of which to draw a montage")
    parser.add_argument("-j", "--jobs", type=cli.positive_int, help="decoding threads; all processors if not given")
    parser.add_argument("--force", action="store_true", help="replace existing files")
    args = parser.parse_args(argv)
    config = cli.load_config(args.config)
    dataset = os.fspath(args.dataset or config.IMAGES_PATH)
    folder = Path(args.output or Path(config.OUTPUT_PATH) / "explore")

    from pyimagesearch.errors import UserError
    from pyimagesearch.explore import charts, montages, tables
    from pyimagesearch.explore.imagefiles import ImageFiles
    from pyimagesearch.explore.imagerows import ImageRows
    from pyimagesearch.explore.summary import summarize
    from pyimagesearch.explore.survey import Images, survey
    from pyimagesearch.io.images.csvlist import is_image_list
    from pyimagesearch.io.images.decoding import Decoding
    from pyimagesearch.io.images.remotefolder import reading_threads
    from pyimagesearch.utils.atomic import check_output, write_json
    from pyimagesearch.utils.parallel import cpu_count
    from pyimagesearch.utils.text import without_credentials

    if folder.exists() and not folder.is_dir():
        raise UserError(f"--output: must be a folder; received the file {folder}; choose another name")
    cli.info(f"listing {without_credentials(dataset)}...")
    images: Images
    if os.path.isfile(dataset) and not is_image_list(dataset):
        images = ImageRows(dataset)
    else:
        decoding = Decoding(config.CHANNELS, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS).check()
        images = ImageFiles(dataset, config.LABEL_OF, decoding)
    files = montages.montage_names(images.label_names)
    shown = montages.shown_classes(images.labels, args.classes)
    wanted = ["explore.json", "classes.png", "sizes.png", "brightness.png", "duplicates.png"]
    report, classes, sizes, brightness, duplicates, *samples = (
        check_output(folder / name, args.force, "--output") for name in [*wanted, *(files[label] for label in shown)]
    )

    found = survey(images, reading_threads(dataset, args.jobs or cpu_count()))
    figures = {"dataset": without_credentials(dataset)} | summarize(found, config.STORED_SIZE, config.CHANNELS)
    cli.info("drawing...")
    write_json(report, figures)
    charts.draw_classes(found, classes)
    charts.draw_sizes(found, config.STORED_SIZE, sizes)
    charts.draw_brightness(found, brightness)
    written = [report, classes, sizes, brightness]
    if montages.draw_duplicates(found, duplicates):
        written.append(duplicates)
    else:
        duplicates.unlink(missing_ok=True)  # an older one would tell of duplicates that are gone
    for label, path in zip(shown, samples, strict=True):
        if montages.draw_class(found, label, config.SEED, path):
            written.append(path)
    cli.wrote(*written)
    cli.closing(tables.report(figures))
    return figures | {"inputs": [dataset], "files": written}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
