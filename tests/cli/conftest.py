"""A place where scripts find a config, and leave their records."""

import sys

import pytest


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return the working directory, in which there is a config and a folder for its output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fox_config.py").write_text('OUTPUT_PATH = "output"; SEED = 7; SIZE = (3, 4); _HIDDEN = 1; lower = 2\n')
    (tmp_path / "output").mkdir()
    yield tmp_path
    sys.modules.pop("fox_config", None)
