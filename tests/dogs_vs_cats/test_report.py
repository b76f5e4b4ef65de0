"""The page of a project, made from the records that its scripts left."""

import importlib
import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def text_of(path):
    return " ".join(re.sub(r"<[^>]*>", " ", path.read_text("utf-8")).split())


def ends(folder):
    events = [json.loads(line) for line in (folder / "runs.jsonl").read_text("utf-8").splitlines()]
    return {event["run"]: event for event in events if event["event"] == "end"}.values()


def test_the_page_of_all_five_steps(workplace, project, call):
    outcome = call("report", "--config", project.config)
    assert outcome.code == 0, outcome.err
    (page,) = outcome.result["files"]
    assert page == type(page)("output/report.html")
    assert f"wrote {page}" in outcome.out
    assert page.stat().st_size < 2_000_000
    text = text_of(page)
    crops = project.steps["crops"].result
    for key in ("rank1", "rank1_crops"):
        assert f"{crops[key]:.2%}" in text
    assert f"{project.steps['classify'].result['accuracy']:.2%}" in text
    assert "These are the very pixels of the first epochs" in text
    assert "AlexNet from scratch" in text
    assert text.count("by McNemar's exact test") == 2  # crops against none, features against crops
    assert "python -m dogs_vs_cats.train_alexnet --config" in text
    html = page.read_text("utf-8")
    assert html.count("what spoke for") > 5  # heat maps
    assert "Waiting for data" in html


def test_scripts_of_another_package_make_a_full_page(workplace, project, monkeypatch):
    """The record tells what each script is for, so that copies under other names do all that the originals do."""
    names = {"build_dogs_vs_cats": "pack", "train_alexnet": "learn", "crop_accuracy": "measure",
             "extract_features": "embed", "train_model": "decide", "report": "show"}  # fmt: skip
    (workplace / "zoo").mkdir()
    (workplace / "zoo/__init__.py").touch()
    for old, new in names.items():
        shutil.copyfile(ROOT / f"dogs_vs_cats/{old}.py", workplace / f"zoo/{new}.py")
    shutil.rmtree(workplace / "output")
    monkeypatch.syspath_prepend(workplace)
    for new, *options in (
        ["pack"], ["learn", "--epochs", "1"], ["measure"], ["embed", "--model", "output/alexnet.keras"],
        ["decide", "--jobs", "1"], ["show"],
    ):  # fmt: skip
        main = importlib.import_module(f"zoo.{new}").main
        assert main.run([*options, "--config", project.config, "--quiet"]) == 0
    text = text_of(workplace / "output/report.html")
    for words in (
        "AlexNet, 10 crops", "Logistic regression on features of AlexNet", "40 images of 2 classes",
        "These are the very pixels of the first epochs", "AlexNet from scratch", "python -m zoo.learn --epochs 1",
    ):  # fmt: skip
        assert words in text, words
    card = (workplace / "output/MODEL_CARD.md").read_text("utf-8")
    assert ["## alexnet" in card, "## classifier" in card, "python -m zoo.embed" in card] == [True] * 3


def test_without_heat_maps_no_network_is_loaded(workplace, project, call):
    (workplace / "output/alexnet.keras").unlink()
    (workplace / "output/alexnet.keras").write_bytes(b"no model")
    outcome = call("report", "--no-heatmaps", "-o", "page.html", "--config", project.config)
    assert outcome.code == 0, outcome.err
    assert "Heat maps were not asked for." in text_of(workplace / "page.html")
    outcome = call("report", "-o", "page.html", "--config", project.config)
    assert outcome.code == 0, outcome.err
    assert "There are no heat maps: model: output/alexnet.keras must be a .keras file" in text_of(
        workplace / "page.html"
    )
    assert "what spoke for" not in (workplace / "page.html").read_text("utf-8")


def test_a_step_that_failed_is_told(workplace, project, call):
    assert call("crop_accuracy", "--model", "nowhere.keras", "--config", project.config).code == 2
    call("report", "--no-heatmaps", "--config", project.config)
    assert "failed: --model: nowhere.keras does not exist" in text_of(workplace / "output/report.html")


def test_the_page_records_itself_and_ignores_it(workplace, project, call):
    for _ in range(2):
        assert call("report", "--no-heatmaps", "--config", project.config).code == 0
    reports = [end for end in ends(workplace / "output") if "report.html" in json.dumps(end["outputs"])]
    assert len(reports) == 2
    assert " report " not in text_of(workplace / "output/report.html").partition("All runs")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "page.txt"], "--output: must end in .html; received page.txt"),
        (["-o", "images"], "--output: must be a file's name; received the folder images"),
    ],
)
def test_mistakes_are_one_line(workplace, project, call, arguments, message):
    outcome = call("report", *arguments, "--config", project.config)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert message in outcome.err


def test_no_record_says_what_to_run(tmp_path, monkeypatch, write_config, call):
    monkeypatch.chdir(tmp_path)
    outcome = call("report", "--config", write_config(tmp_path))
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "output/runs.jsonl must hold runs to report on" in outcome.err
    assert "run the steps of the project first" in outcome.err
    assert not (tmp_path / "output/report.html").exists()
