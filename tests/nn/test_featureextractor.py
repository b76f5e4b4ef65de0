import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.featureextractor import FeatureExtractor
from pyimagesearch.nn.modelfile import Position, Preparation, save_model

PREPARATION = Preparation(6, 4, "BGR", {"R": 1.5, "G": 2.5, "B": 3.5}, ["cat", "dog"])


def test_a_backbone_s_features_are_those_of_its_pooled_maps(rng):
    keras.utils.set_random_seed(0)
    extractor = FeatureExtractor.from_backbone("ResNet50", "none")
    assert extractor.features == 2048
    assert (extractor.resize.width, extractor.resize.height) == (224, 224)
    assert "ResNet50" in extractor.description
    assert "none" in extractor.description
    bgr = rng.integers(0, 256, (2, 224, 224, 3), np.uint8)
    inputs = extractor.prepare(bgr)
    # ResNet50 was trained on BGR pixels minus ImageNet's means, which Keras makes of RGB.
    np.testing.assert_allclose(inputs, bgr - np.array([103.939, 116.779, 123.68]), atol=1e-3)
    features = extractor.extract(inputs)
    assert (features.shape, features.dtype) == ((2, 2048), np.float32)
    assert np.isfinite(features).all()
    assert (features[0] != features[1]).any()


class TestFromAModel:
    @pytest.fixture
    def model(self):
        keras.utils.set_random_seed(0)
        layers = [
            keras.Input((4, 6, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
            keras.layers.Activation("softmax"),
        ]
        return keras.Sequential(layers)

    @pytest.fixture
    def path(self, model, tmp_path):
        save_model(model, tmp_path / "model.keras", PREPARATION, Position(1))
        return tmp_path / "model.keras"

    def test_features_are_what_its_classifier_sees(self, model, path, rng):
        extractor = FeatureExtractor.from_model(path)
        assert extractor.features == 5
        assert (extractor.resize.width, extractor.resize.height) == (6, 4)
        assert str(path) in extractor.description
        pixels = rng.integers(0, 256, (3, 4, 6, 3), np.uint8)
        kernel, bias = (np.asarray(weight) for weight in model.layers[1].weights)
        inputs = (pixels - np.array([3.5, 2.5, 1.5])).reshape(3, -1)
        expected = np.maximum(inputs @ kernel + bias, 0)
        features = extractor.extract(extractor.prepare(pixels))
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-3)

    def test_a_model_without_a_dense_layer_has_no_classifier(self, tmp_path):
        layers = [keras.Input((4, 6, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
        save_model(keras.Sequential(layers), tmp_path / "a.keras", PREPARATION, Position(1))
        with pytest.raises(UserError, match=r"model: .*a\.keras must end in a dense classifier; it has no dense layer"):
            FeatureExtractor.from_model(tmp_path / "a.keras")

    def test_a_missing_model_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"model: .*none\.keras does not exist"):
            FeatureExtractor.from_model(tmp_path / "none.keras")
