"""Dog breeds: 120 classes by a frozen InceptionV3 and a head of two layers."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import _transfer
from pyimagesearch.utils.cli import info, run, wrote

AUGMENTATION = {"rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.2, "horizontal_flip": True}


def main(argv: list[str] | None = None) -> dict:
    """Train the head and return its test accuracy and F1, its curves and the files that were written."""
    sources = f"Kaggle's labels.csv beside its folder train; or {_transfer.SOURCES}"
    parser = _transfer.parser(__doc__, epochs=15, output="output/dog_breeds", size=299, data=sources)
    parser.add_argument("-m", "--model", default="inceptionv3", help="a network of Keras")
    parser.add_argument("-a", "--alpha", type=float, help="width of a MobileNet, as a factor; 1 if not given")
    args = parser.parse_args(argv)

    from examples._photographs import pack_photographs
    from pyimagesearch.nn.transfer import TransferNetwork

    _transfer.check_outputs(args)
    network = TransferNetwork(args.model, args.weights, args.alpha, args.size, head=(512, 512))
    info("packing images...")
    paths = pack_photographs(args.data, args.output, args.size, args.seed, args.force, test=0.3, val=0.15)
    result = _transfer.learn(network, paths, args, augmentation=AUGMENTATION)
    info("published: 85%, F1 0.85, for 120 breeds")
    wrote(*result["files"])
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
