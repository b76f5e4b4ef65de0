"""A look at the data before anything is built."""

import json
import shutil

import pytest


def written(outcome):
    assert outcome.code == 0, outcome.err
    return sorted(path.name for path in outcome.result["files"])


PICTURES = ["brightness.png", "classes.png", "explore.json", "montage_cat.png", "montage_dog.png", "sizes.png"]


def test_a_folder(workplace, write_config, call):
    config = write_config(workplace)
    shutil.copy(workplace / "images/cat.3.jpg", workplace / "images/dog.99.jpg")
    (workplace / "images/cat.bad.jpg").write_bytes(b"")
    outcome = call("explore", "--config", config)
    assert written(outcome) == sorted([*PICTURES, "duplicates.png"])
    assert {path.parent for path in outcome.result["files"]} == {type(workplace)("output/explore")}
    figures = json.loads((workplace / "output/explore/explore.json").read_text("utf-8"))
    assert figures["dataset"] == "images"
    assert (figures["images"], figures["readable"]) == (42, 41)
    assert figures["duplicates"]["exact"] == [["cat.3.jpg", "dog.99.jpg"]]
    assert {"cat.3.jpg": "cat", "dog.99.jpg": "dog"} in figures["duplicates"]["conflicts"]
    assert "cat        21  50.0%           1" in outcome.out
    assert outcome.out.count("CONFLICT: one picture, several labels: cat.") == 5
    assert f"CONFLICT: {len(figures['duplicates']['conflicts']) - 5} more, in explore.json" in outcome.out
    assert "build with --on-error skip" in outcome.out


def test_a_list(workplace, write_config, call):
    lines = [f"cat.{n},{'tabby' if n % 2 else 'siamese/blue'}\n" for n in range(8)]
    (workplace / "images/labels.csv").write_text("id,breed\n" + "".join(lines), "utf-8")
    outcome = call("explore", "images/labels.csv", "-o", "look", "--classes", "1", "--config", write_config(workplace))
    assert "montage_siamese_blue.png" in written(outcome)
    assert "montage_tabby.png" not in written(outcome)
    assert outcome.result["images"] == 8


def test_a_file_of_the_build(workplace, write_config, call):
    outcome = call("explore", "output/test.hdf5", "-o", "look", "--config", write_config(workplace))
    assert written(outcome) == PICTURES
    assert outcome.result["formats"] == {"raw uint8": 8}
    assert "8 raw uint8" in outcome.out


def test_nothing_is_replaced_unless_forced(workplace, write_config, call, files_in):
    config = write_config(workplace)
    (workplace / "look").mkdir()
    for name in ("montage_dog.png", "duplicates.png"):
        (workplace / "look" / name).write_text("mine")
    before = files_in(workplace)
    outcome = call("explore", "output/test.hdf5", "-o", "look", "--config", config)
    assert outcome.code == 2
    assert "--output: look/duplicates.png exists; existing files are kept" in outcome.err
    assert files_in(workplace) == before
    assert written(call("explore", "output/test.hdf5", "-o", "look", "--force", "--config", config)) == PICTURES
    assert not (workplace / "look/duplicates.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "dataset: must be a folder of images; received nowhere, which does not exist"),
        (["images/cat.0.jpg"], "must be an HDF5 file; it is a JPEG image; check the path"),
        (["none.csv"], r"dataset: none.csv cannot be read"),
        (["-o", "images/cat.0.jpg"], "--output: must be a folder; received the file images/cat.0.jpg"),
        (["output/features.hdf5"], "must hold images of shape"),
    ],
)
def test_mistakes_are_one_line(workplace, write_config, call, arguments, message):
    outcome = call("explore", *arguments, "--config", write_config(workplace))
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (workplace / "output/explore").exists()
