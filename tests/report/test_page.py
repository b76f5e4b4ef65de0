"""The page as text: what it says, what it leaves out, and that it needs nothing but itself."""

import json
import re

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.report import page as page_module
from pyimagesearch.report.page import duration, render, write_page
from pyimagesearch.runs.record import read_runs, step_of
from tests.report.reading import Reader


@pytest.fixture(scope="module")
def html(page):
    return page.read_text("utf-8")


@pytest.fixture(scope="module")
def read(html):
    return Reader(html)


def test_it_needs_no_network(html, page, read):
    assert not re.search(r"https?:|//\w+\.|@import|url\(", html)
    assert page.stat().st_size < 1_000_000
    for tag, attributes in read.elements:
        for name in ("src", "href", "action", "poster", "data"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:")) or not value, (tag, name, value)
    assert not read.open


def test_every_picture_says_what_it_shows(read):
    pictures = read.all("img")
    assert len(pictures) > 50
    assert all(picture["alt"].strip() and picture["width"] and picture["height"] for picture in pictures)
    assert any("taken for cat" in picture["alt"] for picture in pictures)


def test_charts_have_names(read):
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    charts = [attributes for attributes in read.all("svg") if attributes.get("role") == "img"]
    assert len(charts) == 1 + 1 + 5 + 6
    for chart in charts:
        assert set(chart["aria-labelledby"].split()) <= ids
    assert len(read.all("title")) > len(charts)


def test_ids_are_used_once_and_links_lead_to_them(read):
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [link["href"] for link in read.all("a")]
    assert len(targets) == 7
    assert {target[1:] for target in targets} <= set(ids)


def test_headings_are_in_order(read):
    assert read.headings[0] == 1
    assert read.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(read.headings, read.headings[1:], strict=False))


def test_names_of_strangers_stay_text(html, read):
    assert html.count("<script>") == 1
    assert "<script>alert(1)</script>" in read.text
    assert 'odd "quoted" <b>.jpg' in read.text
    assert "bad <i>.jpg : it is empty" in read.text
    assert "The build left out files that are <i>: 3 .svg." in read.text
    assert not read.all("b")
    assert any(row.get("data-path") == 'odd "quoted" <b>.jpg' for row in read.all("tr"))


def test_the_answer_is_that_of_the_record(read, runs):
    crops = [run for run in runs if run.script.endswith("crop_accuracy") and run.status == "done"]
    found, before = crops[-1].results, crops[0].results
    for key, name in (("rank1", "evaluation"), ("rank1_crops", "evaluation_crops")):
        low, high = found[name]["interval"]
        words = f"{found[key]:.2%} {low:.2%} to {high:.2%} {found['images']} {found[name]['log_loss']:.4f}"
        assert f"{words} {100 * (found[key] - before[key]):+.2f} points" in read.text
    assert "95.83% of 24 test images are recognised by the best method: Logistic regression on features" in read.text


def test_a_worse_result_has_a_minus(project, tmp_path):
    lines = (project / "runs.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    ends = [event for event in events if event["event"] == "end" and "rank1" in event["results"]]
    ends[-1]["results"]["rank1"] = ends[0]["results"]["rank1"] - 0.0123
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, events)), "utf-8")
    assert "\N{MINUS SIGN}1.23 points against 22 November 2026, 06:04 UTC" in Reader(
        write_page(tmp_path / "runs.jsonl", tmp_path / "page.html").read_text("utf-8")
    ).text  # fmt: skip


def test_figures_of_the_other_sections(read, runs):
    results = {run.script.partition(".")[2]: run.results for run in runs if run.status == "done"}
    for matrix in ("evaluation", "evaluation_crops"):
        for counts in results["crop_accuracy"][matrix]["confusion"]:
            assert " ".join(f"{count} {count / sum(counts):.1%}" for count in counts) in read.text
    for row in results["train_model"]["evaluation"]["per_class"]:
        assert f"{row['name']} {row['precision']:.2%} {row['recall']:.2%} {row['f1']:.2%} 12" in read.text
    assert f"{results['train_model']['evaluation']['roc']['auc']:.4f}" in read.text
    assert f"{results['train_model']['evaluation']['calibration']['error']:.2%}" in read.text
    assert "3 epochs on 40 images, in batches of 8; 1,234,567 parameters; 2 min 32 s." in read.text
    assert "Best validation accuracy 93.75% in epoch 2, on 12 images." in read.text
    assert "1 2.9000 2.0000 60.00% 75.00% 0.001 3.0 13.0 21.00% 2 1.7000 1.5000" in read.text
    assert "Pictures found more than once: 1; in several splits: 1; with several labels: 0." in read.text
    assert "cat 20 6 12 38" in read.text


