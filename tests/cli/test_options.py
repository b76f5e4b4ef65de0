"""Options say what they are, once."""

import argparse
import re

import pytest

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.options import ArgumentParser, address, cluster, number_or, positive_int, positive_number


class TestPositiveInt:
    @pytest.mark.parametrize(("text", "number"), [("1", 1), ("64", 64)])
    def test_whole_numbers_are_converted(self, text, number):
        assert positive_int(text) == number

    @pytest.mark.parametrize("text", ["0", "-3"])
    def test_others_are_refused(self, text):
        with pytest.raises(argparse.ArgumentTypeError, match=f"must be at least 1; received {text}"):
            positive_int(text)

    @pytest.mark.parametrize("text", ["x", "2.5"])
    def test_what_is_no_number_is_refused(self, text):
        with pytest.raises(ValueError, match=text):
            positive_int(text)


@pytest.mark.parametrize(
    ("convert", "good", "bad"),
    [
        (cluster, ["local", "local:3", "tcp://host:8786", "tls://h:1"], ["locally", "local:0", "host:8786", "tcp://h"]),
        (address, ["node1:29500"], ["node1", ":1", "node1:0", "node1:99999"]),
        (number_or("all"), ["3", "all"], ["0", "-1"]),
        (positive_number, ["0.5", "1e-3"], ["0", "-1", "inf", "nan"]),
    ],
)
def test_texts_are_converted_or_refused(convert, good, bad):
    for text in good:
        assert str(convert(text)) in (text, str(float(text) if text[0].isdecimal() else text))
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f"must be .*; received {re.escape(text)}"):
            convert(text)


def test_a_mistake_is_told_in_one_line(capsys):
    with pytest.raises(SystemExit) as caught:
        ArgumentParser(prog="pack").parse_args(["--colour"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "pack: error: unrecognized arguments: --colour; see --help\n"


def test_a_changed_copy_leaves_the_original():
    changed = options.BATCH_SIZE.but(default=32, help="crops in a batch")
    assert (changed.flag, changed.dest, changed.config, changed.more["default"]) == (
        "--batch-size",
        "batch_size",
        None,
        32,
    )
    assert options.BATCH_SIZE.config == "BATCH_SIZE"
    assert changed.but(config="CROPS", default=None).config == "CROPS"


def test_help_groups_the_options_and_names_defaults_that_there_are():
    @script("train", [options.MODEL, options.BATCH_SIZE.but(default=8), options.JOBS, Option("--layer", default="")])
    def main(args, config):
        return {}

    text = " ".join(main.parser().format_help().split())
    assert "the model's file (config: MODEL_PATH)" in text
    assert "images in a batch (default: 8)" in text
    assert "(default: None)" not in text
    assert "(default: )" not in text
    places = [text.index(part) for part in ("files:", "--model MODEL the", "speed:", "config and messages:")]
    assert places == sorted(places)
    assert f"usage: python -m {main.name} [-h]" in text
