import warnings

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.explore.images import ImageFiles
from pyimagesearch.explore.survey import survey
from pyimagesearch.io import label_from_folder
from pyimagesearch.io.images.decoding import Decoding
from tests.explore.datasets import look


def test_nothing_readable(tmp_path):
    for name in ("cat/1.jpg", "dog/1.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(
        UserError, match=r"not one of 2 images can be read; of the first, cat/1\.jpg: the file is empty"
    ):
        look(tmp_path)


def test_the_number_of_threads_changes_nothing(folder):
    images = ImageFiles(folder, label_from_folder, Decoding())
    before = list(warnings.filters)
    assert survey(images, 1).looks == survey(images, 3).looks
    assert warnings.filters == before