def test_how_to_repeat_it(read):
    command = "python -m dogs_vs_cats.train_alexnet --note 'it'\"'\"'s <b>'"
    assert command in read.text
    assert "python 3.12.1 keras 3.15.0" in read.text
    assert "a <fast> one processors 2 memory 24.0 GB" in read.text
    assert 'crop_accuracy, 22 November 2026, 06:03 UTC: failed: model: <b> "broken"' in read.text
    assert "predict, 22 November 2026, 06:08 UTC: killed, or still running: it has no end in the record" in read.text


def test_pictures_are_those_of_the_images(read, project):
    """The montage of the blue class is blue, that of the red one red."""
    import base64

    for number, name in ((0, "cat"), (2, "<script>alert(1)</script>")):
        sources = [p["src"] for p in read.all("img") if p["alt"].startswith(f"{name}: train/")]
        assert len(sources) == 18
        data = base64.b64decode(sources[0].partition(",")[2])
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image.mean(axis=(0, 1)).argmax() == number


def test_the_steps_count_and_not_the_names_of_the_scripts(project, page, tmp_path):
    """A record of scripts that were copied to another package, under other names, gives the same page."""
    events = [json.loads(line) for line in (project / "runs.jsonl").read_text("utf-8").splitlines()]
    for event in events:
        if event["event"] == "start":
            old = event["script"].rpartition(".")[2]
            event |= {"script": f"zoo.zoo_{old[::-1]}", "step": step_of(old)}
            event["command"][2] = event["script"]
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, events)), "utf-8")
    found = write_page(tmp_path / "runs.jsonl", tmp_path / "page.html").read_text("utf-8")
    found = re.sub(r"zoo_(\w+)", lambda name: name[1][::-1], found).replace("zoo.", "dogs_vs_cats.")
    assert found == page.read_text("utf-8")


def test_an_older_model_is_reported(project, tmp_path):
    lines = (project / "runs.jsonl").read_text("utf-8").splitlines()
    retrained = [line.replace('"identity": "one"', '"identity": "two"') for line in lines if "train_alexnet" in line]
    run = json.loads(retrained[0])["run"]
    retrained += [line.replace('"identity": "one"', '"identity": "two"') for line in lines
                  if json.loads(line)["run"] == run and '"end"' in line]  # fmt: skip
    changed = [line.replace(run, "f" * 16) for line in retrained]
    (tmp_path / "runs.jsonl").write_text("\n".join([*lines, *changed]), "utf-8")
    text = Reader(render(read_runs(tmp_path))).text
    assert f"crop_accuracy was run before {project / 'alexnet.keras'} was written again" in text


def test_the_same_record_gives_the_same_page(project, page, tmp_path):
    assert write_page(project / "runs.jsonl", tmp_path / "again.html").read_bytes() == page.read_bytes()


@pytest.mark.parametrize("content", [None, "", "not JSON\n"])
def test_no_record_says_what_to_run(tmp_path, content):
    if content is not None:
        (tmp_path / "runs.jsonl").write_text(content)
    with pytest.raises(UserError, match=r"runs\.jsonl must hold runs to report on.*run the steps"):
        write_page(tmp_path / "runs.jsonl", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_its_own_runs_are_no_runs(record):
    record.add("report", status="killed")
    record.add("demo", status="killed")
    with pytest.raises(UserError, match="must hold runs"):
        write_page(record.path, record.path.with_name("report.html"))


def test_pictures_that_are_gone_are_left_out(project, tmp_path):
    text = (project / "runs.jsonl").read_text("utf-8").replace(str(project), str(tmp_path / "gone"))
    (tmp_path / "runs.jsonl").write_text(text, "utf-8")
    read = Reader(render(read_runs(tmp_path)))
    assert not read.all("img")
    assert "Pictures that are not where the record says, and are left out" in read.text
    assert "The training file is gone" in read.text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (152.4, "2 min 32 s"), (11100, "3 h 5 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_templates_are_in_the_package():
    assert {path.name for path in page_module._TEMPLATES.iterdir()} >= {"page.html.j2", "style.css", "script.js"}
