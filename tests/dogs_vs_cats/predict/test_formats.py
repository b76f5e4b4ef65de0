"""The formats that predictions come in."""

import csv
import json
import re
import shutil

import numpy as np
import pytest

from pyimagesearch.io.images.decoding import read_image
from tests.dogs_vs_cats.predict.networks import save_network


def test_results_alone_are_printed(place, call):
    outcome = call("predict", "images/0.jpg", "-m", "model.keras")
    assert re.fullmatch(r"images/0\.jpg\n  1  (cat|dog)  +\d+\.\d\d%\n  2  (cat|dog)  +\d+\.\d\d%\n", outcome.out)
    assert "[INFO] loading model model.keras..." in outcome.err
    assert outcome.result["images"] == 1
    assert outcome.result["files"] == []


def test_a_csv_file(place, call):
    outcome = call("predict", "images", "images/1.jpg", "-m", "model.keras", "-f", "csv", "-k", "1", "-o", "out/a.csv")
    assert "[INFO] wrote out/a.csv" in outcome.out
    rows = list(csv.reader((place / "out/a.csv").read_text("utf-8").splitlines()))
    assert rows[0] == ["image", "class_1", "probability_1"]
    assert [row[0] for row in rows[1:]] == sorted(f"images/{number}.jpg" for number in range(12))
    assert {row[1] for row in rows[1:]} == set(outcome.result["classes"])
    assert sum(outcome.result["classes"].values()) == outcome.result["images"] == 12


def test_a_submission_of_two_classes(place, call, predicted):
    outcome = call("predict", "images", "-m", "model.keras", "-f", "kaggle")
    rows = list(csv.reader(outcome.out.splitlines()))
    assert rows[0] == ["id", "label"]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(12)]
    dogs = {path: row["dog"] for path, row in predicted("images", "-m", "model.keras").items()}
    for number, probability in rows[1:]:
        assert float(probability) == pytest.approx(dogs[f"images/{number}.jpg"], rel=1e-5)


def test_a_submission_of_many_classes(place, call):
    save_network("breeds.keras", ["akita", "beagle", "chow"])
    shutil.copy("images/0.jpg", "images/00a1.jpg")
    outcome = call("predict", "images/00a1.jpg", "images/5.jpg", "-m", "breeds.keras", "-f", "kaggle")
    header, *rows = csv.reader(outcome.out.splitlines())
    assert header == ["id", "akita", "beagle", "chow"]
    assert [row[0] for row in rows] == ["00a1", "5"]
    np.testing.assert_allclose([sum(map(float, row[1:])) for row in rows], 1, atol=1e-6)


def test_a_sheet_of_two_pages(place, call):
    for number in range(12, 40):
        shutil.copy("images/0.jpg", f"images/{number}.jpg")
    outcome = call("predict", "images", "-m", "model.keras", "--sheet", "sheet.png")
    assert [str(path) for path in outcome.result["files"]] == ["sheet.png", "sheet_2.png"]
    first, second = (read_image(path) for path in outcome.result["files"])
    assert first.shape[0] > second.shape[0] > 100
    assert second.std() > 10
    assert "wrote" not in outcome.out
    again = call("predict", "images", "-m", "model.keras", "--sheet", "sheet.png")
    assert (again.code, "--sheet: sheet.png exists" in again.err) == (2, True)


def test_names_of_strangers_harm_nobody(place, call):
    names = ["\x1b[31m=red\nline", "=cmd()|'x'!A1", "\u202eevil", "dög$a_b$" * 40, "猫"]
    save_network("strange.keras", names)
    shutil.copy("images/0.jpg", "images/-a\x1b[2J,\n.jpg")
    arguments = ["images", "-m", "strange.keras", "-k", "5"]
    for style in ("table", "json", "csv"):
        outcome = call("predict", *arguments, "-f", style, "--sheet", "s.png", "--force")
        assert outcome.code == 0, outcome.err
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", outcome.out + outcome.err)
        if style == "json":
            rows = json.loads(outcome.out)
            assert {each["class"] for each in rows[0]["predictions"]} == set(names)
            assert "images/-a\x1b[2J,\n.jpg" in {row["image"] for row in rows}
        if style == "csv":
            cells = [cell for row in csv.reader(outcome.out.splitlines()) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
            assert "'=cmd()|'x'!A1" in cells
    for image, message in (("images", r"image: .* received '-a\\x1b"), ("images/0.jpg", r"class: .*received '\\x1b")):
        refused = call("predict", image, "-m", "strange.keras", "-f", "kaggle")
        assert refused.code == 2
        assert re.search(message, refused.err)
