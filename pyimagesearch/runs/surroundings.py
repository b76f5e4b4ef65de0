"""The surroundings of a run: versions of libraries, hardware, and the devices of Keras."""

import contextlib
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pyimagesearch
from pyimagesearch.utils.parallel import cpu_count

_DISTRIBUTIONS = {
    "numpy": ["numpy"],
    "opencv": ["opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"],
    "h5py": ["h5py"],
    "scikit-learn": ["scikit-learn"],
    "keras": ["keras"],
}
_BACKENDS = {"tensorflow": ["tensorflow", "tensorflow-cpu"], "jax": ["jax"], "torch": ["torch"]}


def versions() -> dict[str, str]:
    """Return the versions of the libraries that can change a number, by name, without importing them."""
    backend = _configured_backend()
    found = {"python": platform.python_version(), "pyimagesearch": pyimagesearch.__version__}
    for name, distributions in {**_DISTRIBUTIONS, backend: _BACKENDS.get(backend, [backend])}.items():
        for distribution in distributions:
            try:
                found[name] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return found


def _configured_backend() -> str:
    """Return the backend that Keras uses, or will use once it is imported."""
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        configured = json.loads((home / "keras.json").read_text("utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        configured = "tensorflow"
    return os.environ.get("KERAS_BACKEND") or str(configured)


def hardware() -> dict[str, Any]:
    """Return the system, the processor, how many of it this process may use, and the memory in bytes."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "processors": cpu_count(),
        "memory_bytes": _memory_bytes(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError):  # not Linux
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def backend() -> str | None:
    """Return the backend of Keras, or None if Keras was not imported."""
    keras = sys.modules.get("keras")
    try:
        return keras.config.backend() if keras else None
    except AttributeError:  # interrupted during its import
        return None


def devices() -> list[str]:
    """Return the devices that Keras computes on, as "CPU: AMD EPYC" or "GPU: NVIDIA H200"; empty without Keras."""
    if backend() is None:
        return []
    try:
        names = sys.modules["keras"].distribution.list_devices()
    except Exception:  # each backend has errors of its own, and a record is no reason to fail
        return []
    kinds = [name.partition(":")[0].upper() for name in names]
    graphics = iter(_graphics_cards() if "GPU" in kinds else [])
    models = {"CPU": _processor, "GPU": lambda: next(graphics, "unknown")}
    return [f"{kind}: {models[kind]() if kind in models else name}" for kind, name in zip(kinds, names, strict=True)]


def _graphics_cards() -> list[str]:
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    texts = [file.read_text("utf-8", "replace") for file in files]
    return [line.partition(":")[2].strip() for text in texts for line in text.splitlines() if line.startswith("Model")]
