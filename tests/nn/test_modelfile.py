import json
import os
import zipfile

import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.nn.modelfile import (
    Position,
    Preparation,
    check_resumable,
    load_model,
    read_description,
    save_model,
)

PREPARATION = Preparation(6, 4, "BGR", {"R": 1.5, "G": 2.5, "B": 3.5}, ["cat", "dög"])
POSITION = Position(3, 7, {"loss": 0.25, "accuracy": 0.5})


@pytest.fixture
def model():
    layers = [keras.Input((4, 6, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential(layers)
    model.compile("adam", "categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def path(model, tmp_path):
    save_model(model, tmp_path / "model.keras", PREPARATION, POSITION, "train.hdf5, seed 42")
    return tmp_path / "model.keras"


class TestSaving:
    def test_all_that_was_saved_comes_back(self, path, model, rng):
        loaded, preparation = load_model(path)
        assert preparation == PREPARATION
        assert read_description(path) == (PREPARATION, POSITION, "train.hdf5, seed 42")
        images = rng.normal(size=(3, 4, 6, 3)).astype(np.float32)
        np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))

    def test_the_optimizer_continues_where_it_was(self, model, tmp_path, rng):
        images, labels = rng.normal(size=(4, 4, 6, 3)).astype(np.float32), np.eye(2)[[0, 1, 1, 0]]
        model.train_on_batch(images, labels)
        save_model(model, tmp_path / "model.keras", PREPARATION, POSITION)
        loaded, _ = load_model(tmp_path / "model.keras")
        for _ in range(3):
            np.testing.assert_allclose(loaded.train_on_batch(images, labels), model.train_on_batch(images, labels))

    def test_keras_alone_can_load_it(self, path):
        assert keras.saving.load_model(path).output_shape == (None, 2)

    def test_it_replaces_an_older_one_only_when_it_is_whole(self, path, model, monkeypatch):
        old = path.read_bytes()

        def full_disk(target):
            target.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(model, "save", full_disk)
        with pytest.raises(OSError, match="No space left"):
            save_model(model, path, PREPARATION, POSITION)
        assert path.read_bytes() == old
        assert os.listdir(path.parent) == ["model.keras"]


class TestDescription:
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"model: .*none\.keras does not exist; train a model first"):
            read_description(tmp_path / "none.keras")

    @pytest.mark.parametrize("content", [b"", b"no archive"])
    def test_another_kind_of_file_is_refused(self, tmp_path, content):
        (tmp_path / "a.keras").write_bytes(content)
        with pytest.raises(UserError, match=r"model: .*a\.keras must be a \.keras file; it is not, or it is damaged"):
            load_model(tmp_path / "a.keras")

    def test_a_file_that_was_cut_off_is_refused(self, path):
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(UserError, match=r"must be a .keras file; it is not, or it is damaged"):
            load_model(path)

    def test_a_model_that_keras_saved_alone_is_refused(self, model, tmp_path):
        model.save(tmp_path / "a.keras")
        with pytest.raises(UserError, match=r"does not say what input it was trained with; .*modelfile.save_model"):
            load_model(tmp_path / "a.keras")

    @pytest.mark.parametrize("entry", ["", "[]", "{}", '{"preparation": {"width": 3}, "position": {}, "stream": ""}'])
    def test_a_description_of_another_kind_is_refused(self, tmp_path, entry):
        with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
            archive.writestr("pyimagesearch.json", entry)
        with pytest.raises(UserError, match="does not say what input it was trained with"):
            read_description(tmp_path / "a.keras")

    @pytest.mark.parametrize(
        "wrong", [{"width": 9}, {"height": 5}, {"label_names": ["cat"]}, {"label_names": ["cat", "dog", "fox"]}]
    )
    def test_a_model_must_fit_its_description(self, model, tmp_path, wrong):
        save_model(model, tmp_path / "a.keras", PREPARATION._replace(**wrong), POSITION)
        with pytest.raises(UserError, match=r"a\.keras takes \(None, 4, 6, 3\) and gives \(None, 2\), but"):
            load_model(tmp_path / "a.keras")

    def test_the_description_is_readable(self, path):
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read("pyimagesearch.json"))
        assert content["preparation"]["label_names"] == ["cat", "dög"]


