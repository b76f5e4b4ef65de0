"""Configs are found, and what they lack is named."""

import os
import sys

import pytest

from pyimagesearch.cli.config import load_config, read_means
from pyimagesearch.errors import UserError


class TestConfig:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before = set(sys.modules)
        yield tmp_path
        for name in set(sys.modules) - before:
            del sys.modules[name]

    def test_a_module_of_settings_is_found_from_here(self, folder):
        (folder / "settings").mkdir()
        (folder / "settings" / "foxes.py").write_text("BATCH_SIZE = 7")
        path = list(sys.path)
        assert load_config("settings.foxes").BATCH_SIZE == 7
        assert sys.path == path

    def test_a_missing_setting_is_named(self, folder):
        (folder / "foxes_settings.py").write_text("BATCH_SIZE = 7")
        config = load_config("foxes_settings")
        with pytest.raises(
            UserError, match="EPOCHS: must be set in foxes_settings, which lacks it; copy its line from"
        ):
            _ = config.EPOCHS

    def test_files_lie_in_the_output_folder_unless_the_config_places_them(self, folder):
        (folder / "hens_config.py").write_text('OUTPUT_PATH = "eggs"; MODEL_PATH = "hen.keras"; PRECISION = "float32"')
        config = load_config("hens_config")
        assert (config.TRAIN_HDF5, config.MODEL_PATH) == ("eggs/train.hdf5", "hen.keras")
        assert (config.PRECISION, config.DROPOUT) == ("float32", 0.5)
        assert {"OUTPUT_PATH", "MODEL_PATH", "TEST_HDF5", "DROPOUT"} <= set(config)

    def test_a_config_beside_the_scripts_is_found_from_any_folder(self, folder, monkeypatch):
        (folder / "owls_config.py").write_text("SEED = 3")
        (folder / "elsewhere").mkdir()
        monkeypatch.chdir(folder / "elsewhere")
        assert load_config("owls_config", folder).SEED == 3

    @pytest.mark.parametrize("name", ["no_settings_here", "no_settings_here.foxes"])
    def test_a_missing_module_is_named(self, folder, name):
        with pytest.raises(UserError, match=f"config: must name a module of settings; received {name}, which was"):
            load_config(name)

    def test_a_file_s_name_is_no_module_s(self, folder):
        with pytest.raises(UserError, match=r"received the file settings.foxes\.py; write settings\.foxes and run"):
            load_config(os.path.join("settings", "foxes.py"))

    def test_a_module_that_the_settings_miss_is_not_blamed_on_them(self, folder):
        (folder / "foxes_config.py").write_text("import no_such_library")
        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            load_config("foxes_config")


class TestMeans:
    def test_means_are_read(self, tmp_path):
        (tmp_path / "mean.json").write_text('{"R": 1.5, "G": 2, "B": 3.25, "X": 9}')
        assert read_means(tmp_path / "mean.json") == {"R": 1.5, "G": 2.0, "B": 3.25}

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"dataset_mean: .*mean\.json does not exist; build the data set first"):
            read_means(tmp_path / "mean.json")

    @pytest.mark.parametrize("content", ["", "[1, 2, 3]", '{"R": 1, "G": 2}', '{"R": 1, "G": 2, "B": "blue"}', "3"])
    def test_a_wrong_file_is_named(self, tmp_path, content):
        (tmp_path / "mean.json").write_text(content)
        with pytest.raises(UserError, match=r"dataset_mean: .*mean\.json must be JSON with the numbers R, G and B"):
            read_means(tmp_path / "mean.json")
