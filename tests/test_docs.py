"""The code in README and docs runs as it stands, its commands are understood, and its links lead somewhere."""

import argparse
import importlib
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import dogs_vs_cats_config
from pyimagesearch.cli.config import Settings
from pyimagesearch.io import HDF5DatasetWriter

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CHANGELOG.md", *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))]
OTHER_PROGRAMS = {"cp"}


def text_of(page):
    return (ROOT / page).read_text("utf-8")


def blocks_of(page, language):
    """Return the code of a page but settings, which the tests of the project run, and what needs other programs."""
    blocks = rf"(?<!<!-- settings -->\n)(?<!<!-- not run -->\n)^```{language}\n(.*?)^```"
    return re.findall(blocks, text_of(page), re.DOTALL | re.MULTILINE)


def commands_of(page):
    """Return the commands of a page, each as a list of words: those behind a $, and those within a line of text.

    A program that the text only names is asked for its help.
    """
    lines = [line.strip() for block in blocks_of(page, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), f"{page}: console blocks hold commands alone"
    prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:python -m|make) [^`]+)`", re.sub(r"\s+", " ", prose))
    inline = [f"{line} --help" if re.fullmatch(r"python -m \S+", line) else line for line in inline]
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in lines + inline]


PAGES_WITH_CODE = [page for page in PAGES if blocks_of(page, "python")]
COMMANDS = sorted({tuple(words) for page in PAGES for words in commands_of(page)})


def write_images(folder, count):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.jpg"), rng.integers(0, 256, (90, 110, 3), np.uint8))


def write_dataset(path, side):
    images = np.random.default_rng(0).integers(0, 256, (8, side, side, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with HDF5DatasetWriter(images.shape, path) as writer:
        writer.add(images, [0, 1] * 4)


@pytest.fixture(scope="module")
def small_data(tmp_path_factory):
    """Return a folder with what the pages' code reads: data sets by their names, and images of three classes."""
    folder = tmp_path_factory.mktemp("docs")
    write_dataset(folder / "train.hdf5", 256)
    write_dataset(folder / "output/demo/train.hdf5", 108)
    for label in ("bird", "cat", "dog"):
        write_images(folder / "pets" / label, 2)
    return folder


@pytest.mark.parametrize("page", PAGES_WITH_CODE)
def test_code_runs(page, small_data, tmp_path, monkeypatch):
    """Run the blocks of a page from top to bottom, as a reader would type them."""
    shutil.copytree(small_data, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks_of(page, "python"):
        exec(compile(block.replace("epochs=75", "epochs=1"), page, "exec"), namespace)


class Understood(BaseException):
    """A program took all its options."""


def understand(module, arguments, monkeypatch):
    """Let a program read its command line, and stop it there."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser, argv=None, namespace=None):
        parse(parser, argv, namespace)
        raise Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises((Understood, SystemExit)) as stop:
        importlib.import_module(module).main()
    assert stop.type is Understood or stop.value.code == 0, f"{module} {shlex.join(arguments)}"


def program(name):
    """Return the module that ``python -m name`` runs."""
    package = ROOT.joinpath(*name.split("."))
    return f"{name}.__main__" if package.is_dir() else name


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_are_understood(words, monkeypatch):
    while "=" in words[0]:  # a variable of the environment
        words = words[1:]
    match words:
        case ["python", "-m", name, *arguments]:
            understand(program(name), arguments, monkeypatch)
        case ["make", target, *variables]:
            makefile = text_of("Makefile")
            assert re.search(rf"^{target}:", makefile, re.MULTILINE)
            assert all(f"{variable.partition('=')[0]} ?=" in makefile for variable in variables)
        case ["pip", "install", what]:
            extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
            assert set(re.findall(r"[a-z]+", what)) <= set(extras)
        case ["python", script, *_]:
            assert (ROOT / script).is_file()
        case _:
            assert words[0] in OTHER_PROGRAMS


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", text_of(page)):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


def test_every_page_is_in_the_site():
    trees = [(page, tree) for page in PAGES for tree in blocks_of(page, r"\{toctree\}")]
    named = {
        ((ROOT / page).parent / line).with_suffix(".md")
        for page, tree in trees
        for line in tree.splitlines()
        if line and not line.startswith(":")
    }
    assert named == set(ROOT.glob("docs/**/*.md")) - {ROOT / "docs/index.md"}


def test_all_settings_are_explained():
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text_of("docs/own_data.md"), re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([A-Z_0-9]+)`", row)}
    assert explained == set(Settings(dogs_vs_cats_config))


def test_the_reference_has_a_page_for_every_package():
    packages = {package.parent.name for package in ROOT.glob("pyimagesearch/*/__init__.py")}
    assert packages | {"index"} == {page.stem for page in ROOT.glob("docs/api/*.md")}


def test_pictures_are_small_and_used():
    pictures = list(ROOT.glob("docs/images/*"))
    assert sum(picture.stat().st_size for picture in pictures) < 700_000
    text = "".join(map(text_of, PAGES))
    assert all(f"images/{picture.name}" in text for picture in pictures)
