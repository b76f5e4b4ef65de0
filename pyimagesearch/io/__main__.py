"""Look inside HDF5 data sets, verify them, and convert them into faster ones, of one file or several."""

from argparse import Namespace

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, wrote
from pyimagesearch.cli.running import Running
from pyimagesearch.errors import UserError

_NAMED_ROWS = 20


@script(
    "inspect",
    config=None,
    uses_keras=False,
    options=[
        Option("files", nargs="+", metavar="FILE", help="HDF5 data sets"),
        Option("--verify", action="store_true", help="verify every row by its checksum"),
        Option("--convert", metavar="OUT", help="write the one FILE again, in the fast format"),
        options.SHARDS.but(
            group=None, help="split OUT into N files, or merge shards into 1; rows are copied without re-encoding"
        ),
        Option("--encoding", choices=["raw", "jpeg"], help="of OUT; raw if neither this nor --shards is given"),
        Option("--quality", type=options.positive_int, help="of its JPEG images; 90 for new ones"),
        Option("--dtype", choices=["float16", "float32"], help="of its features"),
        options.FORCE.but(group=None, help="replace OUT if it exists"),
    ],
)
def main(args: Namespace) -> dict:
    """Describe, verify or convert HDF5 data sets."""
    if args.convert and len(args.files) > 1:
        raise UserError(f"convert: takes one file; received {len(args.files)}; convert them one by one")
    if args.shards and not args.convert:
        raise UserError(f"shards: needs convert; received {args.shards} without convert; add convert=OUT")

    from pyimagesearch.io.conversion import convert
    from pyimagesearch.io.inspection import damaged_rows, describe, name_rows
    from pyimagesearch.io.shards.names import files_of_set
    from pyimagesearch.utils.text import named

    result: dict = {path: describe(path) for path in args.files}
    damaged: dict[str, str] = {}
    for path, facts in result.items():
        if args.verify:
            bad = damaged_rows(path).tolist()
            names = [*name_rows(path, bad[:_NAMED_ROWS]), *map(str, bad[_NAMED_ROWS:])]
            facts["verified"] = f"DAMAGED rows: {named(names, _NAMED_ROWS)}" if bad else "every row is what was written"
            damaged |= {path: named(names, _NAMED_ROWS)} if bad else {}
        if not args.json:
            print(path)
            for topic, text in facts.items():
                print(f"  {topic:<12}{text}")
    if damaged:
        if Running.current:
            Running.current.print_json(result)
        listed = "; ".join(f"{path}: rows {rows}" for path, rows in damaged.items())
        raise UserError(f"verify: every row must be what was written; damaged are {listed}; build again")
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
