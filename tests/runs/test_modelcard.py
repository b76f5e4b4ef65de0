import json
import re
import zipfile

import numpy as np
import pytest
import yaml

from pyimagesearch.errors import UserError
from pyimagesearch.ml.metrics import evaluate_predictions
from pyimagesearch.runs.modelcard import write_model_card
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import NAME, append, read_runs

NAMES = ["cat", "dög|_x_"]
PREPARATION = {"width": 64, "height": 60, "color_order": "BGR", "input_order": "", "label_names": NAMES,
               "means": {"R": 1.234, "G": 2.0, "B": 3.0}, "deviations": {"R": 1.0, "G": 1.0, "B": 1.0}}  # fmt: skip
BUILD = {"images": 1234, "classes": dict.fromkeys(NAMES, 617), "dataset": "photos", "skipped": {"a": "no image"},
         "splits": {"train": dict.fromkeys(NAMES, 600), "test": {"cat": 17}},
         "duplicates": {"pictures": 4, "groups": 2, "across_splits": [{}], "conflicts": []}}  # fmt: skip
TRAINING = {"val_accuracy": 0.9, "best_epoch": 3, "epochs": 4, "training_images": 1200, "validation_images": 24,
            "batch_size": 32, "parameters": 5678}  # fmt: skip


def evaluation(right, n=40, probabilities=True):
    truth = np.arange(n) % 2
    predicted = np.where(np.arange(n) < right, truth, 1 - truth)
    sure = np.where(predicted == 1, 0.75, 0.25)
    return evaluate_predictions(
        truth, np.stack([1 - sure, sure], 1) if probabilities else None, NAMES, predictions=predicted
    )


@pytest.fixture
def record(tmp_path):
    """Return a function that appends a run to the record in ``tmp_path``; files are named with their identities."""
    numbers = iter(range(1000))

    def identified(files):
        return [{"path": path, "bytes": 1, "identity": mark} for path, mark in files.items()]

    def write(script, outputs=None, inputs=None, status="done", results=None, settings=None):
        number = next(numbers)
        common = {"schema": 1, "run": f"{number:016x}", "time": f"2026-11-22T06:{number:02}:00+00:00"}
        start = {**common, "event": "start", "script": f"dogs_vs_cats.{script}", "folder": str(tmp_path), "seed": 42,
                 "command": ["python", "-m", f"dogs_vs_cats.{script}", "--number", str(number)],
                 "config": {"module": "config.own", "settings": settings or {}}, "versions": {"keras": "3.15"},
                 "hardware": {"processor": "A-1"}}  # fmt: skip
        end = {**common, "event": "end", "seconds": 1234.5, "status": status, "error": None, "backend": "jax",
               "devices": ["GPU: B-2"], "inputs": identified(inputs or {}), "outputs": identified(outputs or {}),
               "results": results or {}}  # fmt: skip
        append(tmp_path / NAME, [start, end])

    return write


@pytest.fixture
def project(record, tmp_path):
    """Record a build, a training, and a test of its model."""
    record("build_dogs_vs_cats", {"train.hdf5": "t1", "test.hdf5": "e1"}, {"photos": None}, results=BUILD)
    settings = {"LEARNING_RATE": 0.001, "AUGMENTATION": {"rotation_range": 10}}
    record("train_alexnet", {"net.keras": "m1", "last.keras": "l1"}, {"train.hdf5": "t1"}, results=TRAINING,
           settings=settings)  # fmt: skip
    figures = {"model": "net.keras", "evaluation": evaluation(30), "evaluation_crops": evaluation(36)}
    record("crop_accuracy", {"p.hdf5": "p1"}, {"test.hdf5": "e1", "net.keras": "m1"}, results=figures)
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("pyimagesearch.json", json.dumps({"preparation": PREPARATION}))


def parse(folder):
    """Return a card's front matter and its text, with runs of blank lines as one."""
    (path,) = write_model_card(folder)
    _, front, text = path.read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


