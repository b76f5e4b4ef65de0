"""A head on a backbone: one flat network, of which only the right layers learn."""

import keras
import numpy as np
import pytest

from pyimagesearch.callbacks import TrainingCheckpoint
from pyimagesearch.callbacks.earlystop import EarlyStop
from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.io import HDF5DatasetGenerator
from pyimagesearch.nn.modelfile import Position, check_resumable, load_model, save_model
from pyimagesearch.nn.transfer import TransferNetwork, backbone_layers, freeze_layers, frozen_layers
from pyimagesearch.training.stages import Stage, fit_stages, plan_stages

SIZE, NAMES = 32, ["bird", "cat", "dog"]
SMALL = TransferNetwork("mobilenet", "none", 0.25, SIZE)
FULL = SMALL._replace(head=(8, 6), dropout=0.4, batch_norm=True)
SHALLOW = FULL._replace(layer="conv_pw_3_relu")
"""Random weights let less of an image pass with every layer, so that deep layers would have nothing to learn from."""


class StoppedError(Exception):
    """Stands for a kill, at a moment of the test's choice."""


class StopBefore(keras.callbacks.Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self._stop, self._epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self._epoch, batch) == self._stop:
            raise StoppedError


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1)


@pytest.fixture
def data(write_dataset):
    """Return 20 images whose shade tells the class."""
    labels = np.arange(20) % 3
    shades = np.random.default_rng(0).integers(0, 60, (20, 36, 36, 3)) + 90 * labels[:, None, None, None]
    return write_dataset(shades.astype(np.uint8), labels, class_labels=NAMES)


def batches(data, shuffle=True):
    preparation = SMALL.preparation(NAMES)
    steps = [preparation.resize(), *preparation.normalize()]
    return HDF5DatasetGenerator(data, 8, steps, classes=3, shuffle=shuffle, seed=3)


def weights_of(layers):
    """Return every weight by its layer and number, moving means and variances included."""
    return {(layer.name, i): w for layer in layers for i, w in enumerate(layer.get_weights())}


def changed_layers(model, before):
    after = weights_of(model.layers)
    return {name for (name, i), weight in before.items() if not np.array_equal(weight, after[name, i])}


class TestNetwork:
    def test_the_head_is_in_the_order_that_its_docstring_says(self):
        model = FULL.build(3)
        kinds = [type(layer).__name__ for layer in model.layers]
        expected = ["GlobalAveragePooling2D", "BatchNormalization", "Dense", "Dense", "Dropout", "Dense"]
        assert kinds[-6:] == expected
        assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [8, 6, 3]
        assert model.input_shape == (None, SIZE, SIZE, 3)
        assert model.get_layer("head_dropout").rate == pytest.approx(0.4)
        images = np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 3)).astype(np.float32)
        np.testing.assert_allclose(model.predict_on_batch(images).sum(axis=1), 1, rtol=1e-5)

    def test_without_options_the_head_is_the_classifier(self):
        head = [layer.name for layer in SMALL.build(3).layers if layer.name.startswith("head_")]
        assert head == ["head_classes"]

    def test_the_head_goes_on_an_inner_layer(self):
        model = SMALL._replace(layer="conv_pw_3_relu").build(3)
        assert model.get_layer("head_pool").output.shape == (None, 32)
        assert "conv_dw_4" not in [layer.name for layer in model.layers]

    def test_it_knows_what_the_backbone_expects(self):
        preparation = FULL.preparation(NAMES, "RGB")
        assert (preparation.width, preparation.height, preparation.color_order) == (SIZE, SIZE, "RGB")
        assert preparation.means == preparation.deviations == dict.fromkeys("RGB", 127.5)
        assert SMALL._replace(size=None).preparation(NAMES).width == 224

    def test_the_saved_model_is_flat_and_gives_features(self, tmp_path):
        model = FULL.build(3)
        save_model(model, tmp_path / "model.keras", FULL.preparation(NAMES), Position())
        loaded, preparation = load_model(tmp_path / "model.keras")
        assert preparation.label_names == NAMES
        assert not [layer for layer in loaded.layers if isinstance(layer, keras.Model)]
        extractor = FeatureExtractor.from_model(tmp_path / "model.keras")
        assert extractor.features == 6
        pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
        prepared = extractor.prepare(extractor.resize.preprocess(pixels)[None])
        inner = keras.Model(model.inputs[0], model.get_layer("head_dense_2").output)
        np.testing.assert_allclose(extractor.predict(prepared), inner.predict_on_batch(prepared[0]), rtol=1e-5)

    def test_an_unknown_layer_is_refused(self):
        with pytest.raises(UserError, match=r"layer: must be a layer of mobilenet.*, as conv_\w+; received 'pool'"):
            SMALL._replace(layer="pool").build(3)

    def test_images_that_are_too_small_are_refused(self):
        with pytest.raises(UserError, match=r"size, alpha: MobileNet cannot be made for images of 8x8 pixels"):
            SMALL._replace(size=8).build(3)

    @pytest.mark.parametrize("alpha", [0, -0.5, float("nan")])
    def test_a_width_must_be_positive(self, alpha):
        with pytest.raises(UserError, match=f"alpha: must be a number above 0, .*; received {alpha}"):
            SMALL._replace(alpha=alpha).build(3)

    def test_mistakes_of_the_backbone_keep_their_message(self):
        with pytest.raises(UserError, match=r"weights: must be imagenet, none or a file; received absent\.h5"):
            SMALL._replace(weights="absent.h5").build(3)


