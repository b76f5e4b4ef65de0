import subprocess
import sys
from pathlib import Path

import pytest

from pyimagesearch.utils.lazy import lazy_exports

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_is_imported_from_its_home_on_first_use():
    load = lazy_exports("json", {"JSONDecoder": "decoder"})
    import json

    assert load("JSONDecoder") is json.JSONDecoder


def test_other_names_are_missing_as_usual():
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'loadz'"):
        lazy_exports("json", {"JSONDecoder": "decoder"})("loadz")


@pytest.mark.parametrize("package", ["callbacks", "io", "nn.conv", "nn.dense", "preprocessing", "utils"])
def test_every_exported_name_is_there(package):
    import importlib

    module = importlib.import_module(f"pyimagesearch.{package}")
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name


@pytest.mark.parametrize(
    "statement",
    [
        "import pyimagesearch.preprocessing, pyimagesearch.io, pyimagesearch.utils, pyimagesearch.callbacks",
        "from pyimagesearch.preprocessing import *",
        "from pyimagesearch.io import HDF5DatasetWriter, label_from_name",
        "from pyimagesearch.utils import rank5_accuracy; import pyimagesearch.cli",
        "import pyimagesearch.building.packing, pyimagesearch.io.batching.batchloader",
    ],
)
def test_keras_comes_in_only_with_a_model(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "sklearn", "matplotlib"} & set(result.stdout.split())
