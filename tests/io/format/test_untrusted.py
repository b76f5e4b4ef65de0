"""Files of strangers are not followed out of themselves, nor believed when they claim what they do not hold."""

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.format import header
from pyimagesearch.io.format.dataset import read_header
from pyimagesearch.io.format.sandbox import try_in_sandbox
from pyimagesearch.io.format.untrusted import open_dataset
from pyimagesearch.io.inspection import describe

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def secret(tmp_path):
    """Another file of the machine, in another folder."""
    path = tmp_path / "elsewhere/secret.hdf5"
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["images"] = IMAGES
    return path


def labelled(path):
    file = h5py.File(path, "w")
    file["labels"] = np.arange(6) % 2
    return file


def link_outside(file, secret):
    file["images"] = h5py.ExternalLink(str(secret), "images")


def link_through_a_group(file, secret):
    file["other"] = h5py.ExternalLink(str(secret), "/")
    file["images"] = h5py.SoftLink("/other/images")


def keep_data_outside(file, secret):
    file.create_dataset("images", IMAGES.shape, "uint8", external=[(str(secret), 0, IMAGES.nbytes)])


def map_data_outside(file, secret):
    layout = h5py.VirtualLayout(IMAGES.shape, "uint8")
    layout[:] = h5py.VirtualSource(str(secret), "images", IMAGES.shape)
    file.create_virtual_dataset("images", layout)


def map_data_by_dots(file, secret):
    layout = h5py.VirtualLayout(IMAGES.shape, "uint8")
    layout[:] = h5py.VirtualSource("../" + secret.parent.name + "/secret.hdf5", "images", IMAGES.shape)
    file.create_virtual_dataset("images", layout)


@pytest.mark.parametrize(
    ("trick", "message"),
    [
        (link_outside, "images leads to another file, .*secret.hdf5:images"),
        (link_through_a_group, "images leads to another file, .*secret.hdf5:/"),
        (keep_data_outside, "images keeps its data in .*secret.hdf5"),
        (map_data_outside, "images takes its data from .*secret.hdf5, outside its own folder"),
        (map_data_by_dots, r"images takes its data from \.\./.*secret.hdf5, outside its own folder"),
    ],
)
def test_data_in_other_files_is_refused_by_name(tmp_path, secret, trick, message):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data/stranger.hdf5"
    with labelled(path) as file:
        trick(file, secret)
    for reader in (read_header, describe, lambda p: BatchLoader(p, 2)):
        with pytest.raises(UserError, match=message):
            reader(path)


def test_a_virtual_dataset_of_its_own_folder_is_read(tmp_path):
    with h5py.File(tmp_path / "part.hdf5", "w") as file:
        file["images"] = IMAGES
    layout = h5py.VirtualLayout(IMAGES.shape, "uint8")
    layout[:] = h5py.VirtualSource("part.hdf5", "images", IMAGES.shape)
    with labelled(tmp_path / "whole.hdf5") as file:
        file.create_virtual_dataset("images", layout)
    loader = BatchLoader(tmp_path / "whole.hdf5", 6, dtype="uint8")
    np.testing.assert_array_equal(loader.batch(0, 0), IMAGES)
    loader.close()


def test_a_virtual_dataset_of_a_virtual_dataset_is_refused(tmp_path, secret):
    with h5py.File(tmp_path / "part.hdf5", "w") as file:
        map_data_outside(file, secret)
    layout = h5py.VirtualLayout(IMAGES.shape, "uint8")
    layout[:] = h5py.VirtualSource("part.hdf5", "images", IMAGES.shape)
    with labelled(tmp_path / "whole.hdf5") as file:
        file.create_virtual_dataset("images", layout)
    with pytest.raises(UserError, match="takes its data from"):
        read_header(tmp_path / "whole.hdf5")


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("labels", (10**12,), {"chunks": (1024,)}),
        ("images", (10**9, 8, 8, 3), {"chunks": (1, 8, 8, 3)}),
        ("images", (10**9, 8, 8, 3), {"chunks": (1, 8, 8, 3), "compression": "gzip"}),
    ],
)
def test_a_small_file_cannot_claim_terabytes(tmp_path, name, shape, options):
    path = tmp_path / "bomb.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset(name, shape, "uint8", **options)
        other = "labels" if name == "images" else "images"
        file.create_dataset(other, (shape[0], *((8, 8, 3) if name == "labels" else ())), "uint8", chunks=True)
    with pytest.raises(UserError, match=r"bomb\.hdf5 is unfinished: nothing was ever written into images"):
        read_header(path)


