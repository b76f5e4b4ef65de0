import os

import h5py
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.listing import FILTERS, read_listing
from pyimagesearch.io.foreign.opening import find, find_dataset, open_foreign
from pyimagesearch.io.foreign.plan import Choices
from pyimagesearch.io.foreign.recognition import plan_file
from tests.io.foreign.pictures import N, classes, pictures


def listed(path, **options):
    with open_foreign(path) as file:
        return read_listing(file, **options)


def test_datasets_are_listed_with_what_is_known_of_them(make):
    datasets = {"a/x": pictures(), "y": classes(), "s": ["cat"]}
    path = make(datasets, {"a": {"made": np.bytes_(b"now")}}, compression="gzip")
    listing = listed(path)
    assert list(map(str, listing.datasets)) == ["a/x (20, 8, 6, 3) uint8", "s (1,) text", "y (20,) int64"]
    entry = listing.get("/a/x")
    assert (entry.kind, entry.filters, entry.problem) == ("u", ("gzip",), "")
    assert listing.groups == {"a": {"made": "now"}}


def test_a_soft_link_within_the_file_is_followed(make, read):
    path = make({"raw/pixels": pictures(), "raw/classes": classes()})
    with h5py.File(path, "a") as file:
        file["images"] = h5py.SoftLink("/raw/pixels")
        file["labels"] = h5py.SoftLink("raw/classes")
    np.testing.assert_array_equal(read(path)[1], pictures())


def test_links_that_lead_nowhere_are_named(make):
    path = make({"x": pictures()})
    with h5py.File(path, "a") as file:
        file["circle"] = h5py.SoftLink("/circle")
        file["gone"] = h5py.SoftLink("/nothing")
        file["out"] = h5py.ExternalLink("other.h5", "/x")
        file["around"] = h5py.SoftLink("/out/x")
    problems = {entry.path: entry.problem for entry in listed(path).datasets}
    assert problems == {
        "x": "", "circle": "leads in a circle", "gone": "leads to nothing",
        "out": "leads to another file, other.h5:/x", "around": "leads to another file, other.h5:/x",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["images", "labels"])
def test_data_in_other_files_are_refused(make, name):
    make({"data": pictures()}, name="other.h5")
    datasets = {"images": pictures(), "labels": classes()}
    datasets.pop(name)
    path = make(datasets)
    with h5py.File(path, "a") as file:
        file[name] = h5py.ExternalLink("other.h5", "/data")
    with pytest.raises(UserError, match=rf"{name} leads to another file, other\.h5:/data"):
        plan_file(path)
    with pytest.raises(UserError, match="leads to another file"):
        plan_file(path, Choices(images="images", labels="labels"))


def test_external_storage_is_refused(make, tmp_path):
    path = make({"y": classes()})
    (tmp_path / "raw").write_bytes(pictures().tobytes())
    with h5py.File(path, "a") as file:
        file.create_dataset("X", (N, 8, 6, 3), np.uint8, external=[(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)])
    with pytest.raises(UserError, match=r"X keeps its data in another file, .*raw"):
        plan_file(path)


def virtual(make, tmp_path, source="part.h5", key="X", rows=N):
    make({"X": pictures()[:rows]}, name="part.h5")
    layout = h5py.VirtualLayout((N, 8, 6, 3), np.uint8)
    layout[:rows] = h5py.VirtualSource(str(source), key, (rows, 8, 6, 3))
    path = make({"y": classes()})
    with h5py.File(path, "a") as file:
        file.create_virtual_dataset("X", layout)
    return path


def test_a_virtual_dataset_reads_its_sources(make, read, tmp_path):
    np.testing.assert_array_equal(read(virtual(make, tmp_path))[1], pictures())


def test_a_virtual_dataset_without_its_source_is_refused(make, tmp_path):
    path = virtual(make, tmp_path)
    os.unlink(tmp_path / "part.h5")
    with pytest.raises(UserError, match=r"X takes its data from part\.h5, which is missing; put that file beside"):
        plan_file(path)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"key": "Y"}, r"takes its data from part\.h5:Y, which is missing"),
        ({"rows": 10}, "takes 1,440 of its 2,880 values from other datasets; the rest has no source"),
        ({"source": "../part.h5"}, r"takes its data from \.\./part\.h5, outside its own folder"),
    ],
)
def test_other_virtual_datasets_are_refused(make, tmp_path, options, match):
    with pytest.raises(UserError, match=match):
        plan_file(virtual(make, tmp_path, **options))


