"""HDF5 files as other people write them: described, converted, fed to a network and explored by one understanding."""

import logging
import os
import pickle

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UnrecognisedError, UserError
from pyimagesearch.explore.images import ImageRows
from pyimagesearch.io import HDF5DatasetGenerator, HDF5DatasetWriter
from pyimagesearch.io.__main__ import main
from pyimagesearch.io.conversion import convert
from pyimagesearch.io.foreign.blocks import ArrayRows
from pyimagesearch.io.format import sandbox
from pyimagesearch.io.inspection import damaged_rows, describe
from pyimagesearch.preprocessing import (
    AugmentPreprocessor,
    MeanPreprocessor,
    PatchPreprocessor,
    SimplePreprocessor,
)

N = 30
IMAGES = np.random.default_rng(3).integers(0, 256, (N, 12, 10, 3), np.uint8)
CLASSES = np.arange(N) % 3
OTHERS = {"checksum": 7, "format_version": "2"}


@pytest.fixture
def make(tmp_path):
    """Return a function that writes datasets, and attributes of the root."""

    def write(name="foreign.h5", attributes=None, **datasets):
        with h5py.File(tmp_path / name, "w") as file:
            for path, data in datasets.items():
                options = {}
                if isinstance(data, tuple):
                    data, options = data
                file.create_dataset(path.replace("__", "/"), data=data, **options)
            file.attrs.update(attributes or {})
        return tmp_path / name

    return write


@pytest.fixture
def converted(tmp_path):
    """Return a function that converts a file by the command line, and returns rows and attributes of the copy."""

    def run(path, *options):
        main([str(path), "--convert", str(tmp_path / "copy.hdf5"), "--force", *options])
        with h5py.File(tmp_path / "copy.hdf5") as file:
            rows = file["images" if "images" in file else "features"][:]
            return rows, dict(file.attrs), file["labels"][:]

    return run


def batch(path, **options):
    generator = HDF5DatasetGenerator(path, N, binarize=False, classes=3, **options)
    try:
        return generator[0]
    finally:
        generator.close()


PLAIN = {
    "images and labels": lambda make: make(images=IMAGES, labels=CLASSES),
    "X and y": lambda make: make(X=IMAGES, y=CLASSES[:, None]),
    "x_train and y_train": lambda make: make(x_train=IMAGES, y_train=CLASSES, x_test=IMAGES[:5], y_test=CLASSES[:5]),
    "data and label": lambda make: make(data=IMAGES, label=CLASSES[None]),
    "image and label": lambda make: make(image=IMAGES, label=np.eye(3)[CLASSES]),
    "train_set_x": lambda make: make(train_set_x=IMAGES, train_set_y=CLASSES, list_classes=np.bytes_(["a", "b", "c"])),
    "groups": lambda make: make(train__data=IMAGES, train__target=CLASSES),
    "text": lambda make: make(images=IMAGES, labels=np.bytes_(["cat", "dog", "fox"])[CLASSES]),
    "channels first": lambda make: make(X=np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2)), y=CLASSES),
    "gzip": lambda make: make(X=(IMAGES, {"compression": "gzip", "chunks": True}), y=CLASSES),
    "one gzip chunk": lambda make: make(X=(IMAGES, {"compression": "gzip", "chunks": IMAGES.shape}), y=CLASSES),
    "split by channels": lambda make: make(X=(IMAGES, {"compression": "gzip", "chunks": (7, 12, 10, 1)}), y=CLASSES),
    "names of fewer classes": lambda make: make(images=IMAGES, labels=CLASSES, label_names=[10, 20]),
    "names in Latin-1": lambda make: make(images=IMAGES, labels=CLASSES, label_names=np.bytes_([b"\xe9", b"b", b"c"])),
    "names in a column": lambda make: make(images=IMAGES, labels=CLASSES, label_names=np.bytes_([["a"], ["b"], ["c"]])),
    "paths of numbers": lambda make: make(images=IMAGES, labels=CLASSES, paths=np.arange(N)),
    "other people's checksum": lambda make: make(
        "a.h5", {"checksum": 7, "format_version": "2"}, images=IMAGES, labels=CLASSES
    ),
    "names twice": lambda make: make(images=IMAGES, labels=CLASSES, label_names=np.bytes_(["a", "a", "b"])),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_what_is_plain_is_read_alike_by_all(make, converted, kind, caplog):
    path = PLAIN[kind](make)
    rows, attributes, labels = converted(path)
    np.testing.assert_array_equal(rows, IMAGES)
    np.testing.assert_array_equal(labels, CLASSES)
    assert attributes["color_order"] == "RGB"
    assert "ASSUMED" in attributes["history"]
    np.testing.assert_array_equal(batch(path)[0], IMAGES)
    np.testing.assert_array_equal(ImageRows(path).picture(4), IMAGES[4][..., ::-1])
    assert "ASSUMED" in caplog.text
    facts = describe(path)
    assert facts["complete"] == "yes"
    assert facts["rows"] == f"{N} images of 12x10x3, uint8, RGB"
    assert sum(int(words.rpartition(" ")[2]) for words in facts["classes"].partition(": ")[2].split(", ")) == N


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_the_order_of_colours_is_told_written_and_kept(make, converted, order, caplog):
    path = make(images=IMAGES, labels=CLASSES)
    assert converted(path, "--color-order", order)[1]["color_order"] == order
    generator = HDF5DatasetGenerator(path, N, classes=3, color_order=order)
    assert generator.loader.header.color_order == order
    assert "ASSUMED" not in caplog.text