class TestPreparation:
    def test_it_gives_the_preprocessors(self, rng):
        image = rng.integers(0, 256, (9, 9, 3), np.uint8)
        resized = PREPARATION.resize().preprocess(image)
        assert resized.shape == (4, 6, 3)
        for step in PREPARATION.normalize():
            resized = step.preprocess(resized)
        expected = PREPARATION.resize().preprocess(image) - np.array([3.5, 2.5, 1.5], np.float32)
        np.testing.assert_allclose(resized, expected, atol=1e-5)

    @pytest.mark.parametrize("data_order", ["", "BGR", "RGB"])
    @pytest.mark.parametrize("color_order", ["BGR", "RGB"])
    @pytest.mark.parametrize("input_order", ["", "BGR", "RGB"])
    def test_pixels_of_any_order_become_the_same_input(self, data_order, color_order, input_order, rng):
        means, deviations = {"R": 10.0, "G": 20.0, "B": 30.0}, {"R": 2.0, "G": 4.0, "B": 8.0}
        preparation = Preparation(6, 4, color_order, means, ["cat"], deviations, input_order)
        colors = {color: rng.integers(0, 256, (4, 6), np.uint8) for color in "RGB"}
        image = np.stack([colors[color] for color in data_order or color_order], axis=-1)
        for step in preparation.normalize(data_order):
            image = step.preprocess(image)
        wanted = [(colors[color] - means[color]) / deviations[color] for color in input_order or color_order]
        np.testing.assert_allclose(image, np.stack(wanted, axis=-1), rtol=1e-5, atol=1e-5)

    def test_that_of_a_backbone_is_kept_with_the_model(self, tmp_path):
        preparation = Preparation.for_backbone("DenseNet121", ["cat", "dog"], size=32, color_order="RGB")
        assert (preparation.width, preparation.height, preparation.input_order) == (32, 32, "RGB")
        assert Preparation.for_backbone("inceptionv3", []).width == 299
        model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
        save_model(model, tmp_path / "a.keras", preparation, POSITION)
        assert load_model(tmp_path / "a.keras")[1] == preparation

    def test_a_file_of_an_older_version_has_no_deviations(self, path):
        fields = PREPARATION._asdict()
        content = {"preparation": fields, "position": POSITION._asdict(), "stream": ""}
        del fields["deviations"], fields["input_order"]
        older = path.with_name("older.keras")
        with zipfile.ZipFile(older, "w") as archive:
            archive.writestr("pyimagesearch.json", json.dumps(content))
        assert read_description(older)[0] == PREPARATION

    def test_data_of_the_same_kind_is_fine(self, write_dataset, numbered_images):
        path = write_dataset(numbered_images(4), class_labels=("cat", "dög"))
        PREPARATION.check_data(read_header(path))

    @pytest.mark.parametrize(
        "options", [{"color_order": "RGB"}, {"class_labels": ("dög", "cat")}, {"class_labels": ()}]
    )
    def test_other_data_is_refused(self, write_dataset, numbered_images, options):
        path = write_dataset(numbered_images(4), **{"class_labels": ("cat", "dög"), **options})
        with pytest.raises(UserError, match=r"data set: .*data\.hdf5 must have the channel order and classes that the"):
            PREPARATION.check_data(read_header(path))


class TestResuming:
    def test_training_resumes_from_its_position(self, path):
        assert check_resumable(path, PREPARATION, "train.hdf5, seed 42", epochs=4) == POSITION

    @pytest.mark.parametrize(
        ("preparation", "stream"),
        [
            (PREPARATION._replace(means={"R": 0.0, "G": 2.5, "B": 3.5}), "train.hdf5, seed 42"),
            (PREPARATION, "train.hdf5, seed 43"),
        ],
    )
    def test_other_settings_are_refused(self, path, preparation, stream):
        with pytest.raises(
            UserError, match=r"^resume: .*model\.keras must have been trained with the input .*overwrite=True"
        ):
            check_resumable(path, preparation, stream, epochs=9)

    @pytest.mark.parametrize("epochs", [3, 1])
    def test_a_training_that_is_over_is_refused(self, path, epochs):
        with pytest.raises(UserError, match=f"^epochs: must exceed the 3 epochs that .* received {epochs}; ask for"):
            check_resumable(path, PREPARATION, "train.hdf5, seed 42", epochs)


def test_a_model_that_keras_calls_unsafe_is_refused_in_one_line(tmp_path):
    layers = [keras.Input((4, 4, 3)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, "softmax")])
    path = tmp_path / "model.keras"
    save_model(model, path, Preparation(4, 4, "BGR", dict.fromkeys("RGB", 0.0), ["cat", "dog"]), Position())
    with pytest.raises(UserError, match=r"model\.keras cannot be loaded safely: "):
        load_model(path)
