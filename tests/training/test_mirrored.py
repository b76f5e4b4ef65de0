"""Several devices of one machine on TensorFlow."""

import json

import pytest

pytest.importorskip("tensorflow")

ONE_AND_TWO = """
import json
import sys

import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from dogs_vs_cats.train_alexnet import main

results = [main([*sys.argv[1:], *devices])["history"] for devices in ([], ["--devices", "all"])]
print(json.dumps(results))
"""


def test_two_devices_learn_what_one_learns(shop, check_same):
    """As long as batches are not normalised, which each device does by its own images."""
    text = (shop.folder / "tiny.py").read_text("utf-8").replace("NORMALISED = True", "NORMALISED = False")
    shop.write_config("plain", f"{text}\nEPOCHS, CHECKPOINT_BATCHES = 2, None\n")
    (shop.folder / "one_and_two.py").write_text(ONE_AND_TWO, "utf-8")
    process = shop.start("--force", config="plain", program=("one_and_two.py",), backend="tensorflow")
    ((code, out, err),) = shop.ends_of(process)
    assert code == 0, err
    assert "2 devices (/device:CPU:0, /device:CPU:1): each device takes 8 of the 16 images of a batch" in out
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    one, two = ({name: history[name] for name in names} for history in json.loads(out.splitlines()[-1]))
    check_same(two, one)
