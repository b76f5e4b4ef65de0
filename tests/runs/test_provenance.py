"""Steps, files and models in a record, and how they belong together."""

import pytest

from pyimagesearch.runs.provenance import Project
from pyimagesearch.runs.record import Run


def run(name, step, inputs=None, outputs=None, status="done", folder="/pets", results=None, settings=None):
    files = [
        [{"path": path, "bytes": 1, "identity": mark} for path, mark in (group or {}).items()]
        for group in (inputs, outputs)
    ]
    config = {"module": "config.own", "settings": settings} if settings else None
    return Run(
        name, f"2026-11-22T06:0{name}:00+00:00", f"any.{step}_script", step, ["python"], folder, config, 7, {}, {},
        status, "", 1.0, None, None, [], files[0], files[1], results or {},
    )  # fmt: skip


@pytest.fixture
def project():
    return Project([
        run("1", "build", outputs={"train.hdf5": "t1", "test.hdf5": "e1"}, results={"build": 1}),
        run("2", "train", {"train.hdf5": "t1"}, {"net.keras": "m1"}, settings={"SEED": 7}),
        run("3", "crops", {"test.hdf5": "e1", "./net.keras": "m1"}, results={"rank1": 0.5}),
        run("4", "crops", {"test.hdf5": "e1", "net.keras": "m1"}, results={"rank1": 0.75}),
        run("5", "crops", status="failed"),
        run("6", "train", {"train.hdf5": "t1"}, {"net.keras": "m2"}, folder="/elsewhere"),
        run("7", "features", {"test.hdf5": "e1"}, {"f.hdf5": "f1"}),
    ])  # fmt: skip


def test_the_last_run_of_a_step_that_was_done(project):
    assert project["crops"].run == "4"
    assert project.before(project["crops"]).run == "3"
    assert project.before(project["build"]) is None
    assert project["classify"] is None
    assert project.results("crops") == {"rank1": 0.75}
    assert project.results("classify") == project.settings("classify", "crops") == {}


def test_a_file_is_known_by_its_place_and_its_content(project):
    build, train, first, *_ = project.runs
    assert project.writer(first, first.inputs[1]) is train
    assert project.sources(first) == [build, train]
    assert project.outdated(first) == []  # that of /elsewhere is another
    newer = Project([*project.runs, run("8", "train", {}, {"net.keras": "m3"})])
    assert newer.outdated(first) == ["./net.keras"]
    same = Project([*newer.runs, run("9", "train", {}, {"net.keras": "m1"})])
    assert same.outdated(first) == []


def test_models_are_those_of_the_last_training_of_each_file(project):
    first, second = project.models()
    assert (first.path, first.test.run) == ("/pets/net.keras", "4")
    assert (second.path, second.test) == ("/elsewhere/net.keras", None)
    assert first.data == {"build": 1}
