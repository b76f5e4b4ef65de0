import pytest

from pyimagesearch.io.foreign.layouts import Meaning, meaning_of, split_of


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("X", ("images", "", "")), ("x_train", ("images", "train", "")), ("Ytest", ("labels", "test", "")),
        ("train_set_x_orig", ("images", "train", "")), ("list_classes", ("names", "", "")),
        ("train/data", ("images", "train", "")), ("labels/val", ("labels", "val", "")),
        ("mine/train/labels", ("labels", "train", "mine")), ("image_labels", ("labels", "", "")),
        ("image_paths", ("paths", "", "")), ("label_names", ("names", "", "")), ("filenames", ("paths", "", "")),
        ("fine_labels", None), ("mean_image", None), ("image_ids", None), ("a/b", None), ("image_names", None),
    ],
)  # fmt: skip
def test_paths_mean_what_their_words_say(path, meaning):
    assert meaning_of(path) == (Meaning(*meaning) if meaning else None)


@pytest.mark.parametrize(("name", "split"), [("train", "train"), ("Validation", "val"), ("cat", ""), ("train_x", "")])
def test_groups_of_splits(name, split):
    assert split_of(name) == split
