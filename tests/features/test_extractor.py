import json
import os

import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.features.extractor import FeatureExtractor
from pyimagesearch.nn.backbones import load_backbone
from pyimagesearch.nn.modelfile import Position, Preparation, save_model
from pyimagesearch.preprocessing import SimplePreprocessor
from tests.conftest import SHARED_DATA

PREPARATION = Preparation(6, 4, "BGR", {"R": 1.5, "G": 2.5, "B": 3.5}, ["cat", "dog"])
NARROW = SHARED_DATA / "weights/mobilenet_2_5_224_tf_no_top.h5"


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((9, 11), (224, 224), (30, 300))]


@pytest.fixture
def make_model(tmp_path):
    """Return a function that saves a small network of random weights, and returns its path."""

    def make(name="model.keras", preparation=PREPARATION, seed=0):
        keras.utils.set_random_seed(seed)
        layers = [
            keras.Input((preparation.height, preparation.width, 3)),
            keras.layers.Conv2D(3, 3, padding="same", name="maps"),
            keras.layers.Activation("relu", name="block"),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
            keras.layers.Activation("softmax"),
        ]
        save_model(keras.Sequential(layers), tmp_path / name, preparation, Position(1))
        return str(tmp_path / name)

    return make


def prepared(extractor, images):
    return extractor.prepare(np.stack([extractor.resize.preprocess(image) for image in images]))


def features_of(extractor, images):
    return extractor.predict(prepared(extractor, images))


def assert_close(features, expected):
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


class TestOneBackbone:
    def test_features_are_those_of_its_pooled_maps(self, images):
        extractor = FeatureExtractor.from_names("MobileNet", "none", alpha=0.25, seed=3)
        assert extractor.features == 256
        assert extractor.description == "mobilenet, weights none, alpha 0.25"
        resized = np.stack([SimplePreprocessor(224, 224).preprocess(image) for image in images])
        rgb = resized[..., ::-1].astype(np.float32)
        inputs = keras.applications.mobilenet.preprocess_input(rgb)
        np.testing.assert_allclose(prepared(extractor, images)[0], inputs, atol=1e-5)
        keras.utils.set_random_seed(3)
        model = keras.applications.MobileNet((224, 224, 3), 0.25, include_top=False, weights=None)
        features = features_of(extractor, images)
        assert (features.shape, features.dtype) == ((3, 256), np.float32)
        assert_close(features, model.predict_on_batch(inputs).mean(axis=(1, 2)))

    def test_resnet50_gets_bgr(self, rng):
        extractor = FeatureExtractor.from_names("resnet50", "none")
        bgr = rng.integers(0, 256, (224, 224, 3), np.uint8)
        expected = bgr - np.array([103.939, 116.779, 123.68])
        np.testing.assert_allclose(prepared(extractor, [bgr])[0][0], expected, atol=1e-3)

    def test_maps_of_an_earlier_layer_are_averaged(self, images):
        extractor = FeatureExtractor.from_names("mobilenet", "none", alpha=0.25, layer="conv_pw_3_relu", seed=3)
        assert extractor.features == 32
        keras.utils.set_random_seed(3)
        model = load_backbone("mobilenet", "none", 0.25)
        maps = keras.Model(model.inputs[0], model.get_layer("conv_pw_3_relu").output)
        expected = maps.predict_on_batch(prepared(extractor, images)[0]).mean(axis=(1, 2))
        assert_close(features_of(extractor, images), expected)

    @pytest.mark.parametrize(
        ("name", "layers"),
        [
            ("vgg16", "block1_pool, block2_pool, block3_pool, block4_pool, block5_pool"),
            ("resnet50", "conv1_relu, conv2_block3_out, conv3_block4_out, conv4_block6_out, conv5_block3_out"),
            ("convnexttiny", "convnext_tiny_stem, convnext_tiny_downsampling_block_0, .*_block_2"),
        ],
    )
    def test_an_unknown_layer_is_refused_with_the_ends_of_blocks(self, name, layers):
        with pytest.raises(UserError, match=f"layer: must be a layer of {name}, such as {layers}; received 'pool9'"):
            FeatureExtractor.from_names(name, "none", layer="pool9")

    def test_a_seed_makes_the_same_random_weights(self, images):
        def features(seed):
            return features_of(FeatureExtractor.from_names("mobilenet", "none", alpha=0.25, seed=seed), images)

        np.testing.assert_array_equal(features(1), features(1))
        assert np.abs(features(1) - features(2)).max() > 0

    def test_features_do_not_depend_on_the_batch(self, images):
        extractor = FeatureExtractor.from_names("mobilenet", "none", alpha=0.25)
        together = features_of(extractor, images)
        assert_close(np.concatenate([features_of(extractor, [image]) for image in images]), together)
        assert_close(features_of(extractor, images[::-1])[::-1], together)

    def test_mixed_bfloat16_gives_about_the_same(self, images, make_model):
        for names, options in (("mobilenet", {"alpha": 0.25, "weights": "none"}), (make_model(), {})):
            exact = features_of(FeatureExtractor.from_names(names, **options), images)
            mixed = features_of(FeatureExtractor.from_names(names, **options, precision="mixed_bfloat16"), images)
            assert mixed.dtype == np.float32
            assert 0 < np.abs(mixed - exact).max() < 0.05 * np.abs(exact).max()
        assert keras.config.dtype_policy().name == "float32"

    def test_another_precision_is_refused(self):
        with pytest.raises(UserError, match="precision: must be one of float32, mixed_bfloat16; received 'float16'"):
            FeatureExtractor.from_names("mobilenet", "none", precision="float16")


