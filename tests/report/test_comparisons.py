"""Comparisons of two methods on the same images, on the page."""

import numpy as np

from pyimagesearch.predicting.predictionsfile import write_predictions
from pyimagesearch.report.answer import answer, find_methods
from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import read_runs
from pyimagesearch.runs.recorder import identify

PATHS = [f"{index}.jpg" for index in range(40)]
TRUTH = np.arange(40) % 2
CROPS = {"rank1": 0.5, "rank1_crops": 0.75, "images": 40}


def predicted(wrong):
    return np.where(np.arange(40) < wrong, 1 - TRUTH, TRUTH)


def add_predictions(record, script, results, wrong, rows, paths=PATHS, truth=TRUTH):
    """Add a run that left predictions of some rows, of which those below ``wrong`` are wrong."""
    path = record.path.with_name(f"{script}.hdf5")
    chosen = None if paths is None else [paths[row] for row in rows]
    write_predictions(path, predicted(wrong)[rows], truth[rows], ["cat", "dog"], paths=chosen)
    file = {**identify(path), "path": path.name}  # relative to the folder that the script ran in
    record.add(script, results | {"predictions": path.name}, outputs=[file], folder=str(path.parent))
    return path


def compared(record):
    project = Project(read_runs(record.path))
    return answer(project, find_methods(project))["comparisons"]


def test_ten_crops_against_none(record, tmp_path):
    from pyimagesearch.report.page import render

    test = {"images": 40, "gained": 12, "lost": 2, "p": 0.0129}
    record.add("crop_accuracy", CROPS | {"crops_against_none": test})
    assert [one.test for one in compared(record)] == [test]
    sentence = "AlexNet, 10 crops, against AlexNet, no crops, on the same 40 images: 12 gained, 2 lost, p = 0.013 by"
    assert sentence in render(read_runs(record.path))
    record.add("crop_accuracy", CROPS | {"crops_against_none": {**test, "lost": 11, "p": 1.0}})
    assert "11 lost, p = 1 by McNemar's exact test; chance may explain that." in render(read_runs(record.path))


def test_features_against_crops_on_the_images_that_both_were_tested_on(record):
    add_predictions(record, "crop_accuracy", CROPS, wrong=20, rows=np.arange(0, 40))
    add_predictions(record, "train_model", {"accuracy": 1.0, "images": 25}, wrong=8, rows=np.arange(39, 4, -1))
    (one,) = compared(record)
    assert one.name.startswith("Logistic regression") or one.name.startswith("classifier")
    assert one.other == "AlexNet, 10 crops"
    assert (one.test["images"], one.test["gained"], one.test["lost"], one.is_clear) == (35, 12, 0, True)


def test_what_is_not_known_for_the_same_images_is_not_compared(record):
    add_predictions(record, "crop_accuracy", CROPS, wrong=20, rows=np.arange(20))
    results = {"accuracy": 1.0, "images": 20}
    for options in ({"paths": None}, {"rows": np.arange(20, 40)}, {"truth": 1 - TRUTH}):
        add_predictions(record, "train_model", results, **({"wrong": 0, "rows": np.arange(20)} | options))
        assert compared(record) == []
    path = add_predictions(record, "train_model", results, wrong=0, rows=np.arange(20))
    assert len(compared(record)) == 1
    path.write_bytes(path.read_bytes() + b"more")  # another file than that of the record
    assert compared(record) == []
    path.unlink()
    assert compared(record) == []