def test_a_pattern_of_sources_is_refused(make):
    path = make({"y": classes()})
    whole = h5py.h5s.create_simple((N, 8, 6, 3), (h5py.h5s.UNLIMITED, 8, 6, 3))
    part = h5py.h5s.create_simple((1, 8, 6, 3))
    whole.select_hyperslab((0, 0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1, 1), (1, 8, 6, 3), (1, 8, 6, 3))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_virtual(whole, b"part%b.h5", b"X", part)
    with h5py.File(path, "a") as file:
        space = h5py.h5s.create_simple((N, 8, 6, 3), (h5py.h5s.UNLIMITED, 8, 6, 3))
        h5py.h5d.create(file.id, b"X", h5py.h5t.NATIVE_UINT8, space, properties)
    with pytest.raises(UserError, match=r"files by a pattern, part%b\.h5; copy it into one dataset"):
        plan_file(path)


def test_a_source_that_shrank_is_refused(make, tmp_path):
    path = virtual(make, tmp_path)
    make({"X": pictures()[:3]}, name="part.h5")
    with pytest.raises(UserError, match=r"part\.h5:X, which has shape \(3, 8, 6, 3\), too small"):
        plan_file(path)


def with_filter(path, code):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((1, 8, 6, 3))
    properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(path, "a") as file:
        space = h5py.h5s.create_simple((N, 8, 6, 3))
        h5py.h5d.create(file.id, b"X", h5py.h5t.NATIVE_UINT8, space, properties)
        file["X"][:] = pictures()


@pytest.mark.parametrize("code", [32001, 32004, 32008, 32015, 32026])
def test_a_filter_that_is_missing_is_named_with_its_cure(make, code, monkeypatch):
    if h5py.h5z.filter_avail(code):
        pytest.skip("hdf5plugin is installed")
    path = make({"y": classes()})
    with_filter(path, code)
    monkeypatch.setitem(__import__("sys").modules, "hdf5plugin", None)
    with pytest.raises(UserError, match=f"X is compressed by {FILTERS[code]}, which .*: pip install hdf5plugin"):
        plan_file(path)


def test_an_unknown_filter_is_named_by_its_number(make):
    path = make({"y": classes()})
    with_filter(path, 40_000)
    with pytest.raises(UserError, match=r"X is compressed by filter 40000, .*HDF5_PLUGIN_PATH"):
        plan_file(path)


@pytest.mark.parametrize("name", ["Zstd", "LZ4", "Bitshuffle", "Blosc", "Blosc2"])
def test_filters_of_hdf5plugin_are_used_where_it_is_there(make, read, name):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    path = make({"X": pictures(), "y": classes()}, **getattr(hdf5plugin, name)())
    np.testing.assert_array_equal(read(path)[1], pictures())


def test_a_file_that_is_open_elsewhere_in_the_process_is_read(make, read):
    path = make({"X": pictures(), "y": classes()})
    with h5py.File(path):
        np.testing.assert_array_equal(read(path)[1], pictures())
    with h5py.File(path, "a"):
        np.testing.assert_array_equal(read(path)[1], pictures())


def test_the_listing_is_bounded(make):
    path = make({f"{i:02}": classes(2) for i in range(30)})
    listing = listed(path, most=10)
    assert len(listing.datasets) == 10
    assert not listing.complete


def test_groups_in_a_circle_end(make):
    path = make({"a/x": classes()})
    with h5py.File(path, "a") as file:
        file["a/again"] = file["a"]
    assert [entry.path for entry in listed(path).datasets] == ["a/x"]


def test_attributes_of_any_type_are_read(make):
    values = {"a": b"x", "b": np.bytes_(b"caf\xe9"), "c": "y", "d": np.array(["z"], h5py.string_dtype()), "e": 3}
    path = make({"X": pictures()}, {"X": {**values, "long": np.arange(1000), "empty": h5py.Empty("S1")}})
    attributes = listed(path).get("X").attributes
    assert attributes == {"a": "x", "b": "café", "c": "y", "d": "z", "e": 3, "long": None, "empty": ""}


def test_paths_are_found_and_refused(make):
    with open_foreign(make({"a/x": classes()})) as file:
        assert isinstance(find(file, "a"), h5py.Group)
        assert find_dataset(file, "/a//x").shape == (N,)
        with pytest.raises(UserError, match=r"a must be a dataset of .* itself; it is a group"):
            find_dataset(file, "a")
        with pytest.raises(UserError, match=r"a/x/y must be a dataset of .* itself; it leads to nothing"):
            find(file, "a/x/y")