class TestFlip:
    def test_it_averages_an_image_and_its_mirror_image(self, images, make_model):
        path = make_model()
        once = FeatureExtractor.from_names(path)
        both = FeatureExtractor.from_names(path, flip=True)
        mirrored = [image[:, ::-1] for image in images]
        assert_close(features_of(both, images), (features_of(once, images) + features_of(once, mirrored)) / 2)
        assert_close(features_of(both, mirrored), features_of(both, images))
        assert np.abs(features_of(once, mirrored) - features_of(once, images)).max() > 1
        assert "mirror" in both.description


class TestSeveral:
    def test_features_are_joined_whatever_each_wants_of_an_image(self, images, make_model):
        wide = Preparation(9, 4, "RGB", {"R": 5.0, "G": 6.0, "B": 7.0}, ["cat", "dog"], dict.fromkeys("RGB", 9.0))
        names = ["mobilenet", make_model("a.keras"), make_model("b.keras", wide), "mobilenetv2"]
        settings = {"weights": ["none", "", "", "none"], "alpha": ["0.25", "", "", "0.35"]}
        together = FeatureExtractor.from_names(
            ",".join(names), **{name: ",".join(values) for name, values in settings.items()}, seed=1
        )
        apart = [
            FeatureExtractor.from_names(name, weights, alpha=alpha, seed=1)
            for name, weights, alpha in zip(names, *settings.values(), strict=True)
        ]
        assert together.features == sum(extractor.features for extractor in apart) == 256 + 5 + 5 + 1280
        features = [features_of(extractor, images) for extractor in apart]
        np.testing.assert_array_equal(features_of(together, images), np.concatenate(features, axis=1))

    def test_each_may_have_its_layer(self, images, make_model):
        path = make_model()
        extractor = FeatureExtractor.from_names(f"{path},{path},{path}", layer="maps,,block")
        assert extractor.features == 3 + 5 + 3
        used = [words.rpartition(", ")[2] for words in extractor.description.split("; ")]
        assert used == ["layer maps", "the layer before its classifier", "layer block"]

    @pytest.mark.parametrize("option", ["weights", "layer", "alpha"])
    def test_settings_are_for_all_or_for_each(self, option):
        with pytest.raises(UserError, match=rf"{option}: must be one for all of 3 networks, or one for each, .*'1,2'"):
            FeatureExtractor.from_names("vgg16,vgg19,resnet50", **{option: "1,2"})

    @pytest.mark.parametrize("alpha", ["wide", "0", "-1", "nan", "inf"])
    def test_an_alpha_is_a_number(self, alpha):
        with pytest.raises(UserError, match=f"alpha: must be a number above 0, .*; received '{alpha}'"):
            FeatureExtractor.from_names("mobilenet", "none", alpha=alpha)


