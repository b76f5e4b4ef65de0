"""A tiny project for processes that train together, each of which imports Keras on JAX."""

import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.samples.animals import LABELS, paint

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {"train": 80, "val": 26}
SETTINGS = """
import os
import sys

from config.dogs_vs_cats_config import *

INPUT_SIZE, BATCH_SIZE, EPOCHS, CHECKPOINT_BATCHES, SEED = 32, 16, 3, 1, 7
PRECISION = "float32"
OUTPUT_PATH = "output"
TRAIN_HDF5, VAL_HDF5, DATASET_MEAN = "train.hdf5", "val.hdf5", "mean.json"
MODEL_PATH = f"{OUTPUT_PATH}/alexnet.keras"
LAST_MODEL_PATH = f"{OUTPUT_PATH}/alexnet_last.keras"

if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None  # Keras would import it although it does not need it, for seconds

from keras import Input, Sequential, initializers, layers

from pyimagesearch.nn.conv import AlexNet


def build(width, height, depth, classes, **_options):
    '''Build a network that has what makes sharing hard: statistics of whole batches, and random numbers.'''
    small = initializers.RandomNormal(stddev=1e-3)  # as inputs reach 128
    first = [Input((height, width, depth)), layers.Conv2D(4, 5, 4, activation="relu", kernel_initializer=small)]
    random = [layers.BatchNormalization(), layers.Dropout(0.3)] if NORMALISED else []
    return Sequential([*first, *random, layers.Flatten(), layers.Dense(classes, "softmax")], name="alexnet")


NORMALISED = True
AlexNet.build = staticmethod(build)
"""


class Shop:
    """A folder of data sets and settings, in which scripts are run as a user runs them."""

    def __init__(self, folder):
        self.folder, self._running = folder, []
        rng = np.random.default_rng(0)
        for name, count in IMAGES.items():
            images = np.stack([cv2.resize(paint(LABELS[i % 2], rng), (40, 40)) for i in range(count)])
            with HDF5DatasetWriter(images.shape, folder / f"{name}.hdf5", dtype=np.uint8) as writer:
                writer.add(images, np.arange(count) % 2)
                writer.store_class_labels(list(LABELS))
        (folder / "mean.json").write_text(json.dumps(dict.fromkeys("RGB", 120.0)))
        self.write_config("tiny", SETTINGS)

    def write_config(self, name, text):
        (self.folder / f"{name}.py").write_text(text, "utf-8")

    def start(self, *arguments, config="tiny", devices=1, backend="jax", program=("-m", "dogs_vs_cats.train_alexnet")):
        """Start a script with this number of CPU devices of JAX."""
        wanted = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "TF_CPP"))}
        inherited = {**wanted, "PYTHONPATH": str(ROOT)}
        xla = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
        process = subprocess.Popen(
            [sys.executable, *program, "--config", config, *map(str, arguments)], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**inherited, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": xla},
        )  # fmt: skip
        self._running.append(process)
        return process

    def start_hosts(self, count, *arguments, **options):
        """Start a script on this number of hosts, which meet at a free port."""
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        where = ("--hosts", count, "--coordinator", f"localhost:{port}", "--join-timeout", 60, "--lost-timeout", 20)
        return [self.start(*where, "--host-index", index, *arguments, **options) for index in range(count)]

    @staticmethod
    def ends_of(*processes, timeout=120):
        """Return the exit code, stdout and stderr of each process."""
        said = [process.communicate(timeout=timeout) for process in processes]
        return [(process.returncode, *words) for process, words in zip(processes, said, strict=True)]

    @property
    def curves(self):
        return json.loads((self.folder / "output/alexnet.json").read_text("utf-8"))

    @property
    def position(self):
        """How far the last checkpoint is, as (epoch, batch)."""
        try:
            with zipfile.ZipFile(self.folder / "output/alexnet_last.keras") as archive:
                position = json.loads(archive.read("pyimagesearch.json"))["position"]
        except FileNotFoundError:
            return 0, 0
        return position["epoch"], position["batch"]

    def close(self):
        for process in self._running:
            process.send_signal(signal.SIGKILL)  # its child ends with it
            process.communicate()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    place = Shop(tmp_path_factory.mktemp("shop"))
    yield place
    place.close()


@pytest.fixture(scope="session")
def check_same():
    """Return a function that checks that curves are those of another run, to rounding."""

    def check(found, wanted):
        assert found.keys() == wanted.keys()
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-7, err_msg=name)

    return check
