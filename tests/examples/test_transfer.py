"""The configs of the tutorials, from a few images to predictions, by networks without their weights."""

import h5py
import keras
import numpy as np
import pytest

from pyimagesearch.nn.modelfile import load_model

SMALL = ["--weights", "none", "--model", "mobilenet", "--alpha", "0.25", "--size", "32"]
TUTORIALS = {"policy": [1024, 1024, 512], "birds": [1024, 1024, 512], "dog_breeds": [512, 512], "third_class": []}


def write_images(folder, labels):
    """Write a CSV list of 16 noisy images of each class, dark to bright, which lie in a folder for each class."""
    import cv2

    rng, lines = np.random.default_rng(0), ["id,label"]
    for number, label in enumerate(labels):
        (folder / label).mkdir(parents=True)
        for index in range(16):
            image = rng.integers(0, 80, (40, 50, 3)) + 85 * number
            cv2.imwrite(str(folder / f"{label}/{label}.{index}.png"), image.astype(np.uint8))
            lines.append(f"{label}/{label}.{index}.png,{label}")
    (folder / "labels.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_a_config_takes_images_to_predictions(tutorial, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", ["akita", "beagle", "collie"])
    images = "images/labels.csv" if tutorial == "dog_breeds" else "images"
    config = ["--config", f"config.{tutorial}_config"]
    built = call("dogs_vs_cats.build_dogs_vs_cats", "-d", images, "--encoding", "jpeg", *config)
    assert built.code == 0, built.err
    tuned = call("dogs_vs_cats.fine_tune", *SMALL, "--warm-up", "1", "-e", str(int(tutorial == "policy")), *config)
    assert tuned.code == 0, tuned.err
    model, preparation = load_model(tmp_path / f"output/{tutorial}/fine_tuned.keras")
    assert preparation.label_names == ["akita", "beagle", "collie"]
    dense = [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert dense == [*TUTORIALS[tutorial], 3]
    assert ("head_dropout" in [layer.name for layer in model.layers]) == (tutorial == "third_class")
    if tutorial == "policy":
        assert "epochs 2 to 2 train the head and the last 67 of 87 layers, at a rate of 0.0001\n" in tuned.out
    else:
        assert "the backbone stays as it is" in tuned.out

    tested = call("dogs_vs_cats.crop_accuracy", *config)
    assert tested.code == 0, tested.err
    assert "precision" in tested.out
    assert "confusion matrix (rows: akita, beagle, collie)\n[[" in tested.out
    assert "as shares of each row\n[[" in tested.out
    assert np.sum(tested.result["evaluation"]["confusion"]) == tested.result["images"]
    predicted = call("dogs_vs_cats.predict", "images/akita/akita.0.png", *config)
    assert predicted.code == 0, predicted.err
    assert "akita.0.png" in predicted.out


def test_cifar_10_is_packed_by_the_other_tutorial(call, patterns, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("cifar.npz", **{name: array[:40] for name, array in patterns.items()})
    assert call("cifar10_from_scratch", "-d", "cifar.npz", "-e", "1").code == 0
    config = ["--config", "config.cifar10_transfer_config"]
    tuned = call("dogs_vs_cats.fine_tune", "--weights", "none", "--warm-up", "1", *config)
    assert tuned.code == 0, tuned.err
    model, preparation = load_model(tmp_path / "output/cifar10_transfer/fine_tuned_last.keras")
    assert (preparation.width, preparation.means["R"]) == (48, 123.68)
    head = [type(layer).__name__ for layer in model.layers[-6:]]
    assert head == ["GlobalAveragePooling2D", "BatchNormalization", "Dense", "Dense", "Dropout", "Dense"]
    assert model.get_layer("head_pool").input.shape == (None, 6, 6, 256)
    assert model.get_layer("head_dropout").rate == pytest.approx(0.6)
    assert call("dogs_vs_cats.crop_accuracy", *config).result["images"] == 40


def test_folders_train_and_test_are_kept_apart(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images/train", ["cat", "dog"])
    write_images(tmp_path / "images/test", ["cat", "dog"])
    (tmp_path / "apart_config.py").write_text('from config.policy_config import *\nNUM_TEST_IMAGES = "test"\n')
    options = ["-d", "images", "--duplicates", "ignore", "--config", "apart_config"]
    built = call("dogs_vs_cats.build_dogs_vs_cats", *options)
    assert built.code == 0, built.err
    assert built.result["splits"]["test"] == {"cat": 16, "dog": 16}
    with h5py.File("output/policy/test.hdf5") as file:
        assert {path.split("/")[0] for path in file["paths"].asstr()} == {"test"}
    grouped = call("dogs_vs_cats.build_dogs_vs_cats", *options[:2], "--force", "--group-duplicates", *options[4:])
    assert "let splits be drawn with KEEP_SPLITS = False" in grouped.err


def test_an_option_outweighs_the_config_and_mistakes_name_the_setting(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong_config.py").write_text('from config.policy_config import *\nNETWORK = "mobile"\n')
    write_images(tmp_path / "images", ["cat", "dog"])
    assert call("dogs_vs_cats.build_dogs_vs_cats", "-d", "images", "--config", "wrong_config").code == 0
    outcome = call("dogs_vs_cats.fine_tune", "--weights", "none", "--config", "wrong_config")
    assert outcome.code == 2
    assert "NETWORK: must be one of resnet50" in outcome.err
    again = call("dogs_vs_cats.fine_tune", *SMALL[:2], "-m", "mobil", "--config", "wrong_config")
    assert "--model: must be one of resnet50" in again.err