class TestFromAModel:
    def test_features_are_what_its_classifier_sees(self, make_model, rng):
        path = make_model()
        extractor = FeatureExtractor.from_model(path)
        assert extractor.features == 5
        assert extractor.description == f"{path}, the layer before its classifier"
        model = keras.saving.load_model(path)
        pixels = rng.integers(0, 256, (3, 4, 6, 3), np.uint8)
        (inputs,) = prepared(extractor, pixels)
        np.testing.assert_allclose(inputs, pixels - np.array([3.5, 2.5, 1.5]), atol=1e-5)
        expected = keras.Model(model.inputs[0], model.layers[3].output).predict_on_batch(inputs)
        np.testing.assert_allclose(extractor.predict(inputs=[inputs]), expected, rtol=1e-4, atol=1e-3)

    def test_a_model_of_rgb_data_gets_rgb(self, make_model, rng):
        pixels = rng.integers(0, 256, (3, 4, 6, 3), np.uint8)
        path = make_model(preparation=PREPARATION._replace(color_order="RGB"))
        (inputs,) = prepared(FeatureExtractor.from_model(path), pixels)
        np.testing.assert_allclose(inputs, pixels[..., ::-1] - np.array([1.5, 2.5, 3.5]), atol=1e-5)

    def test_a_model_without_a_dense_layer_has_no_classifier(self, tmp_path):
        layers = [keras.Input((4, 6, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
        save_model(keras.Sequential(layers), tmp_path / "a.keras", PREPARATION, Position(1))
        with pytest.raises(UserError, match=r"model: .*a\.keras must end in a dense classifier; it has no dense layer"):
            FeatureExtractor.from_model(tmp_path / "a.keras")

    def test_a_model_of_gray_images_is_refused(self, tmp_path):
        layers = [keras.Input((4, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
        save_model(keras.Sequential(layers), tmp_path / "a.keras", PREPARATION, Position(1))
        with pytest.raises(UserError, match=r"model: .*a\.keras must take images of 3 channels; it takes \(None, 4, 6"):
            FeatureExtractor.from_model(tmp_path / "a.keras")

    def test_a_model_of_gray_images_takes_gray_ones(self, tmp_path, rng):
        model = keras.Sequential([keras.Input((4, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
        save_model(model, tmp_path / "a.keras", PREPARATION, Position(1))
        extractor = FeatureExtractor.from_names(str(tmp_path / "a.keras"), gray=True)
        again = FeatureExtractor.from_recipe(extractor.recipe)
        assert again.gray
        gray = rng.integers(0, 256, (3, 4, 6, 1), np.uint8)
        pixels = np.stack([again.resize.preprocess(np.repeat(image, 3, axis=-1)) for image in gray])
        (inputs,) = again.prepare(pixels)
        assert inputs.shape == (3, 4, 6, 1)
        (mean,) = np.unique(np.round(gray - inputs, 4))  # of the three colours, as eyes weight them
        np.testing.assert_array_equal(again.predict([inputs]), inputs.reshape(3, -1))
        assert mean > 0

    def test_a_missing_model_is_named(self, tmp_path):
        with pytest.raises(UserError, match=r"model: .*none\.keras does not exist"):
            FeatureExtractor.from_model(tmp_path / "none.keras")

    @pytest.mark.parametrize(("option", "value"), [("weights", "none"), ("alpha", "0.5")])
    def test_it_has_its_own_settings(self, make_model, option, value):
        with pytest.raises(
            UserError, match=rf"{option}: must be left out for .*model\.keras, which has its own; received {value}"
        ):
            FeatureExtractor.from_names(make_model(), **{option: value})


class TestRecipe:
    def check(self, extractor, images):
        again = FeatureExtractor.from_recipe(extractor.recipe)
        assert again.recipe == extractor.recipe
        np.testing.assert_array_equal(features_of(again, images), features_of(extractor, images))

    def test_it_makes_random_networks_again(self, images):
        names = "mobilenet,mobilenetv2"
        settings = {"alpha": "0.25,0.35", "layer": "conv_pw_3_relu,", "flip": True, "precision": "mixed_bfloat16"}
        self.check(FeatureExtractor.from_names(names, "none", **settings, seed=9), images)

    def test_it_makes_a_model_of_one_s_own_again_from_another_folder(self, images, make_model, tmp_path, monkeypatch):
        path = make_model()
        monkeypatch.chdir(tmp_path)
        extractor = FeatureExtractor.from_model(os.path.basename(path))
        monkeypatch.chdir("/")
        self.check(extractor, images)
        network = json.loads(extractor.recipe)["networks"][0]
        assert network.keys() == {"model", "fingerprint"}

    @pytest.mark.skipif(not NARROW.is_file(), reason="no weights on this machine")
    def test_it_makes_weights_of_a_file_again(self, images):
        self.check(FeatureExtractor.from_names("mobilenet", str(NARROW), alpha=0.25, flip=True), images)

    def test_a_file_that_has_changed_or_is_gone_is_named(self, make_model):
        path = make_model()
        recipe = FeatureExtractor.from_model(path).recipe
        make_model(seed=1)
        with pytest.raises(UserError, match=r"recipe: .*model\.keras has changed since it made the features; restore"):
            FeatureExtractor.from_recipe(recipe)
        os.unlink(path)
        with pytest.raises(UserError, match=r"recipe: .*model\.keras, which made the features, does not exist any"):
            FeatureExtractor.from_recipe(recipe)

    @pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"networks": [{"layer": ""}], "flip": 1}'])
    def test_another_text_is_refused(self, text):
        with pytest.raises(UserError, match=r"recipe: must come from FeatureExtractor\.recipe; received"):
            FeatureExtractor.from_recipe(text)
