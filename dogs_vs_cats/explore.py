"""Before step 1: look at the images: counts, sizes, colours, odd and unreadable files, duplicates, montages."""

import os
from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.errors import advice_in_flags
from pyimagesearch.cli.messages import closing, info, wrote
from pyimagesearch.errors import UserError


@script(
    step="explore",
    new_folder=False,
    uses_keras=False,
    options=[
        Option("dataset", nargs="?", config="IMAGES_PATH", help="folder of images or its URL, CSV list, or HDF5 file"),
        options.OUTPUT.but(help="folder for the pictures; if not given, explore in the config's OUTPUT_PATH"),
        Option("--classes", type=options.positive_int, default=20, help="classes to draw a montage of"),
        options.FORCE,
        options.JOBS,
    ],
)
def main(args, config):
    from pyimagesearch.explore import charts, montages
    from pyimagesearch.explore.images import open_images
    from pyimagesearch.explore.summary import report, summarize
    from pyimagesearch.explore.survey import survey
    from pyimagesearch.io.images.decoding import Decoding
    from pyimagesearch.io.images.remotefolder import reading_threads
    from pyimagesearch.utils.atomic import check_output, write_json
    from pyimagesearch.utils.parallel import cpu_count
    from pyimagesearch.utils.text import without_credentials

    dataset, folder = os.fspath(args.dataset), Path(args.output or Path(config.OUTPUT_PATH) / "explore")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"output: must be a folder; received the file {folder}; choose another name")
    info(f"listing {without_credentials(dataset)}...")
    decoding = Decoding(config.CHANNELS, config.MAX_IMAGE_PIXELS, config.IMAGE_FORMATS, config.MAX_VALUE).check()
    images = open_images(dataset, config.LABEL_OF, decoding, **config.listing)
    shown = montages.shown_classes(images.labels, args.classes)
    montage_names = montages.montage_names(images.label_names)
    names = ["explore.json", "classes.png", "sizes.png", "brightness.png", "duplicates.png"]
    names += [montage_names[label] for label in shown]
    figures_path, classes, sizes, brightness, duplicates, *samples = (
        check_output(folder / name, args.force) for name in names
    )

    found = survey(images, reading_threads(dataset, args.jobs or cpu_count()))
    figures = {"dataset": without_credentials(dataset)} | summarize(found, config.STORED_SIZE, config.CHANNELS)
    write_json(figures_path, figures)

    info("drawing...")
    charts.draw_classes(found, classes)
    charts.draw_sizes(found, config.STORED_SIZE, sizes)
    charts.draw_brightness(found, brightness)
    written = [figures_path, classes, sizes, brightness]
    if montages.draw_duplicates(found, duplicates):
        written.append(duplicates)
    else:
        duplicates.unlink(missing_ok=True)  # an older one would show duplicates that are gone
    for label, path in zip(shown, samples, strict=True):
        if montages.draw_class(found, label, config.SEED, path):
            written.append(path)
    wrote(*written)
    build_options = [Option("--on-error"), Option("--duplicates")]
    closing(advice_in_flags(report(figures), build_options, config))
    return figures | {"inputs": [dataset], "files": written}


if __name__ == "__main__":
    raise SystemExit(main.run())
