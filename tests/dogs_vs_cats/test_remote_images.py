"""Images in an object store, on a web server or in memory make the files that a copy of them on this machine makes."""

import functools
import http.server
import importlib
import json
import logging
import shutil
import threading
from pathlib import Path

import pytest

from pyimagesearch.errors import StorageError, UserError
from pyimagesearch.io import label_from_name
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.decoding import UnreadableImageError, read_file
from pyimagesearch.io.images.remotefolder import RemoteFile, RemoteFolder
from pyimagesearch.runs.record import read_runs

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

FILES = ["train.hdf5", "val.hdf5", "test.hdf5", "mean.json", "build.json"]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory, images):
    """Return a folder with ``pets``, whose names are not easy, and a file that is no image."""
    place = tmp_path_factory.mktemp("remote")
    for number, path in enumerate(sorted(images.iterdir())):
        folder = place / "pets" / ("a b", "größe #1", "100%25", "")[number % 4]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    (place / "pets/notes.txt").touch()
    return place


@pytest.fixture(scope="module")
def config(write_config, tmp_path_factory):
    """Return a config that can be imported; its ``OUTPUT_PATH`` is the folder of runs' records."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "output").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield write_config(folder, f'OUTPUT_PATH = "{folder}/output"')


@pytest.fixture(scope="module", params=[[], ["--on-error", "skip", "--duplicates", "group"]], ids=["plain", "scanned"])
def local_build(request, config, place, call, tmp_path_factory):
    """Return options of a build, and the files that it makes of this machine's folder."""
    folder = tmp_path_factory.mktemp("local") / "output"
    outcome = call("build_dogs_vs_cats", "-d", place / "pets", "-o", folder, "--config", config, *request.param)
    assert outcome.code == 0, outcome.err
    return request.param, {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def web(place):
    """Return the URL of a server that lists its folders."""
    handler = functools.partial(QuietHandler, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def store(place):
    """Return the URL of a bucket of an object store that runs on this machine, found as a user's would be."""
    pytest.importorskip("s3fs")
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        for path in (place / "pets").rglob("*"):
            if path.is_file():
                client.put_object(Bucket="bucket", Key=str(path.relative_to(place)), Body=path.read_bytes())
        client.put_object(Bucket="bucket", Key="pets/a b/", Body=b"")  # as some tools mark a folder
        client.put_object(Bucket="bucket", Key="petshop/dog.0.jpg", Body=b"")
        client.close()
        yield "s3://bucket"
    server.stop()


@pytest.fixture(scope="module")
def memory(place):
    system = fsspec.filesystem("memory")
    for path in (place / "pets").rglob("*"):
        if path.is_file():
            system.pipe(f"memory://remote/{path.relative_to(place)}", path.read_bytes())
    yield "memory://remote"
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.mark.parametrize("kind", ["web", "store", "memory"])
def test_a_build_makes_the_same_files(kind, request, config, local_build, call, tmp_path):
    options, expected = local_build
    url = f"{request.getfixturevalue(kind)}/pets"
    outcome = call("build_dogs_vs_cats", "-d", url, "-o", tmp_path / "output", "--config", config, *options)
    assert outcome.code == 0, outcome.err
    assert [name for name in FILES if (tmp_path / "output" / name).read_bytes() != expected[name]] == []
    assert outcome.result["dataset"] == url


@pytest.mark.parametrize("kind", ["web", "store"])
def test_workers_of_a_cluster_read_them_too(kind, request, config, place, call, tmp_path):
    pytest.importorskip("distributed")
    options = ["--config", config, "--shards", "2"]
    assert call("build_dogs_vs_cats", "-d", place / "pets", "-o", tmp_path / "local", *options).code == 0
    url = f"{request.getfixturevalue(kind)}/pets"
    outcome = call("build_dogs_vs_cats", "-d", url, "-o", tmp_path / "remote", *options, "--cluster", "local:2")
    assert outcome.code == 0, outcome.err
    files = {path.name: path.read_bytes() for path in (tmp_path / "local").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "remote").iterdir()} == files


def test_a_build_goes_on_when_the_storage_answers_again(memory, config, call, tmp_path, place, monkeypatch):
    read, left = RemoteFile.read, [20]

    def read_until_the_outage(file):
        left[0] -= 1
        if left[0] < 0:
            raise StorageError(f"dataset: {file} does not answer")
        return read(file)

    arguments = ["build_dogs_vs_cats", "-d", f"{memory}/pets", "--config", config, "--buffer-size", "8"]
    with monkeypatch.context() as patch:
        patch.setattr(RemoteFile, "read", read_until_the_outage)
        stopped = call(*arguments, "-o", tmp_path / "output")
    assert stopped.code == 2
    assert "does not answer" in stopped.err
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["train.hdf5.partial"]
    assert call(*arguments, "-o", tmp_path / "output", "--resume").code == 0
    assert call(*arguments, "-o", tmp_path / "unbroken").code == 0
    for name in FILES:
        assert (tmp_path / "output" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()


def test_unreadable_images_are_named(store, config, call, tmp_path, place):
    from dogs_vs_cats import build_dogs_vs_cats

    broken = fsspec.filesystem("s3", skip_instance_cache=True)
    broken.pipe("s3://bucket/broken/cat.0.jpg", (place / "pets/cat.11.jpg").read_bytes()[:500])
    for number in range(1, 10):
        broken.pipe(f"s3://bucket/broken/dog.{number}.jpg", (place / "pets/cat.11.jpg").read_bytes())
        broken.pipe(f"s3://bucket/broken/cat.{number}.jpg", (place / "pets/cat.11.jpg").read_bytes())
    arguments = ["-d", f"{store}/broken", "-o", str(tmp_path / "output"), "--config", config]
    message = r"1 of 19 images in s3://bucket/broken cannot be read: cat\.0\.jpg \(the file ends before the image does"
    with pytest.raises(UserError, match=message):
        build_dogs_vs_cats.main(arguments)
    call("build_dogs_vs_cats", *arguments, "--on-error", "skip")
    assert list(json.loads((tmp_path / "output/build.json").read_text())["skipped"]) == ["cat.0.jpg"]


def test_credentials_are_in_no_file(web, config, call, tmp_path):
    url = web.replace("://", "://me:secret@") + "/pets"
    outcome = call("build_dogs_vs_cats", "-d", url, "-o", tmp_path / "output", "--config", config)
    assert outcome.code == 0, outcome.err
    record = Path(importlib.import_module(config).OUTPUT_PATH) / "runs.jsonl"
    run = read_runs(record)[-1]
    assert run.inputs == [{"path": url.replace("me:secret@", ""), "bytes": None, "identity": None}]
    files = [record, *(tmp_path / "output").iterdir()]
    assert [path for path in files if b"secret" in path.read_bytes()] == []
    assert "secret" not in outcome.out + outcome.err


def test_credentials_are_not_printed(web, config, call, tmp_path):
    url = web.replace("://", "://me:secret@") + "/pets"
    outcome = call("explore", url, "-o", tmp_path / "explore", "--config", config, "--json")
    assert json.loads(outcome.out)["inputs"] == [f"{web}/pets"]
    assert "secret" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (
            "s3://nobucket/pets",
            "dataset: s3://nobucket/pets cannot be listed: it does not exist; check the URL and your",
        ),
        ("s3://bucket/none", r"dataset: s3://bucket/none holds no images \(\.jpg, .*check the path"),
        ("s3://bucket/pets/notes.txt", r"dataset: s3://bucket/pets/notes\.txt holds no images"),
        ("s3://", r"dataset: s3:// cannot be used: ValueError: Cannot traverse all of S3; check the URL"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_folder_that_is_not_in_the_store_is_named(folder, message):
    with pytest.raises(UserError, match=message):
        list_images(folder, label_from_name)


@pytest.mark.usefixtures("store")
def test_an_object_that_is_not_there_is_unreadable():
    with pytest.raises(UnreadableImageError, match=r"s3://bucket/pets/none\.jpg cannot be read: it does not exist$"):
        read_file(RemoteFolder("s3://bucket/pets") / "none.jpg")


@pytest.mark.usefixtures("store")
def test_who_has_no_credentials_may_ask_without(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(StorageError, match="s3://bucket/pets cannot be used: NoCredentialsError: Unable to locate"):
        list_images("s3://bucket/pets", label_from_name)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"anon": "true"})  # as FSSPEC_S3_ANON=true makes it
    assert len(list_images("s3://bucket/pets", label_from_name).paths) == 40


def test_the_images_can_be_explored(web, config, call, tmp_path):
    outcome = call("explore", f"{web}/pets", "-o", tmp_path / "explore", "--config", config)
    assert outcome.code == 0, outcome.err
    report = json.loads((tmp_path / "explore/explore.json").read_text())
    assert (report["dataset"], report["images"]) == (f"{web}/pets", 40)


def test_predictions_are_for_files_of_this_machine(config, call):
    outcome = call("predict", "s3://me:secret@bucket/pets", "--config", config)
    assert outcome.code == 2
    assert "image: must be a file, folder or pattern of this machine; received s3://bucket/pets; copy" in outcome.err
