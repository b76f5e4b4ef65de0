import pickle
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import StorageError, UserError
from pyimagesearch.features.imagesource import open_images
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images import remotefolder
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.decoding import UnreadableImageError, read_file, read_files
from pyimagesearch.io.images.remotefolder import RemoteFolder, check_shared, is_remote, reading_threads
from pyimagesearch.preprocessing import SimplePreprocessor
from tests.io.images.remote.webserver import NAMES, OTHERS, body, status

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


class TestAStore:
    def test_it_gives_what_a_copy_of_its_folder_gives(self, memory, folder):
        memory({f"/a/pets/{name}": (folder / name).read_bytes() for name in [*NAMES, *OTHERS]})
        memory({"/a/petshop/cat.jpg": b""})
        remote, local = list_images("memory://a/pets", label_from_name), list_images(folder, label_from_name)
        assert remote[1:2] + remote[3:] == local[1:2] + local[3:]
        np.testing.assert_array_equal(remote.labels, local.labels)
        assert [read_file(remote.root / name) for name in remote.paths] == [name.encode() for name in local.paths]

    def test_a_copy_in_another_process_would_read_the_same(self, memory):
        memory({"/pets/cat.jpg": b"cat"})
        file = RemoteFolder("memory://pets") / "cat.jpg"
        assert file.read() == pickle.loads(pickle.dumps(file)).read() == b"cat"

    @pytest.mark.parametrize("name", ["../cat.jpg", "a/../../cat.jpg", "/etc/cat.jpg", "a//cat.jpg", "./cat.jpg"])
    def test_names_that_may_lead_elsewhere_are_refused(self, monkeypatch, name):
        monkeypatch.setattr(RemoteFolder, "names", lambda self: ["dog.jpg", name])
        with pytest.raises(UserError, match=rf"dataset: names of images in s3://b must have no empty part .* '{name}'"):
            list_images("s3://b", label_from_name)

    def test_a_store_that_is_busy_is_asked_again(self, web, monkeypatch):
        pytest.importorskip("s3fs")
        for name, value in {"ENDPOINT_URL": web.url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setattr("botocore.retryhandler.random", SimpleNamespace(random=lambda: 0))  # no pauses
        root = RemoteFolder("s3://bucket/pets")
        web.answers = {
            "/bucket/pets/late.jpg": [status(503), status(500), body(b"whole", 5)],
            "/bucket/pets/ill.jpg": [status(500)],
            "/bucket/pets/busy.jpg": [status(503)],
        }
        assert read_file(root / "late.jpg") == b"whole"
        assert len(web.requests) == 3
        with pytest.raises(UnreadableImageError, match=r"s3://bucket/pets/ill\.jpg cannot be read: "):
            read_file(root / "ill.jpg")
        with pytest.raises(
            StorageError, match=r"dataset: s3://bucket/pets cannot be used: .*; check the URL, the network"
        ):
            read_file(root / "busy.jpg")
        assert len(web.requests) == 3 + 5 + 5

    def test_large_files_are_refused_unread_also_by_a_copy(self, memory, monkeypatch):
        memory({"/pets/cat.jpg": bytes(101), "/pets/dog.jpg": bytes(100)})
        monkeypatch.setattr(remotefolder, "MAX_BYTES", 100)
        root = list_images("memory://pets", label_from_name).root
        for folder in (root, pickle.loads(pickle.dumps(root))):
            assert read_file(folder / "dog.jpg") == bytes(100)
            with pytest.raises(
                UnreadableImageError, match=r"cat\.jpg cannot be read: it has 101 bytes, more than 100$"
            ):
                read_file(folder / "cat.jpg")

    def test_a_list_is_searched_for_as_on_this_machine(self, memory):
        memory({"/a/train/0.jpg": b"", "/a/train/1.jpg": b"", "/a/labels.csv": b"id,breed\n0,pug\n1,beagle\n"})
        images = list_images("memory://a/labels.csv", label_from_name)
        assert (images.paths, images.label_names) == (["train/0.jpg", "train/1.jpg"], ["beagle", "pug"])
        memory({"/a/labels.csv": b"id,breed\n0,pug\n../2,beagle\n"})
        with pytest.raises(UserError, match="line 3: images must lie below the folder of the list"):
            list_images("memory://a/labels.csv", label_from_name)

    def test_images_by_number_are_read_ahead_together(self, memory, rng):
        images = rng.integers(0, 256, (4, 9, 8, 3), np.uint8)
        names = ["cat.0.png", "cat.1.png", "dog.0.png", "dog.1.png"]
        memory({f"/pets/{n}": cv2.imencode(".png", i)[1].tobytes() for n, i in zip(names, images, strict=True)})
        source = open_images("memory://pets", label_from_name, threads=1)
        resize = SimplePreprocessor(4, 4)
        expected = [resize.preprocess(images[row]) for row in (3, 1, 0)]
        np.testing.assert_array_equal(source.read(np.array([3, 1, 0]), resize), expected)
        source.close()

    def test_files_are_read_together_in_order_up_to_the_first_that_cannot_be(self, memory):
        memory({f"/pets/{number}": str(number).encode() for number in range(9)})
        root = RemoteFolder("memory://pets")
        assert list(read_files([root / str(number) for number in range(9)])) == [b"%d" % n for n in range(9)]
        files = read_files([root / "3", root / "none", root / "4"])
        assert next(files) == b"3"
        with pytest.raises(UnreadableImageError, match="memory://pets/none cannot be read: it does not exist"):
            next(files)

    def test_the_memory_of_one_process_is_not_that_of_others(self):
        with pytest.raises(
            UserError, match=r"cluster: its workers must be able to read .*received memory://pets, which"
        ):
            check_shared(RemoteFolder("memory://pets"))
        check_shared(RemoteFolder("s3://bucket/pets"))
        check_shared("pets")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://b/x", True), ("https://h/x", True), ("memory://x", True), ("git+ssh://h/x", True), ("images", False),
        ("/a/b", False), ("C://images", False), ("images/s3://b", False), ("s3:/b", False),
    ],
)  # fmt: skip
def test_urls_are_told_from_paths(path, expected):
    assert is_remote(path) is expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nostore://x", r"must be a folder or a URL that fsspec opens, .*; received nostore://x \(Protocol not known"),
        ("https:///pets", "must be a URL with a host, as https://host/folder; received https:///pets; correct it"),
        ("https://me:se/cret@host/pets", r"must be a URL with a host, .*; received https://\.\.\.; correct it"),
        (
            "https://host/pets?token=secret",
            r"must be the URL of a folder, without \? or # and .*; received https://host/pets with",
        ),
        ("https://host/pets#1", r"must be the URL of a folder, .*; write %3F and %23 if they belong to a name"),
    ],
)
def test_mistaken_urls_are_told_without_their_secrets(url, message):
    with pytest.raises(UserError, match=f"dataset: {message}") as error:
        list_images(url, label_from_name)
    assert "cret" not in str(error.value)


@pytest.mark.parametrize(
    ("module", "url", "command"),
    [
        ("fsspec", "s3://b/x", r'pip install "pyimagesearch\[remote\]"'),
        ("s3fs", "s3://b/x", r'pip install "pyimagesearch\[remote\]"'),
        ("aiohttp", "https://h/x", r'pip install "pyimagesearch\[remote\]"'),
        ("gcsfs", "gs://b/x", "pip install gcsfs"),
    ],
)
def test_missing_packages_are_named_with_their_command(monkeypatch, module, url, command):
    for protocol in ("s3", "gs", "https"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, protocol, raising=False)
    for name in ("fsspec.implementations.http", "pyimagesearch.io.images.webfolder"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=f"dataset: {url} needs a package that is not installed .*{command}$"):
        list_images(url, label_from_name)


def test_more_threads_wait_for_storage_than_processors_decode():
    assert reading_threads("images", 2) == 2
    assert 2 < reading_threads(RemoteFolder("s3://b/x"), 2) <= 64
    assert reading_threads("s3://b/x", 48) == 64
    assert reading_threads("s3://b/x", 100) == 100
