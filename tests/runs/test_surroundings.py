"""Versions and hardware of a run, found without imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from pyimagesearch.runs import surroundings

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_heavy_is_imported_for_it():
    program = (
        "import sys; from pyimagesearch.runs import recorder, provenance, modelcard, surroundings as s;"
        "s.versions(), s.hardware();"
        "assert s.backend() is None and s.devices() == [];"
        "print([m for m in ('numpy', 'h5py', 'cv2', 'keras', 'tensorflow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
def test_the_backend_that_is_asked_for_is_named(monkeypatch, name):
    monkeypatch.setenv("KERAS_BACKEND", name)
    found = surroundings.versions().keys() & {"tensorflow", "jax", "torch"}
    assert found <= {name}


def test_hardware_is_known():
    found = surroundings.hardware()
    assert found["processors"] >= 1
    assert found["memory_bytes"] is None or found["memory_bytes"] > 2**28
    assert found["processor"]


def test_devices_of_keras_have_names(monkeypatch):
    keras = pytest.importorskip("keras")
    assert surroundings.backend() == keras.config.backend()
    assert all(": " in device for device in surroundings.devices())
    names = ["gpu:0", "gpu:1", "cpu:0", "tpu:0"]
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: names)
    monkeypatch.setattr(surroundings, "_graphics_cards", lambda: ["NVIDIA H200"])
    monkeypatch.setattr(surroundings, "_processor", lambda: "EPYC")
    assert surroundings.devices() == ["GPU: NVIDIA H200", "GPU: unknown", "CPU: EPYC", "TPU: tpu:0"]
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: 1 / 0)
    assert surroundings.devices() == []