@pytest.mark.parametrize("value", [b"rgb", "RGB", np.array([b"Rgb"])])
def test_an_attribute_says_the_order_of_colours(make, converted, value, caplog):
    path = make("a.h5", {"Color_Order": value}, images=IMAGES, labels=CLASSES)
    assert converted(path)[1]["color_order"] == "RGB"
    assert "ASSUMED" not in caplog.text


def test_gray_images_stay_images(make, converted):
    rows, *_ = converted(make(X=IMAGES[..., 0], y=CLASSES))
    np.testing.assert_array_equal(rows, IMAGES[..., :1])


def test_flat_rows_stay_8_bit_or_are_unfolded(make, converted):
    path = make(X=IMAGES.reshape(N, -1), y=CLASSES)
    rows, *_ = converted(path)
    assert rows.dtype == np.uint8
    assert rows.shape == (N, 360)
    np.testing.assert_array_equal(converted(path, "--shape", "12x10x3")[0], IMAGES)
    np.testing.assert_array_equal(batch(path, shape="12x10x3")[0], IMAGES)


class TestTelling:
    def test_a_refusal_lists_all_and_its_command_works(self, make, tmp_path):
        path = make(stuff=IMAGES, things=CLASSES, more=IMAGES[:4])
        with pytest.raises(UserError, match=r"it holds more \(4, 12, 10, 3\) uint8; stuff \(30, .*; things") as caught:
            main([str(path), "--convert", str(tmp_path / "copy.hdf5")])
        command = str(caught.value).partition("try: python -m pyimagesearch.io ")[2].split()
        told = {"KEY": "stuff"}
        main([told.get(word, word) for word in command])
        np.testing.assert_array_equal(batch(tmp_path / "copy.hdf5")[0], IMAGES)

    def test_paths_into_groups_and_other_files(self, make, converted):
        path = make(a__b=IMAGES, c=np.arange(N)[::-1] % 3)
        other = make("labels.h5", y=CLASSES)
        _rows, _, labels = converted(path, "--images", "a/b", "--labels", f"{other}::y")
        np.testing.assert_array_equal(labels, CLASSES)
        np.testing.assert_array_equal(batch(path, images="a/b", labels="c")[1], np.arange(N)[::-1] % 3)

    def test_two_candidates_ask(self, make):
        with pytest.raises(UnrecognisedError, match="are the images and the labels") as caught:
            describe(make(a__X=IMAGES, b__X=IMAGES, y=CLASSES))
        assert caught.value.suggestion == {"images": "KEY", "labels": "y"}

    def test_fractional_labels_are_refused(self, make):
        with pytest.raises(UserError, match="labels: must be class numbers"):
            describe(make(images=IMAGES, labels=CLASSES + 0.5))

    def test_our_own_files_are_told_nothing(self, tmp_path):
        with HDF5DatasetWriter(IMAGES.shape, tmp_path / "ours.hdf5") as writer:
            writer.add(IMAGES, CLASSES)
        with pytest.raises(UserError, match=r"says itself where its rows are, .*; leave out images, scale"):
            convert(tmp_path / "ours.hdf5", tmp_path / "copy.hdf5", images="images", scale="keep")


