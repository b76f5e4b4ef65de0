import socket

import keras
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.nn.backbones import BACKBONES, find_backbone, load_backbone, preprocess_function


@pytest.mark.parametrize("name", ["resnet50", "ResNet50", "RESNET50"])
def test_a_backbone_is_found_by_its_name_in_any_case(name):
    assert find_backbone(name) is BACKBONES["resnet50"]


@pytest.mark.parametrize("name", ["resnet51", "", "model.h5"])
@pytest.mark.parametrize("use", [find_backbone, preprocess_function, lambda name: load_backbone(name, "none")])
def test_an_unknown_name_is_refused_with_the_known_ones(name, use):
    with pytest.raises(UserError, match=f"model: must be one of resnet50.*, or a .keras file; received '{name}'"):
        use(name)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_is_one_of_keras_s(name):
    assert callable(getattr(keras.applications, BACKBONES[name].builder))


def test_resnet50_wants_bgr_minus_imagenet_s_means():
    rgb = np.array([[[[255, 100, 0]]]], np.float32)
    prepared = preprocess_function("resnet50")(rgb.copy())
    np.testing.assert_allclose(prepared, [[[[0 - 103.939, 100 - 116.779, 255 - 123.68]]]], rtol=1e-5)


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(UserError, match=r"weights: must be imagenet, none or a file; received .*none\.h5, which does"):
        load_backbone("resnet50", str(tmp_path / "none.h5"))


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "other.weights.h5"
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"weights: .*other\.weights\.h5 does not fit ResNet50 without its top \("):
        load_backbone("resnet50", str(path))


def test_a_download_that_fails_is_told_with_ways_out(monkeypatch):
    patience = []

    def offline(**options):
        assert options["weights"] == "imagenet"
        patience.append(socket.getdefaulttimeout())
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "ResNet50", offline)
    before = socket.getdefaulttimeout()
    message = (
        r"ImageNet weights of ResNet50 are not in .* could not be downloaded \(URL fetch failure\); .*--weights FILE"
    )
    with pytest.raises(UserError, match=message):
        load_backbone("resnet50", "imagenet")
    assert patience[0] <= 30
    assert socket.getdefaulttimeout() == before