def test_absurd_chunks_are_refused(tmp_path):
    path = tmp_path / "bomb.hdf5"
    with labelled(path) as file:
        images = file.create_dataset(
            "images", (6, 8, 8, 3), "uint8", chunks=(2**20, 32, 32, 3), maxshape=(None,) * 4, compression="gzip"
        )
        images.id.write_direct_chunk((0, 0, 0, 0), b"x")
    with pytest.raises(UserError, match="images has chunks of more than 2 GiB"):
        read_header(path)


@pytest.mark.parametrize("value", [np.array([2**62]), np.arange(5.0), "two", b"\xff", True, -1, 2.5])
@pytest.mark.parametrize("name", ["format_version", "complete", "encoding", "image_shape", "color_order", "build"])
def test_odd_attributes_give_an_error_or_a_correct_read(tmp_path, name, value):
    path = tmp_path / "odd.hdf5"
    with HDF5DatasetWriter(IMAGES.shape, path, encoding="jpeg") as writer:
        writer.add(IMAGES, np.arange(6) % 2)
    with h5py.File(path, "r+") as file:
        file.attrs[name] = value
    try:
        shape = read_header(path).shape
    except UserError as error:
        shape = str(error)
    assert shape == IMAGES.shape or str(path) in shape


def test_bits_flipped_anywhere_never_crash_the_reader(tmp_path):
    """A seeded run over the structure of a small file; every outcome is a UserError or a read."""
    path, rng = tmp_path / "flipped.hdf5", np.random.default_rng(0)
    with HDF5DatasetWriter(IMAGES.shape, path) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(IMAGES, np.arange(6) % 2, [f"{i}.jpg" for i in range(6)])
    sound, outcomes = path.read_bytes(), {"read": 0, "refused": 0}
    for _ in range(150):
        content = bytearray(sound)
        content[int(rng.integers(0, len(content)))] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(content)
        try:
            try_in_sandbox(path)  # as those who describe or convert a file do; HDF5 itself may crash
            loader = BatchLoader(path, 6, dtype="uint8")
            loader.batch(0, 0)
            loader.close()
            outcomes["read"] += 1
        except UserError:
            outcomes["refused"] += 1
    assert sum(outcomes.values()) == 150
    assert min(outcomes.values()) > 0


@pytest.mark.parametrize("error", [AttributeError, TypeError, IndexError, ZeroDivisionError])
def test_our_own_mistakes_are_not_taken_for_damage(write_dataset, monkeypatch, error):
    path = write_dataset(IMAGES)

    def mistake(*_):
        raise error("a mistake of ours")

    monkeypatch.setattr(header, "_class_indexes", mistake)
    with pytest.raises(error, match="a mistake of ours"):
        read_header(path)


def test_a_dataset_that_the_sandbox_does_not_open_is_not_opened_at_all(write_dataset):
    with h5py.File(write_dataset(IMAGES)) as file, pytest.raises(AssertionError, match="other"):
        open_dataset(file, "other")


@pytest.mark.parametrize("name", ["labels", "images"])
def test_types_that_h5py_does_not_know_are_damage(tmp_path, name):
    with labelled(tmp_path / "odd.hdf5") as file:
        file["images"] = IMAGES
        del file[name]
        space = h5py.h5s.create_simple((6,))
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.UNIX_D32LE, space)
    with pytest.raises(UserError, match=f"{name} cannot be read .No NumPy equivalent"):
        read_header(tmp_path / "odd.hdf5")