class TestOtherShapes:
    def test_matlab_s_axes_lie_in_reverse(self, make, converted):
        path = make(X=np.ascontiguousarray(IMAGES.transpose(3, 2, 1, 0)), y=CLASSES[None] + 1)
        with h5py.File(path, "a") as file:
            file["X"].attrs["MATLAB_class"], file["y"].attrs["MATLAB_class"] = np.bytes_(b"uint8"), np.bytes_(b"double")
        rows, _, labels = converted(path)
        np.testing.assert_array_equal(rows, IMAGES)
        np.testing.assert_array_equal(labels, CLASSES)

    def test_a_group_for_each_class(self, make, converted):
        path = make(**{f"{'abc'[c]}__{i:02}": IMAGES[i] for i, c in enumerate(CLASSES)})
        order = np.argsort(CLASSES, kind="stable")
        rows, _, labels = converted(path)
        np.testing.assert_array_equal(rows, IMAGES[order])
        np.testing.assert_array_equal(labels, CLASSES[order])
        np.testing.assert_array_equal(batch(path)[0], IMAGES[order])

    def test_bytes_of_image_files(self, make, converted):
        path = make(label=CLASSES)
        with h5py.File(path, "a") as file:
            files = file.create_dataset("image", (N,), h5py.vlen_dtype(np.uint8))
            for i in range(N):
                files[i] = cv2.imencode(".png", IMAGES[i])[1].ravel()
        rows, attributes, _ = converted(path)
        np.testing.assert_array_equal(rows, IMAGES)
        assert attributes["color_order"] == "BGR"

    def test_ambiguous_axes_ask(self, make, converted):
        path = make(X=IMAGES[:, :3], y=CLASSES)
        with pytest.raises(UserError, match=r"axes: shape .* more than one way, .* --axes nhwc"):
            converted(path)
        np.testing.assert_array_equal(converted(path, "--axes", "nhwc")[0], IMAGES[:, :3])


