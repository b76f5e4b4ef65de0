"""Describe and verify data sets, and convert them to fast copies, in one file or several."""

import argparse
import contextlib
import json
import shlex
from collections.abc import Iterator

from pyimagesearch.cli import Option, script
from pyimagesearch.cli.errors import advice_in_flags
from pyimagesearch.cli.messages import info, screen, wrote
from pyimagesearch.cli.options import positive_int
from pyimagesearch.errors import UnrecognisedError, UserError

_NAMED_ROWS = 20
_FOREIGN = "files of other programs"
_CHOICES = ("images", "labels", "names", "paths", "shape", "axes", "size", "color_order", "scale", "rows")


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
            help="split OUT into N files, or merge shards into 1; rows are copied unless another form is asked for",
        ),
        Option("--encoding", choices=["raw", "jpeg"], help="of OUT; raw if neither this nor --shards is given"),
        Option("--quality", type=positive_int, help="of its JPEG images; 90 for new ones"),
        Option("--dtype", choices=["float16", "float32"], help="of its features"),
        Option("--force", action="store_true", help="replace OUT if it exists"),
        Option("--images", metavar="KEY", default="", group=_FOREIGN, help="the dataset of images, or a group of them"),
        Option("--labels", metavar="KEY", default="", group=_FOREIGN, help="that of labels; FILE::KEY in another file"),
        Option("--names", metavar="KEY", default="", group=_FOREIGN, help="names of the classes; FILE::KEY likewise"),
        Option("--paths", metavar="KEY", default="", group=_FOREIGN, help="the origin of each row"),
        Option("--shape", default="", group=_FOREIGN, help="of one image in flattened rows: 32x32x3"),
        Option("--axes", default="", group=_FOREIGN, help="n rows, h height, w width, c channels, as stored: nchw"),
        Option("--size", default="", group=_FOREIGN, help="to which images of several sizes are resized: 224x224"),
        Option("--color-order", choices=["RGB", "BGR"], default="", group=_FOREIGN, help="of the channels"),
        Option("--scale", default="", group=_FOREIGN, help="values that become 0 and 255: 0..1; or keep, to keep them"),
        Option("--rows", type=positive_int, default=0, group=_FOREIGN, metavar="N", help="use the first N rows"),
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

    choices = {name: getattr(args, name) for name in _CHOICES}
    result: dict = {}
    for path in args.files:
        with _command_suggested(args, path):
            result[path] = describe(path, **choices)
    damaged: dict[str, str] = {}
    for path, facts in result.items():
        if args.verify:
            bad = damaged_rows(path).tolist()
            more = [""] * max(0, len(bad) - _NAMED_ROWS)
            rows = named([*name_rows(path, bad[:_NAMED_ROWS]), *more], _NAMED_ROWS)
            facts["verified"] = f"DAMAGED rows: {rows}" if bad else "every row is what was written"
            damaged |= {path: rows} if bad else {}
        if not args.json:
            lines = [f"  {topic:<12}{advice_in_flags(text, main.options)}" for topic, text in facts.items()]
            print(path, *lines, sep="\n", file=screen())
    if damaged:
        if args.json:
            print(json.dumps(result, indent=2), file=screen())
        rows = "; ".join(f"{path}: rows {rows}" for path, rows in damaged.items())
        raise UserError(f"verify: every row must be what was written; damaged are {rows}; build again")
    if args.convert:
        with _command_suggested(args, args.files[0]):
            convert(
                args.files[0], args.convert, encoding=args.encoding, quality=args.quality,
                dtype=args.dtype, shards=args.shards, overwrite=args.force, **choices,
            )  # fmt: skip
        wrote(args.convert)
        if shards := files_of_set(args.convert)[1:]:
            info(f"its rows are in {len(shards):,} files beside it, {shards[0].name} to {shards[-1].name}")
    return result


@contextlib.contextmanager
def _command_suggested(args: argparse.Namespace, path: str) -> Iterator[None]:
    """Give an `UnrecognisedError` the command that would take the file."""
    try:
        yield
    except UnrecognisedError as error:
        if not error.suggestion:
            raise
        raise UserError(f"{error.reason}; try: {_command(args, path, error.suggestion)}") from error


def _command(args: argparse.Namespace, path: str, suggestion: dict[str, str]) -> str:
    """Return the command that would take a file; "KEY" stands for what only the user knows."""
    told = {name: str(value) for name in _CHOICES if (value := getattr(args, name))} | suggestion
    words = ["python", "-m", "pyimagesearch.io", path]
    words += ["--convert", args.convert] if args.convert else []
    for name in ("shards", "encoding", "quality", "dtype"):
        words += [f"--{name}", str(getattr(args, name))] if getattr(args, name) else []
    for name, value in told.items():
        words += [f"--{name.replace('_', '-')}", value]
    return shlex.join([*words, "--force"] if args.force else words)


if __name__ == "__main__":
    raise SystemExit(main.run())
