"""Errors of the library in the words of the command line."""

from argparse import Namespace

import pytest

from pyimagesearch.cli import Option, options
from pyimagesearch.cli.errors import for_command_line
from pyimagesearch.errors import StorageError, UserError

OPTIONS = (
    Option("image", nargs="+"), options.OUTPUT, options.BATCH_SIZE, options.FORCE, options.RESUME,
    Option("--on-error", choices=["fail", "skip"], default="fail"),
)  # fmt: skip
SETTINGS = ("BATCH_SIZE", "STORED_SIZE", "OUTPUT_PATH", "MAX_IMAGE_PIXELS", "CHANNELS")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("batch_size: must be even", "--batch-size: must be even"),
        ("output_path: cannot be written", "--output: cannot be written"),
        ("stored_size: must be even", "STORED_SIZE: must be even"),
        ("max_pixels: must be even", "MAX_IMAGE_PIXELS: must be even"),
        ("dims: must be even", "dims: must be even"),
        ("image: a.jpg cannot be read", "image: a.jpg cannot be read"),
        ("--output: must be new", "--output: must be new"),
        ("no colon", "no colon"),
        ("x: exists; pass overwrite=True, or resume=True", "x: exists; pass --force, or --resume"),
        ('x: bad; on_error="skip" leaves it out', "x: bad; --on-error skip leaves it out"),
        ("x: pass batch_size=64 (or batch_size=32).", "x: pass --batch-size 64 (or --batch-size 32)."),
        ('x: set channels=1, or stored_size="a"', 'x: set CHANNELS = 1, or STORED_SIZE = "a"'),
        ('x: overwrite=False, color_order="RGB"', 'x: overwrite=False, color_order="RGB"'),
        ("x: a/batch_size=64.jpg is bad", "x: a/batch_size=64.jpg is bad"),
    ],
)
def test_arguments_become_options_and_settings(words, expected):
    given = Namespace(batch_size=8, output=None)
    assert str(for_command_line(UserError(words), OPTIONS, given, SETTINGS)) == expected


def test_a_value_of_the_config_is_blamed_on_the_config():
    error = StorageError("batch_size: must be even")
    found = for_command_line(error, OPTIONS, Namespace(batch_size=None), SETTINGS)
    assert str(found) == "BATCH_SIZE: must be even"
    assert isinstance(found, StorageError)
    assert found.__cause__ is error