class TestTrainedModels:
    def test_only_the_test_of_the_very_file_counts(self, project, record, tmp_path):
        record("crop_accuracy", {}, {"net.keras": "another"}, results={"evaluation": evaluation(1)})
        record("crop_accuracy", {}, {"net.keras": "m1"}, status="failed")
        (model,) = Project(read_runs(tmp_path)).models()
        assert (model.name, model.path) == ("net", str(tmp_path / "net.keras"))
        assert [e["accuracy"] for e in model.evaluations.values()] == [0.75, 0.9]
        assert [command[2].rpartition(".")[2] for command in model.commands] == [
            "build_dogs_vs_cats", "train_alexnet", "crop_accuracy",
        ]  # fmt: skip

    def test_a_model_that_was_trained_again_is_not_tested_yet(self, project, record, tmp_path):
        record("train_alexnet", {"net.keras": "m2"}, {"train.hdf5": "t1"}, results=TRAINING)
        record("train_alexnet", {"net.keras": "m3"}, {}, status="stopped")
        (model,) = Project(read_runs(tmp_path)).models()
        assert model.run.outputs[0]["identity"] == "m2"
        assert model.evaluations == {}

    def test_the_sources_go_back_to_the_images(self, project, record, tmp_path):
        record("build_dogs_vs_cats", {"train.hdf5": "t2"}, results={"images": 1})
        record("extract_features", {"f.hdf5": "f1"}, {"test.hdf5": "e1", "net.keras": "m1"}, results={"networks": "n"})
        record("train_model", {"c.skops": "c1"}, {"f.hdf5": "f1"}, results={"evaluation": evaluation(20)})
        models = Project(read_runs(tmp_path)).models()
        assert [model.name for model in models] == ["net", "c"]
        of_classifier = [run.script.rpartition(".")[2] for run in models[1].sources]
        assert of_classifier == ["build_dogs_vs_cats", "train_alexnet", "extract_features"]
        assert models[1].data == BUILD
        assert [model.stands_on_own_network for model in models] == [False, True]
        assert parse(tmp_path)[1].count("was trained on images of the same project") == 1
        assert models[1].figures_of("features") == {"networks": "n"}

    def test_runs_that_trained_nothing(self, record, tmp_path):
        record("build_dogs_vs_cats", {"train.hdf5": "t1"})
        record("train_alexnet", {}, status="failed")
        assert Project(read_runs(tmp_path)).models() == []
        assert write_model_card(tmp_path) == []


class TestCard:
    def test_the_front_matter_is_that_of_hugging_face(self, project, tmp_path):
        front, _ = parse(tmp_path)
        assert (front["license"], front["library_name"]) == ("unknown", "keras")
        assert front["pipeline_tag"] == "image-classification"
        (entry,) = front["model-index"]
        assert entry["name"] == "net"
        assert [result["dataset"]["name"] for result in entry["results"]] == ["photos"] * 2
        metrics = {m["name"]: (m["type"], m["value"]) for result in entry["results"] for m in result["metrics"]}
        assert metrics["accuracy, no crops"] == ("accuracy", 0.75)
        assert metrics["accuracy, mean of 10 crops"] == ("accuracy", 0.9)
        assert metrics["log loss, no crops"] == ("log_loss", pytest.approx(evaluation(30)["log_loss"]))

    def test_the_text_holds_the_figures_of_the_record(self, project, tmp_path):
        _, text = parse(tmp_path)
        for words in (
            "## net", "AlexNet with batch normalisation", "1,234 images of `photos`", "| cat | 600 | 17 |",
            "| dög\\|\\_x\\_ | 600 | 0 |", "could not be used: 1.", "Trained on 1,200 images, validated on 24.",
            "resized to 64x60 pixels", "in the order BGR", "R 1.23, G 2.00, B 3.00", "| parameters | 5678 |",
            "| best epoch | 3 |", "| learning rate | 0.001 |", "| augmentation | rotation_range 10 |", "| seed | 42 |",
            "| duration | 1,234 seconds |", "| computed by | jax, GPU: B-2, A-1 |",
            "| no crops | 40 | 75.00% | 59.81% to 85.81% |", "| mean of 10 crops | 40 | 90.00% | 76.95% to 96.04% |",
            "on 40 images only", "Its probabilities are off by 15.00% on average",
            "duplicates that lie in more than one split: 1", "It knows 2 classes (cat, dög",
            "    python -m dogs_vs_cats.train_alexnet --number 1\n", "keras 3.15:", "- Contact:",
        ):  # fmt: skip
            assert words in text, words
        assert "divided by" not in text
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1

    def test_many_classes_are_not_all_named_in_a_sentence(self, record, tmp_path):
        truth, names = np.arange(30), [f"breed {index}" for index in range(30)]
        found = evaluate_predictions(truth, None, names, predictions=truth)
        record("train_model", {"c.skops": "c"}, {"f.hdf5": "f"}, results={"evaluation": found, "features": 9})
        text = parse(tmp_path)[1]
        assert "It knows 30 classes (breed 0, breed 1, " in text
        assert "breed 19 and 10 more) and gives" in text
        assert "| breed 29 | 1 |" in text

    def test_a_rare_class(self, record, tmp_path):
        truth = np.array([0] * 17 + [1] * 3)
        found = evaluate_predictions(truth, None, NAMES, predictions=0 * truth)
        record("train_model", {"c.skops": "c"}, {"f.hdf5": "f"}, results={"evaluation": found, "features": 9})
        assert "hides: the mean recall of the classes (balanced accuracy) is 50.00%." in parse(tmp_path)[1]

    def test_a_classifier_without_probabilities(self, record, tmp_path):
        record("extract_features", {"f.hdf5": "f"}, {}, results={"networks": "resnet50; vgg16"})
        record("train_model", {"c.skops": "c"}, {"f.hdf5": "f"},
               results={"evaluation": evaluation(30, 1000, False), "features": 2048, "best_c": 0.1})  # fmt: skip
        front, text = parse(tmp_path)
        assert front["library_name"] == "sklearn"
        assert [m["type"] for m in front["model-index"][0]["results"][0]["metrics"]] == ["accuracy"]
        assert "| held-out images | 1,000 | 3.00% | 2.11% to 4.25% | - | - | - |" in text
        assert "2,048 features of each image, from: resnet50; vgg16" in text
        assert "It gives no probabilities." in text
        assert "images only" not in text

    def test_a_model_of_which_little_is_known(self, record, tmp_path):
        record("fine_tune", {"models/net.keras": "m"}, {"gone.hdf5": "g"})
        front, text = parse(tmp_path)
        assert "`models/net.keras` is" in text
        assert str(tmp_path) not in text
        assert "model-index" not in front
        assert "Not tested yet." in text
        assert "how good it is, is not known" in text
        assert "None" not in text

    def test_names_cannot_break_the_front_matter(self, record, tmp_path):
        odd = 'a"b: [\n---\nc\u2028\x7f😀\ud800'
        record("train_model", {f"{odd}.skops": "c"}, {}, results={"evaluation": evaluation(30)})
        front, _ = parse(tmp_path)
        assert front["model-index"][0]["name"].startswith('a"b: [\\n---\\nc')
        assert "😀" in front["model-index"][0]["name"]


