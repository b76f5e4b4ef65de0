"""Describe and verify data sets, and convert them to fast copies, in one file or several."""

import argparse
import json

from pyimagesearch.cli import Option, script
from pyimagesearch.cli.messages import info, screen, wrote
from pyimagesearch.cli.options import positive_int
from pyimagesearch.errors import UserError

_NAMED_ROWS = 20


@script(
    step="inspect",
    config=None,
    uses_keras=False,
    options=[
        Option("files", nargs="+", metavar="FILE", help="HDF5 data sets"),
        Option("--verify", action="store_true", help="verify every row by its checksum"),
        Option("--convert", metavar="OUT", help="write a copy of the one FILE in the fast format"),
        Option(
            "--shards", type=positive_int, metavar="N",
            help="split OUT into N files, or merge shards into 1; rows are copied as they are unless another form is asked for",
        ),
        Option("--encoding", choices=["raw", "jpeg"], help="of OUT; raw if neither this nor --shards is given"),
        Option("--quality", type=positive_int, help="of its JPEG images; 90 for new ones"),
        Option("--dtype", choices=["float16", "float32"], help="of its features"),
        Option("--force", action="store_true", help="replace OUT if it exists"),
    ],
)  # fmt: skip
def main(args: argparse.Namespace) -> dict:
    """Describe, verify or convert HDF5 data sets."""
    if args.convert and len(args.files) > 1:
        raise UserError(f"convert: takes one FILE; received {len(args.files)}; convert them one by one")
    if args.shards and not args.convert:
        raise UserError(f"shards: is the number of files that --convert OUT makes; received {args.shards} alone")

    from pyimagesearch.io.conversion import convert
    from pyimagesearch.io.inspection import damaged_rows, describe, name_rows
    from pyimagesearch.io.shards.names import files_of_set
    from pyimagesearch.utils.text import named

    result: dict = {path: describe(path) for path in args.files}
    damaged: dict[str, str] = {}
    for path, facts in result.items():
        if args.verify:
            bad = damaged_rows(path).tolist()
            more = [""] * max(0, len(bad) - _NAMED_ROWS)
            rows = named([*name_rows(path, bad[:_NAMED_ROWS]), *more], _NAMED_ROWS)
            facts["verified"] = f"DAMAGED rows: {rows}" if bad else "every row is what was written"
            damaged |= {path: rows} if bad else {}
        if not args.json:
            print(path, *(f"  {topic:<12}{text}" for topic, text in facts.items()), sep="\n", file=screen())
    if damaged:
        if args.json:
            print(json.dumps(result, indent=2), file=screen())
        rows = "; ".join(f"{path}: rows {rows}" for path, rows in damaged.items())
        raise UserError(f"verify: every row must be what was written; damaged are {rows}; build again")
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
    raise SystemExit(main.run())
