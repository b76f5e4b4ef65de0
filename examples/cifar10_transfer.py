"""CIFAR-10 by transfer: the first three blocks of VGG16, frozen, with a small head."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import _transfer
from pyimagesearch.utils.cli import info, run, wrote


def main(argv: list[str] | None = None) -> dict:
    """Train the head and return its test accuracy, its curves and the files that were written."""
    parser = _transfer.parser(__doc__, epochs=25, output="output/cifar10_transfer", size=48, data=None)
    parser.set_defaults(batch_size=128)
    args = parser.parse_args(argv)

    from examples._data import pack_cifar10
    from pyimagesearch.nn.transfer import TransferNetwork

    _transfer.check_outputs(args)
    network = TransferNetwork(
        "vgg16", args.weights, size=args.size, layer="block3_pool", head=(64, 64), dropout=0.6, batch_norm=True
    )
    info("packing images...")
    train, test = pack_cifar10(args.data, args.output, args.seed, args.force)
    result = _transfer.learn(network, {"train": train, "test": test}, args)
    info("published: clearly above the 65% of a network from scratch")
    wrote(*result["files"])
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
