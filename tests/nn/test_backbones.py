import inspect
import socket

import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import BACKBONES, find_backbone, imagenet_labels, load_backbone
from pyimagesearch.nn.modelfile import Preparation
from tests.conftest import SHARED_DATA

WEIGHTS = SHARED_DATA / "weights"
NO_TOP, WHOLE = WEIGHTS / "mobilenet_7_5_224_tf_no_top.h5", WEIGHTS / "mobilenet_7_5_224_tf.h5"
NARROW = WEIGHTS / "mobilenet_2_5_224_tf_no_top.h5"
needs_weights = pytest.mark.skipif(not WEIGHTS.is_dir(), reason="no weights on this machine")
LIGHT = [
    "resnet50", "resnet50v2", "vgg16", "inceptionv3", "xception", "mobilenet", "mobilenetv2", "mobilenetv3large",
    "mobilenetv3small", "densenet121", "efficientnetb0", "efficientnetv2b0", "convnexttiny",
]  # fmt: skip


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty folder where Keras looks for what it has downloaded, and no network."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", None)

    def no_network(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    (tmp_path / "models").mkdir()
    return tmp_path


class TestTable:
    @pytest.mark.parametrize("name", ["resnet50", "ResNet50", "RESNET50"])
    def test_a_backbone_is_found_by_its_name_in_any_case(self, name):
        assert find_backbone(name) is BACKBONES["resnet50"]

    @pytest.mark.parametrize("name", ["resnet51", "", "model.h5"])
    @pytest.mark.parametrize("use", [find_backbone, lambda name: load_backbone(name, "none")])
    def test_an_unknown_name_is_refused_with_the_known_ones(self, name, use):
        with pytest.raises(UserError, match=f"model: must be one of resnet50, .*convnext.*; received '{name}'"):
            use(name)

    @pytest.mark.parametrize("name", BACKBONES)
    def test_pixels_are_scaled_as_keras_does_it(self, name, rng):
        rgb = rng.integers(0, 256, (2, 7, 5, 3), np.uint8)
        ours = rgb[..., ::-1]
        for step in Preparation.for_backbone(name, []).normalize():
            ours = step.preprocess(ours)
        theirs = BACKBONES[name].preprocess_input(rgb.astype(np.float32))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-5)

    @pytest.mark.parametrize("name", BACKBONES)
    def test_its_module_holds_its_builder(self, name):
        backbone = BACKBONES[name]
        module = inspect.getmodule(getattr(keras.applications, backbone.builder))
        assert module.preprocess_input is backbone.preprocess_input

    @pytest.mark.parametrize("name", LIGHT)
    def test_size_features_and_layer_are_those_of_the_network(self, name):
        backbone = BACKBONES[name]
        model = load_backbone(name, "none")
        assert model.input_shape == (None, backbone.size, backbone.size, 3)
        assert model.output_shape == (None, backbone.features)
        if backbone.layer:
            assert model.get_layer(backbone.layer).output.shape[-1] == backbone.features
            after = model.layers[model.layers.index(model.get_layer(backbone.layer)) + 1 :]
            assert all(isinstance(layer, keras.layers.GlobalAveragePooling2D) for layer in after)

    @pytest.mark.parametrize(("name", "size"), [("efficientnetb1", 240), ("efficientnetv2b2", 260), ("vgg16", 224)])
    def test_the_size_is_that_of_the_whole_network(self, name, size):
        assert getattr(keras.applications, BACKBONES[name].builder)(weights=None).input_shape[1] == size
        assert BACKBONES[name].size == size


