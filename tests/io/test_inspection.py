"""python -m pyimagesearch.io: what a file holds, whether it is intact, and a fast copy of it."""

import json

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.__main__ import main
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format.header import Provenance
from pyimagesearch.io.inspection import damaged_rows, describe

SHAPE = (30, 16, 12, 3)


@pytest.fixture
def images():
    coarse = np.random.default_rng(0).integers(0, 256, (30, 3, 3, 3), dtype=np.uint8)
    return np.stack([cv2.resize(image, (12, 16)) for image in coarse])


@pytest.fixture(params=["raw", "jpeg"])
def data(request, tmp_path, images):
    path = tmp_path / "data.hdf5"
    with HDF5DatasetWriter(SHAPE, path, encoding=request.param, provenance=Provenance("drawn")) as writer:
        writer.store_class_labels(["cat", "dog", "panda"])
        writer.add(images, np.arange(30) % 3, [f"{i}.jpg" for i in range(30)])
    return path


@pytest.mark.parametrize("change", ["history", "label_names", "color_order", "format"])
def test_what_a_file_says_of_itself_cannot_change_unseen(data, change):
    with h5py.File(data, "r+") as file:
        if change == "label_names":
            file["label_names"][0] = b"cut"
        else:
            file.attrs[change] = "other"
    with pytest.raises(UserError, match=r"data\.hdf5 is damaged, .* (is|are) not what was written"):
        damaged_rows(data)


def test_sums_of_channels_that_changed_are_found_by_their_row(data):
    with h5py.File(data, "r+") as file:
        file["channel_sums"][7, 1] += 1
    assert damaged_rows(data).tolist() == [7]


def foreign(path, images, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, **options)
        file["labels"] = np.arange(len(images)) % 2
    return path


def test_it_says_what_a_file_holds(data):
    facts = describe(data)
    assert facts["rows"] == "30 images of 16x12x3, uint8, BGR"
    assert facts["classes"] == "3: cat 10, dog 10, panda 10"
    assert facts["complete"] == "yes"
    assert facts["how made"] == "drawn"
    assert "pyimagesearch" in facts["made by"]
    assert "memory-mapped" in facts["layout"]
    assert "warning" not in facts


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ({"compression": "gzip"}, "must decompress whole chunks"),
        ({"chunks": (1, 8, 12, 3)}, "every row is spread over several chunks"),
        ({"dtype": "float64"}, "float64: 8 times the space of 8 bits"),
    ],
)
def test_it_warns_of_layouts_that_are_slow(tmp_path, images, options, warning):
    facts = describe(foreign(tmp_path / "foreign.hdf5", images, **options))
    assert warning in facts["warning"]
    assert facts["made by"] == "another program"


def test_an_unfinished_file_says_so(tmp_path, images):
    writer = HDF5DatasetWriter(SHAPE, tmp_path / "data.hdf5")
    writer.add(images[:10], np.zeros(10, int))
    writer.suspend()
    assert describe(tmp_path / "data.hdf5.partial")["complete"].startswith("NO")


def test_every_row_of_a_sound_file_is_verified(data):
    assert damaged_rows(data).tolist() == []


@pytest.mark.parametrize("place", ["bytes", "label", "path"])
def test_a_flipped_bit_is_found_and_its_row_is_named(data, place):
    with h5py.File(data, "r+") as file:
        if place == "label":
            file["labels"][7] ^= 1
        elif place == "path":
            file["paths"][7] = b"8.jpg"
        elif "jpeg" in file:
            middle = int(file["jpeg_ends"][6]) + 40
            file["jpeg"][middle] ^= 16
        else:
            file["images"][7, 3, 2, 1] ^= 16
    assert damaged_rows(data).tolist() == [7]
    with pytest.raises(UserError, match=r"--verify: every row must be what was written; damaged are .*: rows 7"):
        main([str(data), "--verify"])


def test_a_file_without_checksums_cannot_be_verified(tmp_path, images):
    with pytest.raises(UserError, match=r"data set: .* has no checksums to verify"):
        damaged_rows(foreign(tmp_path / "foreign.hdf5", images))


@pytest.mark.parametrize("options", [{"dtype": "float64"}, {"compression": "gzip"}, {"chunks": (4, 16, 12, 3)}, {}])
@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_any_readable_file_becomes_a_fast_one(tmp_path, images, options, encoding):
    source = foreign(tmp_path / "foreign.hdf5", images, **options)
    target = tmp_path / "fast.hdf5"
    main([str(source), "--convert", str(target), "--encoding", encoding, "--quality", "100"])
    loader = BatchLoader(target, 30, dtype="uint8")
    difference = np.abs(loader.batch(0, 0).astype(int) - images).mean()
    loader.close()
    assert difference == 0 if encoding == "raw" else difference < 8
    assert damaged_rows(target).tolist() == []
    assert "memory-mapped" in describe(target)["layout"]


def test_a_conversion_keeps_names_paths_and_labels(data, tmp_path):
    target = tmp_path / "copy.hdf5"
    main([str(data), "--convert", str(target)])
    with h5py.File(data) as old, h5py.File(target) as new:
        for name in ("labels", "label_names", "paths"):
            assert (old[name][:] == new[name][:]).all()


def test_features_are_converted_to_the_dtype_asked_for(tmp_path):
    features = np.random.default_rng(0).normal(size=(6, 5))
    with h5py.File(tmp_path / "book.hdf5", "w") as file:
        file["feature"] = features
        file["labels"] = [0, 1] * 3
    main([str(tmp_path / "book.hdf5"), "--convert", str(tmp_path / "new.hdf5"), "--dtype", "float16"])
    with h5py.File(tmp_path / "new.hdf5") as file:
        assert file["features"].dtype == np.float16
        np.testing.assert_allclose(file["features"][:], features, rtol=1e-3)


def test_pixels_that_are_no_bytes_are_refused_and_nothing_is_left(tmp_path, images):
    source = foreign(tmp_path / "scaled.hdf5", images / 255)
    with pytest.raises(
        UserError,
        match=r"scale: images of 8 bits .*: python -m pyimagesearch\.io .*scaled\.hdf5 --convert .* --scale 0\.\.1",
    ):
        main([str(source), "--convert", str(tmp_path / "fast.hdf5")])
    assert [p.name for p in tmp_path.iterdir()] == ["scaled.hdf5"]


def test_json_is_for_machines(data, capsys):
    main([str(data), "--json", "--verify"])
    facts = json.loads(capsys.readouterr().out)[str(data)]
    assert facts["verified"] == "every row is what was written"


def test_only_one_file_is_converted_at_a_time(data, tmp_path):
    with pytest.raises(UserError, match="--convert: takes one FILE; received 2"):
        main([str(data), str(data), "--convert", str(tmp_path / "x.hdf5")])
