"""The folders and lists that people have: the build takes them as they are meant, asks, or says what it left out."""

import json

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.io.format.dataset import read_header

RNG = np.random.default_rng(0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draw(folder, *names, image=None):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), RNG.integers(0, 256, (20, 40, 3), np.uint8) if image is None else image())


def paths_of(split):
    with h5py.File(f"output/{split}.hdf5") as file:
        return file["paths"].asstr()[:].tolist()


SMALL = "STORED_SIZE = 24\nNUM_VAL_IMAGES = NUM_TEST_IMAGES = 0.2\n"
FOLDERS = f"{SMALL}LABEL_OF = label_from_folder"


def test_columns_are_asked_and_set(here, call, write_config):
    draw(here, *(f"images/{i}.jpg" for i in range(20)))
    lines = [f"L{i},{i},{'ab'[i % 2]},{i * 3}" for i in range(20)]
    (here / "images/meta.csv").write_text("\n".join(["lesion_id,image_id,dx,age", *lines]))
    outcome = call("build_dogs_vs_cats", "-d", "images/meta.csv", "--config", write_config(here, SMALL))
    assert outcome.code == 2
    assert "error: LABEL_COLUMN: images/meta.csv has the columns lesion_id, image_id, dx, age" in outcome.err
    assert 'name that of labels with LABEL_COLUMN = "NAME"' in outcome.err
    config = write_config(here, f"{SMALL}LABEL_COLUMN = 'dx'\nGROUP_COLUMN = 'lesion_id'")
    outcome = call("build_dogs_vs_cats", "-d", "images/meta.csv", "--config", config)
    assert outcome.code == 0, outcome.err
    assert "images from image_id, labels from dx, groups from lesion_id" in outcome.out
    assert outcome.result["classes"] == {"a": 10, "b": 10}
    outcome = call("explore", "images/meta.csv", "--config", config)
    assert "images from image_id, labels from dx" in outcome.out


def test_folders_of_splits_are_kept(here, call, write_config):
    draw(here, *(f"images/{place}/{kind}/{i}.jpg" for place, n in (("train", 6), ("valid", 2), ("test", 3))
                 for kind in ("cat", "dog") for i in range(n)))  # fmt: skip
    outcome = call("build_dogs_vs_cats", "--config", write_config(here, FOLDERS))
    assert outcome.code == 0, outcome.err
    assert "splits are kept as they are: 6 test, 12 train, 4 val; KEEP_SPLITS = False draws them" in outcome.out
    for split, folder in (("train", "train"), ("val", "valid"), ("test", "test")):
        assert {path.split("/")[0] for path in paths_of(split)} == {folder}
    call("build_dogs_vs_cats", "--force", "--config", write_config(here, f"{FOLDERS}\nKEEP_SPLITS = False"))
    assert {path.split("/")[0] for path in paths_of("train")} == {"train", "valid", "test"}


def test_groups_never_cross_a_split(here, call, write_config):
    draw(here, *(f"images/{kind}/p{i % 10}_{i}.jpg" for kind in ("cat", "dog") for i in range(30)))
    group_of = "GROUP_OF = lambda path: path.rsplit('/', 1)[1].split('_')[0]"
    outcome = call("build_dogs_vs_cats", "--config", write_config(here, f"{FOLDERS}\n{group_of}"))
    assert outcome.code == 0, outcome.err
    patients = [{path.split("/")[1].split("_")[0] for path in paths_of(split)} for split in ("train", "val", "test")]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 10
    assert [len(each) for each in patients] == [6, 2, 2]


