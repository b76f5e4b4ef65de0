"""Scripts that do what a test asks for."""

import json

from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils.cli import load_config, parser


def make(work=lambda: {}, **options):
    """Return a script that does ``work`` once it has read its config."""

    @recorded(**options)
    def main(argv=None):
        args = parser("Works.", "fox_config").parse_args(argv)
        load_config(args.config)
        return work()

    return main


def raising(error):
    def work():
        raise error

    return work


def lines(place):
    return [json.loads(line) for line in (place / "output/runs.jsonl").read_text("ascii").splitlines()]
