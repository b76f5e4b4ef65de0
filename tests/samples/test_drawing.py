import re
from collections import Counter

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.samples.drawing import draw_sample


@pytest.mark.parametrize("neither", [False, True])
def test_as_many_drawings_of_each_class(neither, tmp_path):
    draw_sample(tmp_path / "sample", 6, neither=neither)
    names = Counter(path.name.split(".")[0] for path in (tmp_path / "sample").iterdir())
    assert names == ({"cat": 2, "dog": 2, "neither": 2} if neither else {"cat": 3, "dog": 3})


@pytest.mark.parametrize(("images", "neither", "classes"), [(3, False, 2), (0, False, 2), (4, True, 3), (0, True, 3)])
def test_a_number_that_classes_cannot_share(images, neither, classes, tmp_path):
    message = f"images: must be a multiple of {classes}, as many of each class; received {images}; "
    with pytest.raises(UserError, match=re.escape(message)):
        draw_sample(tmp_path / "sample", images, neither=neither)
    assert not list(tmp_path.iterdir())