class TestValues:
    def test_floats_convert_by_a_scale_that_is_written_down(self, make, converted):
        path = make(images=IMAGES / 255, labels=CLASSES)
        assert "scale must be told" in describe(path)["values"]
        rows, attributes, _ = converted(path, "--scale", "0..1")
        np.testing.assert_array_equal(rows, IMAGES)
        assert "0..1 mapped to 0..255 and rounded, as told" in attributes["history"]
        np.testing.assert_array_equal(batch(path, scale="0..1")[0], IMAGES)

    def test_what_a_scale_loses_is_said(self, make, converted, caplog):
        converted(make(images=np.linspace(0, 1, IMAGES.size).reshape(IMAGES.shape), labels=CLASSES), "--scale", "0..1")
        assert "were rounded, by up to 0.50 of a step" in caplog.text

    def test_values_beyond_the_scale_are_refused_by_their_row(self, make, converted, tmp_path):
        images = IMAGES / 255
        images[17, 3, 4, 1] = 1.5
        path = make(images=images, labels=CLASSES)
        with pytest.raises(UserError, match=r"row 17 has 1\.5"):
            batch(path, scale="0..1", shuffle=True)
        with pytest.raises(UserError, match=r"values must be in 0\.\.1, as scale says; row 17 has 1\.5"):
            converted(make(images=images, labels=CLASSES), "--scale", "0..1")
        assert not (tmp_path / "copy.hdf5").exists()

    @pytest.mark.parametrize("dtype", ["uint16", "float32"])
    def test_deep_images_stay_what_they_are_and_feed_a_network(self, make, converted, tmp_path, dtype):
        deep = (IMAGES.astype(np.float64) * (257 if dtype == "uint16" else 1 / 255)).astype(dtype)
        rows, *_ = converted(make(images=deep, labels=CLASSES), "--scale", "keep", "--color-order", "RGB")
        assert rows.dtype == dtype
        np.testing.assert_array_equal(rows, deep)
        assert damaged_rows(tmp_path / "copy.hdf5").tolist() == []
        np.testing.assert_array_equal(batch(tmp_path / "copy.hdf5")[0], deep.astype(np.float32))
        steps = [SimplePreprocessor(9, 9), PatchPreprocessor(8, 8), MeanPreprocessor(1, 2, 3)]
        images, _ = batch(tmp_path / "copy.hdf5", preprocessors=steps, aug=AugmentPreprocessor(horizontal_flip=True))
        assert images.shape == (N, 8, 8, 3)
        assert np.isfinite(images).all()
        convert(tmp_path / "copy.hdf5", tmp_path / "again.hdf5")
        np.testing.assert_array_equal(batch(tmp_path / "again.hdf5")[0], deep.astype(np.float32))
        with pytest.raises(UserError, match='encoding: "jpeg" holds images of 8 bits; those of '):
            convert(tmp_path / "copy.hdf5", tmp_path / "small.hdf5", encoding="jpeg")

    def test_mean_subtracted_images_are_kept(self, make, converted):
        rows, attributes, _ = converted(make(images=IMAGES.astype(np.float32) - 100, labels=CLASSES))
        assert rows.dtype == np.float32
        assert "kept as float32, values from -100" in attributes["history"]


class TestUnfinished:
    def test_rows_that_were_never_written_are_counted_and_refused(self, make, converted, caplog):
        images, labels = np.zeros(IMAGES.shape), np.zeros(N, int)
        images[:9], labels[:9] = IMAGES[:9], 1
        path = make(images=images, labels=labels)
        assert "the last 21 of 30 rows are all zero and of class 0" in describe(path)["complete"]
        with pytest.raises(UserError, match=r"--rows: .* the last 21 of 30 rows .*; pass --rows 9 to leave them out"):
            converted(path)
        rows, attributes, _ = converted(path, "--rows", "9")
        np.testing.assert_array_equal(rows, IMAGES[:9])
        assert "of 30 rows, the first 9 are used, as told" in attributes["history"]
        assert len(converted(path, "--rows", "30")[0]) == N
        assert len(batch(path, rows=9)[0]) == 9
        caplog.clear()
        batch(path)
        assert "the last 21 of 30 rows are all zero" in caplog.text

    def test_an_empty_one_is_an_unfinished_build(self, tmp_path):
        with h5py.File(tmp_path / "book.hdf5", "w") as file:
            file.create_dataset("images", IMAGES.shape, dtype="float")
            file.create_dataset("labels", (N,), dtype="int")
        assert describe(tmp_path / "book.hdf5")["complete"].startswith("NO: nothing was ever written into images")
        with pytest.raises(UserError, match="is unfinished: nothing was ever written into images: its writer was"):
            convert(tmp_path / "book.hdf5", tmp_path / "copy.hdf5")


@pytest.mark.parametrize("name", ["Zstd", "LZ4", "Bitshuffle", "Blosc", "Blosc2"])
def test_filters_of_hdf5plugin_are_used(make, converted, name):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    path = make(X=(IMAGES, dict(getattr(hdf5plugin, name)())), y=CLASSES)
    np.testing.assert_array_equal(converted(path)[0], IMAGES)
    np.testing.assert_array_equal(batch(path, shuffle=False)[0], IMAGES)