class TestFreezing:
    def test_a_number_a_name_and_all(self):
        model = FULL.build(3)
        names = [layer.name for layer in backbone_layers(model)]
        assert (len(names), names[1], names[-2]) == (87, "conv1", "conv_pw_13_relu")
        assert frozen_layers(model, "all") == len(names)
        assert frozen_layers(model, "0") == 0
        assert frozen_layers(model, "20") == 20
        assert names[frozen_layers(model, "conv_pw_3_relu") - 1] == "conv_pw_3_relu"

    @pytest.mark.parametrize("freeze", ["-1", "1.5", "88", "head_classes", "", "most"])
    def test_anything_else_is_refused(self, freeze):
        model = FULL.build(3)
        with pytest.raises(UserError, match=r"freeze: must be all, a number of layers from 0 to 87, or .*received '"):
            frozen_layers(model, freeze)

    def test_only_what_lies_behind_learns_and_no_batch_normalisation_of_the_backbone(self):
        model = FULL.build(3)
        freeze_layers(model, frozen_layers(model, "conv_pw_12_relu"))
        learning = {path.path.rpartition("/")[0].rpartition("/")[2] for path in model.trainable_variables}
        assert learning == {"conv_dw_13", "conv_pw_13", "head_norm", "head_dense_1", "head_dense_2", "head_classes"}


class TestPlan:
    def plan(self, freeze, warm_up, epochs):
        return plan_stages(FULL.build(3), freeze, warm_up, epochs, 1e-3, 1e-5)

    def test_two_stages(self):
        assert self.plan("20", 2, 5) == [Stage(0, 2, 1e-3, 87), Stage(2, 7, 1e-5, 20)]

    def test_without_warm_up_or_fine_tuning_there_is_one(self):
        assert self.plan("20", 0, 5) == [Stage(0, 5, 1e-5, 20)]
        assert self.plan("20", 3, 0) == [Stage(0, 3, 1e-3, 87)]

    def test_a_backbone_that_stays_frozen_is_never_left_at_the_low_rate(self):
        assert self.plan("all", 2, 5) == [Stage(0, 7, 1e-3, 87)]


