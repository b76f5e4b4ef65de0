"""Look inside data sets: what they hold, whether they are intact, faster copies of them, in one file or several."""

import json

from pyimagesearch.errors import UserError
from pyimagesearch.utils.cli import ArgumentParser, info, positive_int, run, wrote
from pyimagesearch.utils.text import named

_NAMED_ROWS = 20


def main(argv: list[str] | None = None) -> dict:
    """Describe, verify or convert HDF5 data sets."""
    parser = ArgumentParser(prog="python -m pyimagesearch.io", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="HDF5 data sets")
    parser.add_argument("--verify", action="store_true", help="check every row against its checksum")
    parser.add_argument("--convert", metavar="OUT", help="write the one FILE anew, in the fast format")
    parser.add_argument(
        "--shards", type=positive_int, metavar="N",
        help="split OUT into N files, or merge shards into 1; rows are copied as they are, unless told otherwise",
    )  # fmt: skip
    parser.add_argument("--encoding", choices=["raw", "jpeg"], help="of OUT; raw if neither this nor --shards is given")
    parser.add_argument("--quality", type=positive_int, help="of its JPEG images; 90 for new ones")
    parser.add_argument("--dtype", choices=["float16", "float32"], help="of its features")
    parser.add_argument("--json", action="store_true", help="print for machines")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    args = parser.parse_args(argv)
    if args.convert and len(args.files) > 1:
        raise UserError(f"--convert: takes one FILE; received {len(args.files)}; convert them one by one")
    if args.shards and not args.convert:
        raise UserError(f"--shards: says how many files --convert OUT makes; received {args.shards} and no --convert")

    from pyimagesearch.io.conversion import convert
    from pyimagesearch.io.inspection import damaged_rows, describe, name_rows
    from pyimagesearch.io.shards.names import files_of_set

    result: dict = {path: describe(path) for path in args.files}
    damaged: dict[str, str] = {}
    for path, facts in result.items():
        if args.verify:
            bad = damaged_rows(path).tolist()
            rows = named(name_rows(path, bad), _NAMED_ROWS)
            facts["verified"] = f"DAMAGED rows: {rows}" if bad else "every row is what was written"
            damaged |= {path: rows} if bad else {}
        if not args.json:
            print(path)
            for topic, text in facts.items():
                print(f"  {topic:<12}{text}")
    if args.json:
        print(json.dumps(result, indent=2))
    if damaged:
        files = "; ".join(f"{path}: rows {rows}" for path, rows in damaged.items())
        raise UserError(f"--verify: every row must be what was written; damaged are {files}; build again")
    if args.convert:
        convert(
            args.files[0], args.convert, encoding=args.encoding, quality=args.quality,
            dtype=args.dtype, shards=args.shards, overwrite=args.force,
        )  # fmt: skip
        wrote(args.convert)
        if shards := files_of_set(args.convert)[1:]:
            info(f"its rows are in {len(shards):,} files beside it, {shards[0].name} to {shards[-1].name}")
    return result


if __name__ == "__main__":
    raise SystemExit(run(main))
