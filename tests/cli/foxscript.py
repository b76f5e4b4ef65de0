"""Scripts that do what a test asks for."""

import json

from pyimagesearch.cli import script


def make(work=lambda: {}, **options):
    """Return a script that does ``work`` once it has read its config."""

    @script("train", config="fox_config", **options)
    def main(args, config):
        return work()

    return main


def raising(error):
    def work():
        raise error

    return work


def lines(place):
    return [json.loads(line) for line in (place / "output/runs.jsonl").read_text("ascii").splitlines()]