class TestTraining:
    def test_the_warm_up_changes_the_head_alone_and_the_next_stage_what_is_not_frozen(self, data):
        model = SHALLOW.build(3)
        stages = plan_stages(model, "conv_pw_2_relu", 2, 1, 1e-2, 1e-3)
        head = {"head_norm", "head_dense_1", "head_dense_2", "head_classes"}
        before = weights_of(model.layers)
        fit_stages(model, stages[:1], batches(data), None, Position(), [], 0)
        assert changed_layers(model, before) == head

        before = weights_of(model.layers)
        fit_stages(model, stages, batches(data), batches(data, False), Position(2), [], 0)
        assert changed_layers(model, before) == head | {"conv_dw_3", "conv_pw_3"}
        assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)

    def test_frozen_batch_normalisations_normalise_by_their_own_means_while_training(self, data):
        model = SHALLOW._replace(dropout=0, batch_norm=False).build(3)
        freeze_layers(model, 0)
        images = batches(data)[0][0]
        trained, used = (keras.ops.convert_to_numpy(model(images, training=mode)) for mode in (True, False))
        np.testing.assert_allclose(trained, used, rtol=1e-5)

    def test_it_learns(self, data):
        model = SHALLOW._replace(layer="conv_pw_1_relu", dropout=0).build(3)
        fit_stages(model, plan_stages(model, "all", 15, 0, 1e-2, 1e-3), batches(data), None, Position(), [], 0)
        assert model.evaluate(batches(data, False), verbose=0, return_dict=True)["accuracy"] > 0.6

    def test_the_same_seed_gives_the_same_weights(self, data):
        results = []
        for _ in range(2):
            keras.utils.set_random_seed(4)
            model = SHALLOW.build(3)
            fit_stages(model, plan_stages(model, "4", 1, 1, 1e-2, 1e-3), batches(data), None, Position(), [], 0)
            results.append(weights_of(model.layers))
        for name, weight in results[0].items():
            np.testing.assert_array_equal(weight, results[1][name])

    def test_a_run_that_was_stopped_in_any_stage_ends_with_the_same_weights(self, data, tmp_path):
        network, path = SHALLOW._replace(layer="conv_pw_1_relu"), tmp_path / "last.keras"
        preparation = network.preparation(NAMES)

        def save(model, path, position):
            save_model(model, path, preparation, position, "stream")

        def build():
            keras.utils.set_random_seed(1)
            return network.build(3)

        def train(model, start, callbacks):
            checkpoint = TrainingCheckpoint(path, save, rows=20, batch_size=8, every_batches=1, start=start)
            stages = plan_stages(model, "conv1_relu", 1, 1, 1e-2, 1e-3)
            fit_stages(model, stages, batches(data), None, start, [checkpoint, *callbacks], 0)
            return weights_of(model.layers)

        expected = train(build(), Position(), [])
        for stop in ((0, 2), (1, 0), (1, 2)):
            with pytest.raises(StoppedError):
                train(build(), Position(), [StopBefore(*stop)])
            start = check_resumable(path, preparation, "stream", 2)
            assert (start.epoch, start.batch) == stop
            resumed = train(load_model(path)[0], start, [])
            for name, weight in expected.items():
                np.testing.assert_array_equal(resumed[name], weight)


class TestEarlyStop:
    @pytest.mark.parametrize(
        ("losses", "reached"),
        [
            ([], False),
            ([3, 2, 1], False),
            ([1, 2], False),
            ([1, 2, 1], True),
            ([3, 1, 2, 0.5, 0.6], False),
            ([float("nan")] * 3, True),
            ([float("nan"), 2, 3], False),
        ],
    )
    def test_it_is_reached_after_so_many_epochs_without_a_lower_loss(self, losses, reached):
        assert EarlyStop({"val_loss": losses}, patience=2).reached is reached

    def test_epochs_before_the_first_do_not_count(self):
        assert not EarlyStop({"val_loss": [0.1, 3, 2, 1]}, patience=2, first=1).reached

    def test_it_stops_the_training(self, data):
        model = SHALLOW.build(3)
        history = {"val_loss": []}

        class Worse(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                history["val_loss"].append(epoch)

        stages = plan_stages(model, "all", 9, 0, 1e-3, 1e-3)
        fit_stages(model, stages, batches(data), None, Position(), [Worse(), EarlyStop(history, 2)], 0)
        assert history["val_loss"] == [0, 1, 2]

    def test_the_patience_must_be_positive(self):
        with pytest.raises(UserError, match="patience: must be at least 1; received 0"):
            EarlyStop({}, 0)