def test_what_is_left_out_is_said_and_recorded(here, call, write_config):
    draw(here, *(f"images/{kind}/{i}.jpg" for kind in ("cat", "dog") for i in range(10)), "images/fox/0.jpg",
         "images/.ipynb_checkpoints/0.jpg")  # fmt: skip
    for name in ("bird/0.svg", "cat/notes.txt"):
        (here / "images" / name).parent.mkdir(exist_ok=True)
        (here / "images" / name).touch()
    outcome = call("build_dogs_vs_cats", "--config", write_config(here, f"{FOLDERS}\nMIN_IMAGES_PER_CLASS = 3"))
    assert outcome.code == 0, outcome.err
    said = outcome.out + outcome.err
    for words in (
        "left out files that are no images: 1 .svg, 1 .txt", "left out folders without any image: bird",
        "left out folders that hold no class: .ipynb_checkpoints", "left out classes of fewer than 3 images: fox (1)",
    ):  # fmt: skip
        assert f"[INFO] {words}" in said
    report = json.loads((here / "output/build.json").read_text())
    assert report["rare_classes"] == {"fox": 1}
    assert report["left_out"]["suffixes"] == {".svg": 1, ".txt": 1}
    assert report["left_out"]["emptied"] == ["bird"]
    assert report["left_out"]["folders"] == [".ipynb_checkpoints"]


def test_lines_without_an_image_are_left_out_on_request(here, call, write_config):
    draw(here, *(f"images/{i}.jpg" for i in range(20)))
    names = ["none.jpg", *(f"{i}.{'JPG' if i % 2 else 'jpg'}" for i in range(20))]
    (here / "images/list.csv").write_text("id,label\n" + "".join(f"{n},{'ab'[i % 2]}\n" for i, n in enumerate(names)))
    build = ("build_dogs_vs_cats", "-d", "images/list.csv", "--config")
    outcome = call(*build, write_config(here, SMALL))
    assert "line 2 none.jpg, line 4 1.JPG (there is 1.jpg)" in outcome.err
    assert (
        "only file that nearly fits with NEAR_NAMES = True, or leave the lines out with --on-error skip" in outcome.err
    )
    outcome = call(*build, write_config(here, f"{SMALL}NEAR_NAMES = True"), "--on-error", "skip")
    assert outcome.code == 0, outcome.err
    assert outcome.result["images"] == 20
    assert json.loads((here / "output/build.json").read_text())["left_out"]["missing"] == {"2": "none.jpg"}


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (lambda: RNG.integers(0, 256, (30, 30), np.uint8), "all images are gray: with CHANNELS = 1 files are a third"),
        (
            lambda: RNG.integers(0, 4096, (30, 30, 3), np.uint16),
            "use values up to 4,095 only and become dark: MAX_VALUE",
        ),
    ],
    ids=["gray", "deep"],
)
def test_gray_and_deep_images_are_said_with_their_setting(here, call, write_config, image, words):
    draw(here, *(f"images/{kind}/{i}.png" for kind in ("cat", "dog") for i in range(10)), image=image)
    config = write_config(here, FOLDERS)
    assert words in call("explore", "--config", config).out
    assert f"[INFO] {words}" in call("build_dogs_vs_cats", "--config", config).err.replace("16-bit images ", "")
    mended = write_config(here, f"{FOLDERS}\nMAX_VALUE = 4095\nCHANNELS = {1 if 'gray' in words else 3}")
    assert words not in call("explore", "--force", "--config", mended).out
    outcome = call("build_dogs_vs_cats", "--force", "--config", mended)
    assert "images are gray" not in outcome.err
    assert "become dark" not in outcome.err
    assert min(outcome.result["means"].values()) > 100


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_the_way_to_fit_is_written_into_the_files(here, call, write_config, fit):
    draw(here, *(f"images/{kind}/{i}.png" for kind in ("cat", "dog") for i in range(10)),
         image=lambda: np.full((20, 40, 3), 255, np.uint8))  # fmt: skip
    outcome = call("build_dogs_vs_cats", "--config", write_config(here, f"{FOLDERS}\nFIT = {fit!r}"))
    assert outcome.code == 0, outcome.err
    assert read_header("output/train.hdf5").fit == fit
    with h5py.File("output/train.hdf5") as file:
        assert file["images"][0].mean() == (127.5 if fit == "pad" else 255)


def test_an_unknown_way_to_fit_is_a_mistake_of_the_config(here, call, write_config):
    draw(here, "images/cat/0.png")
    outcome = call("build_dogs_vs_cats", "--config", write_config(here, f"{FOLDERS}\nFIT = 'squeeze'"))
    assert "error: FIT: must be one of crop, pad, stretch; received 'squeeze'" in outcome.err
