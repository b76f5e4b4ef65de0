"""Bits that flip on disk: found, named, and never taken for another row."""

import cv2
import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import HDF5DatasetWriter
from pyimagesearch.io.__main__ import main
from pyimagesearch.io.batching.batchloader import BatchLoader
from pyimagesearch.io.inspection import damaged_rows

ROWS, SHAPE = 40, (16, 16, 3)


def make(path, encoding):
    if encoding == "features":
        with HDF5DatasetWriter((ROWS, 24), path, "features") as writer:
            writer.store_class_labels(["cat", "dog"])
            names = [f"images/{i:03}.jpg" for i in range(ROWS)]
            writer.add(np.random.default_rng(3).normal(size=(ROWS, 24)), np.arange(ROWS) % 2, names)
        return path
    images = np.random.default_rng(3).integers(0, 256, (ROWS, 4, 4, 3), np.uint8)
    images = np.stack([cv2.resize(image, SHAPE[:2]) for image in images])
    with HDF5DatasetWriter((ROWS, *SHAPE), path, encoding=encoding) as writer:
        writer.store_class_labels(["cat", "dog"])
        writer.add(images, np.arange(ROWS) % 2, [f"images/{i:03}.jpg" for i in range(ROWS)])
    return path


def places(path, name):
    """Return where each row's part of a dataset begins in the file, and where the last one ends."""
    with h5py.File(path) as file:
        if name == "rows" and "jpeg" in file:
            return file["jpeg"].id.get_offset() + np.concatenate(([0], file["jpeg_ends"][:].astype(np.int64)))
        rows = "images" if "images" in file else "features"
        dataset = file[rows if name == "rows" else name]
        return dataset.id.get_offset() + np.arange(ROWS + 1) * (dataset.nbytes // ROWS)


def flips(path, name, chance, count):
    """Flip one bit of the part of a random row; yield the row, and mend the file."""
    whole, ends = path.read_bytes(), places(path, name)
    for _ in range(count):
        row = chance.randrange(ROWS)
        content = bytearray(whole)
        content[chance.randrange(ends[row], ends[row + 1])] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        yield row
    path.write_bytes(whole)


def found(path):
    """Return the damaged rows, or what was said instead of them."""
    try:
        return damaged_rows(path).tolist()
    except UserError as error:
        return str(error)


def read_rows(path):
    """Return each row's image, or None where it is an error."""
    try:
        loader = BatchLoader(path, 4, dtype=None if path.name == "features.hdf5" else "uint8", threads=1)
    except UserError:
        return [None] * ROWS
    images = []
    for row in range(ROWS):
        try:
            images.append(loader.images(0, np.array([row]))[0])
        except UserError:
            images.append(None)
    loader.close()
    return images


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "features"])
@pytest.mark.parametrize("part", ["rows", "labels", "paths", "checksums", "channel_sums"])
def test_every_flipped_bit_is_found_and_its_row_named(tmp_path, faults, chance, tally, encoding, part):
    if (encoding, part) == ("features", "channel_sums"):
        pytest.skip("features have no channels")
    path = make(tmp_path / f"{encoding}.hdf5", encoding)
    right = read_rows(path)
    assert found(path) == []
    missed = []
    for row in flips(path, part, chance, 10 * faults):
        tally.strike()
        what = found(path)
        named = what == [row] or (isinstance(what, str) and f"row {row} " in what)
        if not named:
            missed.append((row, what))
        for number, image in enumerate(read_rows(path)):
            if number != row:
                assert image is None or (image == right[number]).all()
            elif image is not None:
                others = [other for place, other in enumerate(right) if place != row]
                assert not any((image == other).all() for other in others)
        tally.survive(named)
    assert not missed, f"{len(missed)} of {tally.tried} not named, as row {missed[0][0]}: {missed[0][1]}"


def test_flipped_ends_of_jpeg_images_are_found_and_read_no_other_row(tmp_path, faults, chance, tally):
    path = make(tmp_path / "data.hdf5", "jpeg")
    right = read_rows(path)
    for row in flips(path, "jpeg_ends", chance, 10 * faults):
        tally.strike()
        what = found(path)
        assert isinstance(what, str) or row in what
        assert isinstance(what, str) or set(what) <= {row, row + 1}
        for number, image in enumerate(read_rows(path)):
            if number not in (row, row + 1):
                assert image is None or (image == right[number]).all()
            elif image is not None:
                others = [other for place, other in enumerate(right) if place != number]
                assert not any((image == other).all() for other in others)
        tally.survive()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_the_command_names_the_rows_that_rotted(tmp_path, chance, tally, encoding):
    path = make(tmp_path / "data.hdf5", encoding)
    for row in flips(path, "rows", chance, 3):
        tally.strike()
        with pytest.raises(UserError, match=f"data.hdf5: rows {row};"):
            main(["--verify", str(path)])
        tally.survive()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_bit_that_flips_anywhere_crashes_nothing(tmp_path, run_program, faults, tally, encoding):
    """Of the structure of HDF5 itself too, in processes of their own: an error or the right rows."""
    path = make(tmp_path / "data.hdf5", encoding)
    report = run_program("flip_structure.py", path, 20 * faults, timeout=60 + 5 * faults)
    tried, survived, seen = report.splitlines()[-1].split(maxsplit=2)
    tally.strike(int(tried))
    tally.survive(int(survived))
    assert (int(tried), survived, seen) == (20 * faults, tried, "[]")


def save_network(path):
    import keras

    from pyimagesearch.nn.modelfile import Position, Preparation, load_model, save_model

    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    described = Preparation(8, 8, "BGR", dict.fromkeys("RGB", 100.0), ["cat", "dog"])
    save_model(keras.Sequential(layers), path, described, Position())

    def read():
        model, preparation = load_model(path)
        return [weights.tolist() for weights in model.get_weights()], preparation

    return read


def save_classifier(path):
    from sklearn.linear_model import LogisticRegression

    from pyimagesearch.ml import Classifier

    features = np.random.default_rng(0).normal(size=(40, 5))
    Classifier(LogisticRegression().fit(features, ["cat", "dog"] * 20), "{}").save(path)

    def read():
        found = Classifier.load(path)
        return found.estimator.coef_.tolist(), found.estimator.intercept_.tolist(), found.label_names, found.recipe

    return read


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("save", [save_network, save_classifier])
def test_a_model_of_which_a_bit_flipped_is_refused_or_the_same(tmp_path, faults, chance, tally, save):
    path = tmp_path / ("model.keras" if save is save_network else "model.skops")
    read = save(path)
    right, whole = read(), path.read_bytes()
    for _ in range(10 * faults):
        tally.strike()
        content = bytearray(whole)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        found, said = None, ""
        try:
            found = read()
        except UserError as error:
            said = str(error)
        assert found == right or path.name in said
        tally.survive()