class TestLoading:
    def test_a_size_of_one_s_own(self):
        assert load_backbone("mobilenetv2", "none", size=96).input_shape == (None, 96, 96, 3)

    def test_random_weights_come_with_a_classifier_too(self, rng):
        model = load_backbone("mobilenet", "none", 0.25, top=True)
        outputs = model.predict_on_batch(rng.normal(size=(2, 224, 224, 3)).astype(np.float32))
        assert outputs.shape == (2, 1000)
        np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-4)

    @pytest.mark.parametrize("alpha", [0.5, 1.0])
    def test_only_mobilenets_have_an_alpha(self, alpha):
        with pytest.raises(UserError, match=f"alpha: must be given for MobileNets only; received {alpha} for ResNet50"):
            load_backbone("resnet50", "none", alpha)

    def test_missing_weights_are_named(self, tmp_path):
        with pytest.raises(UserError, match=r"weights: must be imagenet, none or a file; received .*none\.h5, which"):
            load_backbone("resnet50", str(tmp_path / "none.h5"))

    def test_weights_that_do_not_fit_are_named(self, tmp_path):
        path = tmp_path / "other.weights.h5"
        path.write_bytes(b"no weights")
        with pytest.raises(
            UserError, match=r"weights: .*other\.weights\.h5 does not fit ResNet50, with or without its"
        ):
            load_backbone("resnet50", str(path))

    @needs_weights
    @pytest.mark.parametrize("alpha", [None, 0.25, 0.5])
    def test_the_alpha_must_be_that_of_the_file(self, alpha):
        message = rf"no_top\.h5 does not fit MobileNet with alpha {alpha or 1}, with or without.*and its alpha$"
        with pytest.raises(UserError, match=message):
            load_backbone("mobilenet", str(NO_TOP), alpha)

    @needs_weights
    def test_a_file_without_the_top_has_no_classifier(self):
        with pytest.raises(UserError, match=r"does not fit MobileNet with alpha 0\.25, with its top"):
            load_backbone("mobilenet", str(NARROW), 0.25, top=True)

    @needs_weights
    def test_a_file_of_the_whole_network_gives_the_same_features(self, rng):
        images = rng.uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
        features = [load_backbone("mobilenet", str(path), 0.75).predict_on_batch(images) for path in (NO_TOP, WHOLE)]
        assert features[0].shape == (2, 768)
        np.testing.assert_array_equal(*features)

    @pytest.mark.parametrize("name", ["mobilenetv3small", "efficientnetv2b0", "convnexttiny"])
    def test_the_top_s_weights_come_last_in_every_family(self, name, tmp_path):
        whole = load_backbone(name, "none", top=True)
        whole.save_weights(tmp_path / "whole.weights.h5")
        bare = load_backbone(name, str(tmp_path / "whole.weights.h5"))
        for ours, theirs in zip(bare.get_weights(), whole.get_weights(), strict=False):
            np.testing.assert_array_equal(ours, theirs)

    def test_efficientnet_s_weights_from_a_file_work_as_those_that_keras_downloads(self, tmp_path, monkeypatch, rng):
        path = tmp_path / "downloaded.weights.h5"
        model = keras.applications.EfficientNetB0(weights=None, include_top=False)
        normalization = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
        normalization.set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]) ** 2, np.array(0)])
        model.save_weights(path)
        ours = load_backbone("efficientnetb0", str(path), size=64)
        monkeypatch.setattr("keras.src.applications.efficientnet.file_utils.get_file", lambda *_, **__: str(path))
        theirs = load_backbone("efficientnetb0", "imagenet", size=64)
        pixels = rng.integers(0, 256, (1, 64, 64, 3)).astype(np.float32)
        first = [
            keras.Model(m.inputs[0], m.get_layer("stem_conv").output).predict_on_batch(pixels) for m in (ours, theirs)
        ]
        assert np.abs(first[1]).max() > 0.1
        np.testing.assert_allclose(*first, atol=1e-4)
        assert ours.predict_on_batch(pixels).shape == (1, 1280)


class TestDownloads:
    def test_one_that_fails_is_told_with_ways_out(self, monkeypatch):
        patience = []

        def offline(**options):
            assert options["weights"] == "imagenet"
            patience.append(socket.getdefaulttimeout())
            raise Exception("URL fetch failure")

        monkeypatch.setattr(keras.applications, "ResNet50", offline)
        before = socket.getdefaulttimeout()
        message = r"ImageNet weights of ResNet50 are not in .* downloaded \(URL fetch failure\); .*weights=FILE"
        with pytest.raises(UserError, match=message):
            load_backbone("resnet50", "imagenet")
        assert patience[0] <= 30
        assert socket.getdefaulttimeout() == before

    @needs_weights
    def test_what_keras_has_downloaded_before_is_used(self, keras_home, rng):
        (keras_home / "models/mobilenet_7_5_224_tf_no_top.h5").symlink_to(NO_TOP)
        images = rng.uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
        features = [load_backbone("mobilenet", w, 0.75).predict_on_batch(images) for w in ("imagenet", str(NO_TOP))]
        np.testing.assert_array_equal(*features)

    def test_an_alpha_that_keras_has_no_weights_for_is_named(self, keras_home):
        with pytest.raises(UserError, match=r"weights: the ImageNet weights of MobileNet cannot be loaded: .*alpha"):
            load_backbone("mobilenet", "imagenet", 0.3)

    @needs_weights
    def test_the_classes_of_imagenet_are_in_the_order_of_outputs(self, keras_home):
        (keras_home / "models/imagenet_class_index.json").symlink_to(WEIGHTS / "imagenet_class_index.json")
        labels = imagenet_labels()
        assert len(labels) == len({number for number, _ in labels}) == 1000
        assert labels[0] == ("n01440764", "tench")
        assert labels[281] == ("n02123045", "tabby")
        assert labels[999] == ("n15075141", "toilet_tissue")

    def test_classes_that_cannot_be_downloaded_are_told_the_same_way(self, keras_home):
        with pytest.raises(UserError, match=r"names of ImageNet's classes are not in .* could not be downloaded \("):
            imagenet_labels()
