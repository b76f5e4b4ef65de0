"""Is it this bird? What MobileNet sees in single photographs, before and after it learned two classes of yours."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples import _transfer
from pyimagesearch.utils.cli import info, run, wrote


def show(photographs: list[str], names: list[str], probabilities: list[list[float]]) -> None:
    """Print the five likeliest classes of each photograph."""
    for photograph, row in zip(photographs, probabilities, strict=True):
        best = sorted(zip(row, names, strict=True), reverse=True)[:5]
        print(f"{photograph}: " + ", ".join(f"{name} {share:.4f}" for share, name in best))


def main(argv: list[str] | None = None) -> dict:
    """Name the photographs twice, and return the test accuracy, the curves and the files that were written."""
    parser = _transfer.parser(__doc__, epochs=10, output="output/is_it_this_bird", size=224)
    parser.add_argument("photographs", nargs="*", help="images to name; --weights FILE must have its top then")
    parser.add_argument("-a", "--alpha", type=float, help="width of MobileNet, as a factor; 1 if not given")
    args = parser.parse_args(argv)

    from examples._photographs import pack_photographs, read_inputs
    from pyimagesearch.nn import backbones
    from pyimagesearch.nn.transfer import TransferNetwork

    _transfer.check_outputs(args)
    network = TransferNetwork("mobilenet", args.weights, args.alpha, args.size, head=(1024, 1024, 512))
    if args.photographs:
        names = [name for _, name in backbones.imagenet_labels()]
        whole = backbones.load_backbone("mobilenet", args.weights, args.alpha, top=True)
        inputs = read_inputs(args.photographs, network._replace(size=None).preparation(names))
        info("what MobileNet sees; published: German shepherd 0.98, and a blue tit taken for a chickadee")
        show(args.photographs, names, whole.predict_on_batch(inputs).tolist())
    info("packing images...")
    paths = pack_photographs(args.data, args.output, args.size, args.seed, args.force)
    result = _transfer.learn(network, paths, args)
    if args.photographs:
        info("what it sees now")
        model, preparation = result["model"], network.preparation(result["classes"])
        inputs = read_inputs(args.photographs, preparation)
        show(args.photographs, preparation.label_names, model.predict_on_batch(inputs).tolist())
    wrote(*result["files"])
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
