"""Cat, dog or a third class of your own: MobileNet with dropout and a classifier, which alone is trained."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import _transfer
from pyimagesearch.utils.cli import info, run, wrote

AUGMENTATION = {
    "rotation_range": 20, "width_shift_range": 0.1, "height_shift_range": 0.1, "zoom_range": 0.1,
    "horizontal_flip": True,
}  # fmt: skip
SAVED = 32


def main(argv: list[str] | None = None) -> dict:
    """Train the head and return its test accuracy, its curves and the files that were written."""
    parser = _transfer.parser(__doc__, epochs=5, output="output/cat_dog_or_other", size=224)
    parser.add_argument("-a", "--alpha", type=float, help="width of MobileNet, as a factor; 1 if not given")
    parser.add_argument("--save-augmented", type=Path, metavar="FOLDER", help=f"put {SAVED} training images there")
    args = parser.parse_args(argv)

    from examples._photographs import pack_photographs, save_augmented
    from pyimagesearch.nn.transfer import TransferNetwork

    _transfer.check_outputs(args)
    network = TransferNetwork("mobilenet", args.weights, args.alpha, args.size, dropout=0.4)
    info("packing images...")
    classes = ("cat", "dog", "neither")
    paths = pack_photographs(args.data, args.output, args.size, args.seed, args.force, classes=classes)
    if args.save_augmented:
        saved = save_augmented(paths["train"], args.save_augmented, SAVED, AUGMENTATION, args.seed, args.force)
        info(f"wrote {len(saved)} augmented images to {args.save_augmented}")
    result = _transfer.learn(network, paths, args, augmentation=AUGMENTATION)
    wrote(*result["files"])
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
