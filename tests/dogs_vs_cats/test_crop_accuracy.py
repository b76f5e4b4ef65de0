"""The predictions of step 3: where they are written, and when they are kept."""

import shutil
from pathlib import Path


def test_existing_predictions_are_kept_unless_forced(project, workplace, call, files_in):
    before = files_in(workplace)
    outcome = call("crop_accuracy", "--config", project.config)
    assert outcome.code == 2
    assert "--output: output/alexnet_predictions.hdf5 exists; existing files are kept" in outcome.err
    assert files_in(workplace) == before
    forced = call("crop_accuracy", "--force", "--config", project.config)
    assert forced.code == 0, forced.err
    assert forced.result["rank1_crops"] == project.steps["crops"].result["rank1_crops"]


def test_predictions_lie_beside_the_model_or_where_told(project, workplace, call):
    (workplace / "elsewhere").mkdir()
    shutil.copy(workplace / "output/alexnet.keras", "elsewhere/mine.keras")
    for options, path in (((), "elsewhere/mine_predictions.hdf5"), (("-o", "own.hdf5"), "own.hdf5")):
        outcome = call("crop_accuracy", "-m", "elsewhere/mine.keras", *options, "--config", project.config)
        assert outcome.code == 0, outcome.err
        assert outcome.result["predictions"] == Path(path)
        assert (workplace / path).is_file()
