import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.building.packing import SplitBuilder, pack
from pyimagesearch.building.scanning import scan
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter, label_from_name
from pyimagesearch.io.images.decoding import Decoding, UnreadableImageError
from pyimagesearch.io.images.folder import list_image_folder
from pyimagesearch.preprocessing import SimplePreprocessor

SIZE = 16


@pytest.fixture
def folder(tmp_path, rng):
    """Twelve images of different sizes; the last one has the size that is stored."""
    (tmp_path / "images").mkdir()
    for i in range(12):
        height, width = (SIZE, SIZE) if i == 11 else (20 + i, 40 - i)
        pixels = cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (width, height))
        name = f"{'cat' if i % 3 else 'dog'}.{i:02}.{'png' if i % 2 == 0 else 'jpg'}"
        cv2.imwrite(str(tmp_path / "images" / name), pixels)
    return tmp_path / "images"


@pytest.fixture
def images(folder):
    return list_image_folder(folder, label_from_name)


def pixels_of(images):
    return np.stack(
        [SimplePreprocessor(SIZE, SIZE).preprocess(cv2.imread(str(images.root / path))) for path in images.paths]
    )


class TestPack:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_images_are_decoded_resized_and_stored_in_order(self, tmp_path, images, threads):
        with HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5") as writer:
            pack(images, writer, SimplePreprocessor(SIZE, SIZE), threads, "Packing")
        with h5py.File(tmp_path / "a.hdf5") as file:
            np.testing.assert_array_equal(file["images"][:], pixels_of(images))
            np.testing.assert_array_equal(file["labels"][:], images.labels)
            assert file["paths"].asstr()[:].tolist() == images.paths

    def test_a_jpeg_file_of_the_right_size_is_stored_as_it_is(self, tmp_path, images):
        with HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5", encoding="jpeg") as writer:
            pack(images, writer, SimplePreprocessor(SIZE, SIZE), 2, "Packing")
        row = images.paths.index("cat.11.jpg")
        with h5py.File(tmp_path / "a.hdf5") as file:
            begin, end = file["jpeg_ends"][row - 1 : row + 1].tolist()
            stored = file["jpeg"][begin:end].tobytes()
        assert stored == (images.root / "cat.11.jpg").read_bytes()

    def test_an_unreadable_image_is_an_error(self, tmp_path, folder, images):
        (folder / "dog.06.png").write_bytes(b"")
        bad = pytest.raises(UnreadableImageError, match=r"dog\.06\.png cannot be read: the file is empty")
        with bad, HDF5DatasetWriter((12, SIZE, SIZE, 3), tmp_path / "a.hdf5") as writer:
            pack(images, writer, SimplePreprocessor(SIZE, SIZE), 2, "Packing")


class TestFindUnreadable:
    def test_good_images_are_not_found(self, images):
        assert scan(images, ThisProcess(2), "Checking", Decoding())[1] == {}

    def test_bad_ones_are_found_with_their_reasons(self, folder, images):
        (folder / images.paths[3]).write_bytes(b"")
        (folder / images.paths[9]).unlink()
        found = scan(images, ThisProcess(2), "Checking", Decoding())[1]
        assert sorted(found) == [3, 9]
        assert "empty" in found[3]
        assert "No such file" in found[9]


