import h5py
import numpy as np
import pytest

from pyimagesearch.building.packing import pack
from pyimagesearch.cluster.tasks import Work
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.images.decoding import UnreadableImageError
from pyimagesearch.preprocessing import SimplePreprocessor

SIZE = 16


@pytest.mark.parametrize("threads", [1, 3])
def test_images_are_decoded_resized_and_stored_in_order(tmp_path, images, pixels, threads):
    with HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5") as writer:
        pack(images, writer, SimplePreprocessor(SIZE, SIZE), work=Work(threads))
    with h5py.File(tmp_path / "a.hdf5") as file:
        np.testing.assert_array_equal(file["images"][:], pixels)
        np.testing.assert_array_equal(file["labels"][:], images.labels)
        assert file["paths"].asstr()[:].tolist() == images.paths


def test_a_jpeg_file_of_the_right_size_is_stored_as_it_is(tmp_path, images):
    with HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5", encoding="jpeg") as writer:
        pack(images, writer, SimplePreprocessor(SIZE, SIZE))
    row = images.paths.index("cat.11.jpg")
    with h5py.File(tmp_path / "a.hdf5") as file:
        begin, end = file["jpeg_ends"][row - 1 : row + 1].tolist()
        stored = file["jpeg"][begin:end].tobytes()
    assert stored == (images.root / "cat.11.jpg").read_bytes()


def test_an_unreadable_image_is_an_error(tmp_path, folder, images):
    (folder / "dog.06.png").write_bytes(b"")
    bad = pytest.raises(UnreadableImageError, match=r"dog\.06\.png cannot be read: the file is empty")
    with bad, HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5") as writer:
        pack(images, writer, SimplePreprocessor(SIZE, SIZE))