def test_a_virtual_dataset_whose_source_is_gone_is_refused(make, converted, tmp_path):
    make("part.h5", X=IMAGES)
    layout = h5py.VirtualLayout(IMAGES.shape, np.uint8)
    layout[:] = h5py.VirtualSource("part.h5", "X", IMAGES.shape)
    path = make(labels=CLASSES)
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("images", layout)
    np.testing.assert_array_equal(converted(path)[0], IMAGES)
    os.unlink(tmp_path / "part.h5")
    with pytest.raises(UserError, match=r"images takes its data from part\.h5, which is missing"):
        converted(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"),
    ],
)
def test_what_is_no_hdf5_is_called_what_it_is(tmp_path, content, what):
    (tmp_path / "a.h5").write_bytes(content)
    for use in (describe, lambda path: HDF5DatasetGenerator(path, 2)):
        with pytest.raises(UserError, match=rf"a\.h5 must be an HDF5 file; it is {what}"):
            use(tmp_path / "a.h5")


def test_keras_weights_are_called_what_they_are(make):
    path = make("a.h5", {"layer_names": ["dense"]}, dense__kernel=np.ones((3, 3)))
    with pytest.raises(UserError, match="must hold labelled images; it is a file of Keras weights"):
        describe(path)


class TestGenerator:
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_file_that_is_open_elsewhere_in_the_process(self, make, chunked):
        path = make(X=(IMAGES, {"compression": "gzip"} if chunked else {}), y=CLASSES)
        with h5py.File(path):
            np.testing.assert_array_equal(batch(path)[0], IMAGES)
        generator = HDF5DatasetGenerator(path, N, classes=3)
        with h5py.File(path) as file:
            assert "X" in file
        generator.close()

    def test_it_survives_a_pickle_and_closing(self, make):
        path = make(X=(IMAGES, {"compression": "gzip"}), y=CLASSES)
        generator = HDF5DatasetGenerator(path, 7, classes=3, shuffle=True, seed=4, color_order="RGB")
        expected = [generator[i][0] for i in range(len(generator))]
        twin = pickle.loads(pickle.dumps(generator))
        generator.close()
        for each in (twin, generator):
            for i, images in enumerate(expected):
                np.testing.assert_array_equal(each[i][0], images)
            each.close()

    def test_a_shuffled_epoch_of_a_large_compressed_file_names_the_cure(self, make, monkeypatch, caplog):
        monkeypatch.setitem(ArrayRows.__init__.__kwdefaults__, "cache_bytes", 1000)
        path = make(X=(IMAGES, {"compression": "gzip", "chunks": (10, 12, 10, 3)}), y=CLASSES)
        with caplog.at_level(logging.WARNING):
            HDF5DatasetGenerator(path, 7, classes=3, shuffle=True).close()
        assert caplog.text.count("shares its chunks with 9 others") == 1
        assert "convert it to a fast file" in caplog.text

    def test_our_own_files_start_no_helper(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sandbox, "_ask", lambda *_: pytest.fail("a helper was asked"))
        with HDF5DatasetWriter(IMAGES.shape, tmp_path / "ours.hdf5") as writer:
            writer.add(IMAGES, CLASSES)
        np.testing.assert_array_equal(batch(tmp_path / "ours.hdf5")[0], IMAGES)

    def test_a_plain_file_is_mapped(self, make):
        generator = HDF5DatasetGenerator(make(images=IMAGES, labels=CLASSES), 4, classes=3)
        assert type(generator.loader._reader).__name__ == "RawReader"
        generator.close()

    def test_an_unknown_argument_is_no_choice(self, make):
        with pytest.raises(TypeError, match="colour"):
            HDF5DatasetGenerator(make(images=IMAGES, labels=CLASSES), 4, colour="RGB")