class TestPlace:
    def test_a_card_lies_beside_its_model(self, project, record, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        record("train_model", {"elsewhere/c.skops": "c"}, {}, results={"evaluation": evaluation(10)})
        cards = write_model_card(tmp_path)
        assert cards == [tmp_path / "MODEL_CARD.md", tmp_path / "elsewhere/MODEL_CARD.md"]
        assert ["## c" in card.read_text("utf-8") for card in cards] == [False, True]

    def test_a_project_that_was_moved_keeps_its_card(self, record, tmp_path):
        settings = {"OUTPUT_PATH": "output"}
        (tmp_path / "output").mkdir()
        record("train_model", {"output/c.skops": "c"}, {}, results={"evaluation": evaluation(10)}, settings=settings)
        (tmp_path / "moved").mkdir()
        (tmp_path / NAME).rename(tmp_path / "moved" / NAME)
        assert write_model_card(tmp_path / "moved") == [tmp_path / "moved/MODEL_CARD.md"]


class TestOwner:
    def test_writing_again_changes_nothing(self, project, tmp_path):
        (path,) = write_model_card(tmp_path)
        first = path.read_bytes()
        assert write_model_card(tmp_path) == []
        assert path.read_bytes() == first
        assert sorted(p.name for p in tmp_path.iterdir()) == ["MODEL_CARD.md", "net.keras", "runs.jsonl"]

    def test_what_the_owner_wrote_stays(self, project, record, tmp_path):
        (path,) = write_model_card(tmp_path)
        filled = path.read_text("utf-8").replace("license: unknown  # to be filled in", "license: mit\nlanguage: en")
        filled = filled.replace("- Contact:", "- Contact: ich@example.org, {{ 7 * 6 }}")
        path.write_text(filled, "utf-8")
        record("train_model", {"c.skops": "c"}, {}, results={"evaluation": evaluation(10)})
        front, text = parse(tmp_path)
        assert (front["license"], front["language"]) == ("mit", "en")
        assert "- Contact: ich@example.org, {{ 7 * 6 }}" in text
        assert [entry["name"] for entry in front["model-index"]] == ["net", "c"]
        assert text.count("## Filled in by the owner") == 1

    def test_a_card_of_somebody_else_is_left_alone(self, project, tmp_path, caplog):
        caplog.set_level("INFO", "pyimagesearch")
        (tmp_path / "MODEL_CARD.md").write_text("# My own\n")
        assert write_model_card(tmp_path) == []
        assert (tmp_path / "MODEL_CARD.md").read_text() == "# My own\n"
        assert "MODEL_CARD.md is kept" in caplog.text


def test_without_a_record_there_is_no_card(tmp_path):
    with pytest.raises(UserError, match=r"run record: .* cannot be read"):
        write_model_card(tmp_path)
