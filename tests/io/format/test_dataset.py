import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.format.dataset import check_images, check_same_build, is_finished, read_header


@pytest.fixture
def images(numbered_images):
    return numbered_images(6)


class TestFilesOfOneBuild:
    def headers(self, write_dataset, images, **second):
        first = read_header(write_dataset(images, name="train.hdf5", build="b1"))
        return first, read_header(write_dataset(images, name="val.hdf5", **{"build": "b1", **second}))

    def test_they_belong_together(self, write_dataset, images):
        check_same_build(*self.headers(write_dataset, images))

    @pytest.mark.parametrize("second", [{"build": "b2"}, {"build": ""}, {"class_labels": ("dog", "cat")}])
    def test_others_do_not(self, write_dataset, images, second):
        headers = self.headers(write_dataset, images, **second)
        with pytest.raises(UserError, match=r"train\.hdf5 and .*val\.hdf5 must come from one run of the build step"):
            check_same_build(*headers)


def test_a_data_set_of_features_is_refused_where_images_are_needed(write_dataset, images):
    check_images(read_header(write_dataset(images)))
    features = read_header(write_dataset(np.ones((4, 3), np.float32), name="features.hdf5"))
    with pytest.raises(UserError, match=r"must hold images of shape \(n, h, w, channels\); it holds features of"):
        check_images(features)


def test_a_resumed_build_keeps_its_own_files_alone(write_dataset, images, tmp_path):
    path = write_dataset(images, build="b1")
    assert not is_finished(tmp_path / "none.hdf5", "b1")
    assert is_finished(path, "b1")
    with pytest.raises(UserError, match=r"^resume: .*data\.hdf5 exists and comes from another build"):
        is_finished(path, "b2")
