import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.building.splitbuilder import SplitBuilder, number_of_shards
from pyimagesearch.cluster.thisprocess import ThisProcess
from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import list_image_folder
from pyimagesearch.preprocessing import SimplePreprocessor

SIZE = 16
ROWS = {"train": np.array([0, 1, 4, 6, 8, 9, 11]), "test": np.array([2, 3, 5, 7, 10])}


def builder(images, **changes):
    options = {"buf_size": 2, "cluster": ThisProcess(2), **changes}
    return SplitBuilder(images, ROWS, SimplePreprocessor(SIZE, SIZE), Decoding(), **options)


def paths_in(folder):
    return {name: folder / f"{name}.hdf5" for name in ROWS}


def test_each_split_gets_its_file_and_its_means(tmp_path, images, pixels):
    paths = paths_in(tmp_path)
    built = builder(images).build(paths)
    for name, rows in ROWS.items():
        with h5py.File(paths[name]) as file:
            np.testing.assert_array_equal(file["images"][:], pixels[rows])
            np.testing.assert_array_equal(file["labels"][:], images.labels[rows])
            assert file["label_names"].asstr()[:].tolist() == ["cat", "dog"]
            assert file.attrs["build"] == builder(images).mark
        assert built[name].images == len(rows)
        np.testing.assert_allclose(built[name].means, pixels[rows].mean(axis=(0, 1, 2)), rtol=1e-12)


def test_all_unreadable_images_are_named_and_no_file_is_left(tmp_path, folder, images):
    (folder / images.paths[1]).write_bytes(b"text")
    (folder / images.paths[10]).write_bytes(b"")
    names = [images.paths[row].replace(".", r"\.") for row in (1, 10)]
    message = (
        rf"dataset: 2 of 12 images in .* cannot be read: {names[0]} \(its content is no image .*\); "
        rf"{names[1]} \(the file is empty \(0 bytes\)\); repair or remove them, .*on_error=.skip"
    )
    with pytest.raises(UserError, match=message):
        builder(images).build(paths_in(tmp_path))
    assert list(tmp_path.glob("*.hdf5*")) == []


def test_the_message_stays_short(tmp_path, folder, images):
    for path in images.paths:
        (folder / path).write_bytes(b"")
    with pytest.raises(UserError, match=r"12 of 12 images .*\) and \d+ more; repair or remove") as caught:
        builder(images).build(paths_in(tmp_path))
    named = sum(path in str(caught.value) for path in images.paths)
    assert f"and {12 - named} more" in str(caught.value)


def test_other_treatment_is_another_build(images):
    assert builder(images).mark == builder(images, cluster=ThisProcess(1), buf_size=5).mark
    assert builder(images).mark != builder(images, encoding="jpeg").mark
    jpegs = {builder(images, encoding="jpeg", quality=quality).mark for quality in (80, 90)}
    assert len(jpegs) == 2


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_a_build_that_ctrl_c_interrupts_can_be_resumed(tmp_path, images, encoding, stop_at):
    class Stopped(SimplePreprocessor):
        calls = 0

        def preprocess(self, image):
            Stopped.calls += 1
            if Stopped.calls > stop_at:
                raise KeyboardInterrupt
            return super().preprocess(image)

    Stopped.__name__ = "SimplePreprocessor"
    options = {"encoding": encoding, "buf_size": 2, "cluster": ThisProcess(1)}
    paths = paths_in(tmp_path)
    stopped = SplitBuilder(images, ROWS, Stopped(SIZE, SIZE), Decoding(), **options)
    with pytest.raises(KeyboardInterrupt):
        stopped.build(paths)
    assert list(tmp_path.glob("*.hdf5")) == []
    resumed = builder(images, encoding=encoding).build(paths, resume=True)

    (tmp_path / "fresh").mkdir()
    fresh = paths_in(tmp_path / "fresh")
    expected = builder(images, encoding=encoding).build(fresh)
    for name in ROWS:
        assert paths[name].read_bytes() == fresh[name].read_bytes()
        np.testing.assert_array_equal(resumed[name].means, expected[name].means)


def test_resuming_a_finished_build_changes_nothing(tmp_path, images):
    paths = paths_in(tmp_path)
    built = builder(images).build(paths)
    before = {name: path.stat().st_mtime_ns for name, path in paths.items()}
    again = builder(images).build(paths, resume=True)
    assert {name: path.stat().st_mtime_ns for name, path in paths.items()} == before
    for name in ROWS:
        np.testing.assert_array_equal(again[name].means, built[name].means)


def test_files_of_another_build_are_not_resumed(tmp_path, images):
    paths = paths_in(tmp_path)
    builder(images, encoding="jpeg").build(paths)
    with pytest.raises(UserError, match=r"resume: .*hdf5 exists and comes from another build, .*overwrite=True"):
        builder(images).build(paths, resume=True)


def test_the_number_of_shards_is_asked_for_or_goes_by_rows_on_a_cluster():
    here, elsewhere = ThisProcess(1), ThisProcess(1)
    elsewhere.elsewhere = True
    assert number_of_shards(7, 10**6, here) == number_of_shards(7, 10, elsewhere) == 7
    assert number_of_shards(None, 10**6, here) == 1
    assert [number_of_shards(None, rows, elsewhere) for rows in (1, 2048, 2049, 10**9)] == [1, 1, 2, 1024]


class TestRemarks:
    """Stored pixels that look wrong are reported, with the argument that helps."""

    @staticmethod
    def build(folder, decoding, caplog):
        images = list_image_folder(folder, label_from_name)
        rows = {"train": np.arange(4), "val": np.arange(4, 6)}
        builder = SplitBuilder(images, rows, SimplePreprocessor(8, 8), decoding)
        built = builder.build({name: folder / f"{name}.hdf5" for name in rows}, overwrite=True)
        return built["train"], caplog.text

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    def test_gray_images(self, tmp_path, caplog, rng, suffix):
        for i in range(6):
            cv2.imwrite(str(tmp_path / f"{'ab'[i % 2]}.{i}.{suffix}"), rng.integers(0, 256, (9, 9), np.uint8))
        _, text = self.build(tmp_path, Decoding(3), caplog)
        assert "all images are gray: with channels=1 files are a third as large" in text
        caplog.clear()
        assert not self.build(tmp_path, Decoding(1), caplog)[1]

    def test_dark_images_of_twelve_bits(self, tmp_path, caplog, rng):
        for i in range(6):
            image = rng.integers(0, 4096, (9, 9, 3), np.uint16)
            cv2.imwrite(str(tmp_path / f"{'ab'[i % 2]}.{i}.png"), image)
        split, text = self.build(tmp_path, Decoding(3), caplog)
        assert split.means.max() < 16
        assert "16-bit images use values up to 4,095 only and become dark: max_value=4095 mends it" in text
        caplog.clear()
        split, text = self.build(tmp_path, Decoding(3, max_value=4095), caplog)
        assert split.means.min() > 100
        assert not text