class TestSplitBuilder:
    ROWS = {"train": np.array([0, 1, 4, 6, 8, 9, 11]), "test": np.array([2, 3, 5, 7, 10])}

    def builder(self, images, **changes):
        options = {"encoding": "raw", "quality": 90, "buf_size": 2, "threads": 2, **changes}
        return SplitBuilder(images, self.ROWS, SimplePreprocessor(SIZE, SIZE), Decoding(), **options)

    def paths(self, folder):
        return {name: folder / f"{name}.hdf5" for name in self.ROWS}

    def test_each_split_gets_its_file_and_its_means(self, tmp_path, images):
        paths = self.paths(tmp_path)
        means = self.builder(images).build(paths, overwrite=False, resume=False)
        pixels = pixels_of(images)
        for name, rows in self.ROWS.items():
            with h5py.File(paths[name]) as file:
                np.testing.assert_array_equal(file["images"][:], pixels[rows])
                np.testing.assert_array_equal(file["labels"][:], images.labels[rows])
                assert file["label_names"].asstr()[:].tolist() == ["cat", "dog"]
                assert file.attrs["build"] == self.builder(images).mark
            np.testing.assert_allclose(means[name], pixels[rows].mean(axis=(0, 1, 2)), rtol=1e-12)

    def test_all_unreadable_images_are_named_and_no_file_is_left(self, tmp_path, folder, images):
        (folder / images.paths[1]).write_bytes(b"text")
        (folder / images.paths[10]).write_bytes(b"")
        names = [images.paths[row].replace(".", r"\.") for row in (1, 10)]
        message = (
            rf"dataset: 2 of 12 images in .* cannot be read: {names[0]} \(its content is no image .*\); "
            rf"{names[1]} \(the file is empty \(0 bytes\)\); mend or remove them, .*--on-error skip"
        )
        with pytest.raises(UserError, match=message):
            self.builder(images).build(self.paths(tmp_path), overwrite=False, resume=False)
        assert list(tmp_path.glob("*.hdf5*")) == []

    def test_the_message_stays_short(self, tmp_path, folder, images):
        for path in images.paths:
            (folder / path).write_bytes(b"")
        with pytest.raises(UserError, match=r"12 of 12 images .*\) and \d+ more; mend or remove") as caught:
            self.builder(images).build(self.paths(tmp_path), overwrite=False, resume=False)
        named = sum(path in str(caught.value) for path in images.paths)
        assert f"and {12 - named} more" in str(caught.value)

    def test_other_treatment_is_another_build(self, images):
        assert self.builder(images).mark == self.builder(images, threads=1, buf_size=5).mark
        assert self.builder(images).mark != self.builder(images, encoding="jpeg").mark
        jpegs = {self.builder(images, encoding="jpeg", quality=quality).mark for quality in (80, 90)}
        assert len(jpegs) == 2

    @pytest.mark.parametrize("encoding", ["raw", "jpeg"])
    @pytest.mark.parametrize("stop_at", [1, 4, 9])
    def test_a_build_stopped_by_ctrl_c_can_go_on(self, tmp_path, images, encoding, stop_at):
        class Stopped(SimplePreprocessor):
            calls = 0

            def preprocess(self, image):
                Stopped.calls += 1
                if Stopped.calls > stop_at:
                    raise KeyboardInterrupt
                return super().preprocess(image)

        Stopped.__name__ = "SimplePreprocessor"
        options = {"encoding": encoding, "quality": 90, "buf_size": 2, "threads": 1}
        paths = self.paths(tmp_path)
        stopped = SplitBuilder(images, self.ROWS, Stopped(SIZE, SIZE), Decoding(), **options)
        with pytest.raises(KeyboardInterrupt):
            stopped.build(paths, overwrite=False, resume=False)
        assert list(tmp_path.glob("*.hdf5")) == []
        means = self.builder(images, encoding=encoding).build(paths, overwrite=False, resume=True)

        (tmp_path / "fresh").mkdir()
        fresh = self.paths(tmp_path / "fresh")
        expected = self.builder(images, encoding=encoding).build(fresh, overwrite=False, resume=False)
        for name in self.ROWS:
            assert paths[name].read_bytes() == fresh[name].read_bytes()
            np.testing.assert_array_equal(means[name], expected[name])

    def test_resuming_a_finished_build_changes_nothing(self, tmp_path, images):
        paths = self.paths(tmp_path)
        means = self.builder(images).build(paths, overwrite=False, resume=False)
        before = {name: path.stat().st_mtime_ns for name, path in paths.items()}
        again = self.builder(images).build(paths, overwrite=False, resume=True)
        assert {name: path.stat().st_mtime_ns for name, path in paths.items()} == before
        for name in self.ROWS:
            np.testing.assert_array_equal(again[name], means[name])

    def test_files_of_another_build_are_not_gone_on_with(self, tmp_path, images):
        paths = self.paths(tmp_path)
        self.builder(images, encoding="jpeg").build(paths, overwrite=False, resume=False)
        with pytest.raises(UserError, match=r"--resume: .*hdf5 exists and comes from another build, .*--force"):
            self.builder(images).build(paths, overwrite=False, resume=True)
