"""How a training is to be followed is said on the command line, and checked before it begins."""

import argparse

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.watch import options


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser(exit_on_error=False)
    options.add_options(parser)
    return lambda *words: parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "port"), [([], None), (["--watch"], 8765), (["--watch", "0"], 0), (["--watch", "65535"], 65535)]
)
def test_the_page_has_a_port_of_its_own_unless_another_is_named(parse, words, port):
    assert parse(*words).watch == port


@pytest.mark.parametrize("wrong", ["-1", "65536", "x"])
def test_a_port_that_cannot_be_is_refused(parse, wrong):
    with pytest.raises(argparse.ArgumentError, match="--watch"):
        parse(f"--watch={wrong}")


@pytest.mark.parametrize("absent", [("tensorboard",), ("tensorflow", "tensorboard")])
def test_packages_that_tensorboard_lacks_are_named(monkeypatch, tmp_path, absent):
    monkeypatch.setattr(options, "find_spec", lambda name: None if name in absent else object())
    names = " ".join(absent)
    with pytest.raises(UserError, match=rf"--tensorboard: needs packages .*: {names}; pip install {names}, or use"):
        options.check_tensorboard(str(tmp_path / "board"))
    options.check_tensorboard(None)
    assert not list(tmp_path.iterdir())


def test_tensorboard_s_folder_is_made_and_must_not_be_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(options, "find_spec", lambda name: object())
    options.check_tensorboard(str(tmp_path / "a/b"))
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"--tensorboard: must be a folder to write into; received .*file"):
        options.check_tensorboard(str(tmp_path / "file"))
