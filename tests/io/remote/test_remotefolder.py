"""Images behind URLs are those of a copy on this machine; what storage does wrong is told, or waited for."""

import base64
import contextlib
import functools
import http.server
import ipaddress
import pickle
import ssl
import sys
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.imagefile import UnreadableImageError, read_file, read_files
from pyimagesearch.io.imagefolder import build_mark
from pyimagesearch.io.imagelist import list_images
from pyimagesearch.io.imagesource import open_images
from pyimagesearch.io.remote import remotefolder, remotestore
from pyimagesearch.io.remote.remotefolder import RemoteFolder, check_shared, is_remote, reading_threads
from pyimagesearch.io.remote.remotestore import StorageError
from pyimagesearch.preprocessing import SimplePreprocessor

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

NAMES = [
    "cat.0.jpg", "a b/dog.1.PNG", "größe/cat.2.jpeg", "#1/dog.3.webp", "100%/cat.4.gif", "100%25/cat.5.gif",
    "what?/dog.6.tif", "a&b;c/dog.7.bmp", "one/two/three/cat.8.jpg",
]  # fmt: skip
OTHERS = ["notes.txt", "._cat.9.jpg", "._folder/cat.9.jpg", "one/list.csv"]


@pytest.fixture
def folder(tmp_path):
    for name in [*NAMES, *OTHERS]:
        (tmp_path / "my pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my pets" / name).write_bytes(name.encode())
    return tmp_path / "my pets"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; ``server.answers`` has functions that answer in its place, by path, one after the other."""

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Authorization")))
        answers = self.server.answers.get(self.path)
        if answers:
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(folder):
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.answers, server.requests = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def web(folder, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(folder.parent) as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    """Return a file with a key and a certificate for this machine."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(address, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(key.private_bytes(*form) + signed.public_bytes(form[0]))
    return path


@pytest.fixture
def pauses(monkeypatch):
    """Return the pauses that would have been made."""
    found = []
    monkeypatch.setattr(remotestore, "time", SimpleNamespace(sleep=found.append))
    return found


@pytest.fixture
def memory():
    """Return a function that fills ``memory://``."""
    system = fsspec.filesystem("memory")

    def fill(files):
        for name, data in files.items():
            system.pipe(f"memory://{name}", data)

    yield fill
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def status(code):
    return lambda handler: handler.send_error(code)


def page(*links, kind="text/html"):
    body = "".join(f'<a class="x" href="{link}">{link}</a>' for link in links).encode()

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def body(data, promised=None):
    def answer(handler):
        handler.send_response(200)
        if promised is not None:
            handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def to(url):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()

    return answer


def hang_up(handler):
    handler.close_connection = True


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://b/x", True), ("https://h/x", True), ("memory://x", True), ("git+ssh://h/x", True), ("images", False),
        ("/a/b", False), ("C://images", False), ("images/s3://b", False), ("s3:/b", False),
    ],
)  # fmt: skip
def test_urls_are_told_from_paths(path, expected):
    assert is_remote(path) is expected


class TestAWebServer:
    @pytest.mark.parametrize("label_of", [label_from_name, label_from_folder])
    def test_it_gives_what_a_copy_of_its_folder_gives(self, web, folder, label_of):
        remote, local = list_images(f"{web.url}/my%20pets/", label_of), list_images(folder, label_of)
        assert remote.paths == local.paths == sorted(NAMES)
        assert remote.label_names == local.label_names
        np.testing.assert_array_equal(remote.labels, local.labels)
        rows = [np.arange(len(NAMES))]
        assert build_mark(remote, rows, "") == build_mark(local, rows, "")
        assert [read_file(remote.root / name) for name in remote.paths] == [name.encode() for name in local.paths]
        assert str(remote.root / "cat.0.jpg") == f"{web.url}/my pets/cat.0.jpg"

    def test_a_file_takes_one_request(self, web):
        read_file(RemoteFolder(f"{web.url}/my%20pets") / "cat.0.jpg")
        assert len(web.requests) == 1

    def test_only_links_to_what_lies_in_the_folder_count(self, web):
        bad = [
            "..", "../", "../dog.jpg", "/dog.jpg", "/", "./", "#top", "?C=N;O=D", "cat.jpg?size=1", "cat.jpg#x",
            "http://other.host/x/dog.jpg", "//other.host/x/dog.jpg", "javascript:dog.jpg", "%2e%2e%2fdog.jpg",
            "a%2fdog.jpg", "sub/dog.jpg", "%00.jpg", "http://[", "%2e%2e/", "../y/",
        ]  # fmt: skip
        web.answers["/x/"] = [
            page(
                *bad,
                "./cat.1.jpg",
                "/x/cat.2.jpg",
                "cat&amp;3.jpg",
                "cat.1.jpg",
                " cat.4.jpg ",
                "/%78/cat.5.jpg",
                "größe.jpg",
            )
        ]
        names = RemoteFolder(f"{web.url}/x").names()
        assert sorted(names) == ["cat&3.jpg", "cat.1.jpg", "cat.2.jpg", "cat.4.jpg", "cat.5.jpg", "größe.jpg"]
        assert {path for path, _ in web.requests} == {"/x/"}

    def test_a_folder_that_leads_back_into_itself_ends(self, web):
        for depth in range(40):
            web.answers["/x/" + "again/" * depth] = [page("again/", "cat.jpg")]
        with pytest.raises(UserError, match=r"/x cannot be listed: its folders are nested more than 32 deep"):
            list_images(f"{web.url}/x", label_from_name)

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (status(404), r"dataset: http://.*/x cannot be listed: it is not there; check the URL and your rights, or"),
            (
                status(403),
                r"dataset: http://.*/x cannot be listed: access is denied \(the server answers 403 Forbidden",
            ),
            (page("cat.jpg", kind="application/json"), "the server does not list folders, but sends application/json;"),
            (page("cat.txt"), r"dataset: .*/x holds no images \(\.jpg"),
        ],
    )
    def test_a_folder_that_is_not_listed_is_named(self, web, answer, message):
        web.answers["/x/"] = [answer]
        with pytest.raises(UserError, match=message):
            list_images(f"{web.url}/x", label_from_name)
        assert len(web.requests) == 1

    @pytest.mark.parametrize("wrong", [status(500), status(503), status(429), body(b"short", 100)])
    def test_what_may_pass_is_asked_again_after_growing_pauses(self, web, pauses, wrong):
        web.answers["/cat.jpg"] = [wrong, wrong, wrong, body(b"whole")]
        assert read_file(RemoteFolder(web.url) / "cat.jpg") == b"whole"
        assert len(pauses) == 3
        assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1 <= pauses[2] <= 2

    def test_a_connection_that_ends_is_made_again(self, web, pauses):
        web.answers["/cat.jpg"] = [hang_up, hang_up, hang_up, hang_up, body(b"whole")]
        assert read_file(RemoteFolder(web.url) / "cat.jpg") == b"whole"
        assert pauses

    def test_a_listing_is_asked_for_again_too(self, web, pauses):
        web.answers["/x/"] = [status(503), page("cat.jpg")]
        assert RemoteFolder(f"{web.url}/x").names() == ["cat.jpg"]
        assert len(pauses) == 1

    @pytest.mark.parametrize(
        ("answer", "reason", "tries"),
        [
            (status(404), "it is not there", 1),
            (status(403), r"access is denied \(the server answers 403 Forbidden\)", 1),
            (status(400), "the server answers 400 Bad Request", 1),
            (status(502), "the server answers 502 Bad Gateway", 5),
            (body(b"short", 100), "the answer broke off", 5),
            (to("/cat.jpg"), "it is redirected too often", 5),
            (to("ftp://host/cat.jpg"), "NonHttpUrlRedirectClientError", 1),
            (body(b"", 2**30 + 1), "it has more than 1,073,741,824 bytes", 1),
        ],
    )
    def test_an_image_that_is_not_given_is_unreadable(self, web, pauses, answer, reason, tries):
        web.answers["/cat.jpg"] = [answer]
        with pytest.raises(UnreadableImageError, match=f"image: {web.url}/cat.jpg cannot be read: {reason}$"):
            read_file(RemoteFolder(web.url) / "cat.jpg")
        assert len(web.requests) == tries

    @pytest.mark.parametrize(
        ("answer", "reason"), [(status(503), "the server answers 503"), (hang_up, "Server disconnected")]
    )
    def test_a_server_that_does_not_serve_is_no_fault_of_an_image(self, web, pauses, answer, reason):
        web.answers["/cat.jpg"] = [answer]
        with pytest.raises(
            StorageError, match=f"dataset: {web.url} cannot be used: {reason}.*; check the URL, the net"
        ):
            read_file(RemoteFolder(web.url) / "cat.jpg")

    def test_nobody_may_answer(self, pauses, monkeypatch):
        monkeypatch.setenv("NO_PROXY", "*")
        with pytest.raises(StorageError, match=r"dataset: http://127\.0\.0\.1:1/x cannot be used: Cannot connect to"):
            list_images("http://127.0.0.1:1/x", label_from_name)
        assert len(pauses) == 4

    def test_size_is_limited_also_where_it_is_not_told(self, web, monkeypatch):
        monkeypatch.setattr(remotestore, "MAX_BYTES", 100)
        web.answers["/cat.jpg"] = [body(bytes(101))]
        with pytest.raises(UnreadableImageError, match="it has more than 100 bytes"):
            read_file(RemoteFolder(web.url) / "cat.jpg")

    def test_credentials_reach_their_host_alone_and_no_text(self, web):
        secret = web.url.replace("://", "://me:secret@")
        images = list_images(f"{secret}/my%20pets", label_from_name)
        web.answers["/cat.jpg"] = [to(f"{web.url.replace('127.0.0.1', 'localhost')}/my%20pets/cat.0.jpg")]
        root = pickle.loads(pickle.dumps(RemoteFolder(secret)))
        assert read_file(root / "cat.jpg") == b"cat.0.jpg"
        *sent, elsewhere = [authorization for _, authorization in web.requests]
        assert set(sent) == {f"Basic {base64.b64encode(b'me:secret').decode()}"}
        assert elsewhere is None
        with pytest.raises(UnreadableImageError) as error:
            read_file(root / "none.jpg")
        texts = [str(images.root), repr(images.root), str(root / "x"), str(error.value), error.value.path]
        assert not any("secret" in text or "me:" in text for text in texts)

    def test_credentials_may_be_those_of_netrc(self, web, tmp_path, monkeypatch):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        read_file(RemoteFolder(f"{web.url}/my%20pets") / "cat.0.jpg")
        assert web.requests[0][1] == f"Basic {base64.b64encode(b'me:secret').decode()}"

    def test_the_configuration_of_fsspec_counts(self, web, monkeypatch):
        monkeypatch.setitem(fsspec.config.conf, "http", {"headers": {"Authorization": "Bearer secret"}})
        read_file(RemoteFolder(f"{web.url}/my%20pets") / "cat.0.jpg")
        assert web.requests[0][1] == "Bearer secret"

    def test_what_was_sent_safely_is_not_taken_unsafely(self, web, folder, certificate, monkeypatch):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        client = ssl.create_default_context(cafile=certificate)
        monkeypatch.setitem(fsspec.config.conf, "https", {"ssl": client})
        plain = web.url
        web.socket = context.wrap_socket(web.socket, server_side=True)
        safe = RemoteFolder(plain.replace("http:", "https:"))
        assert read_file(safe / "my pets/cat.0.jpg") == b"cat.0.jpg"
        with serving(folder) as unsafe:
            web.answers["/cat.jpg"] = [to(f"{unsafe.url}/cat.0.jpg")]
            with pytest.raises(UnreadableImageError, match="it is redirected from https to http, where anybody may"):
                read_file(safe / "cat.jpg")

    def test_a_list_names_images_with_their_suffix(self, web, folder):
        (folder / "labels.csv").write_text("id,breed\ncat.0.jpg,tabby\none/two/three/cat.8.jpg,siamese\n")
        web.answers["/my%20pets/"] = [status(403)]
        images = list_images(f"{web.url}/my%20pets/labels.csv", label_from_name)
        assert images.paths == ["cat.0.jpg", "one/two/three/cat.8.jpg"]
        assert images.label_names == ["siamese", "tabby"]
        assert read_file(images.root / images.paths[0]) == b"cat.0.jpg"
        (folder / "labels.csv").write_text("id,breed\ncat.0.jpg,tabby\ncat,tabby\n")
        with pytest.raises(
            UserError, match=r"labels\.csv is on a web server and must name .*there is none in line 3 cat"
        ):
            list_images(f"{web.url}/my%20pets/labels.csv", label_from_name)
        with pytest.raises(UserError, match=r"none\.csv cannot be read \(it is not there\); pass a CSV file"):
            list_images(f"{web.url}/none.csv", label_from_name)


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

    def test_a_store_that_is_busy_is_asked_again(self, web, pauses, monkeypatch):
        pytest.importorskip("s3fs")
        for name, value in {"ENDPOINT_URL": web.url, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        root = RemoteFolder("s3://bucket/pets")
        web.answers = {
            "/bucket/pets/late.jpg": [status(503), status(500), body(b"whole", 5)],
            "/bucket/pets/ill.jpg": [status(500)],
            "/bucket/pets/busy.jpg": [status(503)],
        }
        assert read_file(root / "late.jpg") == b"whole"
        assert len(pauses) == 2
        with pytest.raises(UnreadableImageError, match=r"s3://bucket/pets/ill\.jpg cannot be read: "):
            read_file(root / "ill.jpg")
        with pytest.raises(
            StorageError, match=r"dataset: s3://bucket/pets cannot be used: .*; check the URL, the network"
        ):
            read_file(root / "busy.jpg")
        assert len(pauses) == 2 + 4 + 4

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
        with pytest.raises(UnreadableImageError, match="memory://pets/none cannot be read: it is not there"):
            next(files)

    def test_the_memory_of_one_process_is_not_that_of_others(self):
        with pytest.raises(
            UserError, match=r"--cluster: its processes must be able to read .*received memory://pets, wh"
        ):
            check_shared(RemoteFolder("memory://pets"))
        check_shared(RemoteFolder("s3://bucket/pets"))
        check_shared("pets")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nostore://x", r"must be a folder or a URL that fsspec opens, .*; received nostore://x \(Protocol not known"),
        ("https:///pets", "must be a URL with a host, as https://host/folder; received https:///pets; mend it"),
        ("https://me:se/cret@host/pets", r"must be a URL with a host, .*; received https://\.\.\.; mend it"),
        (
            "https://host/pets?token=secret",
            r"must be the URL of a folder, without \? and # and .*; received https://host/pets with",
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
    for name in ("fsspec.implementations.http", "pyimagesearch.io.remote.webfolder"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=f"dataset: {url} needs a package that is not installed .*{command}$"):
        list_images(url, label_from_name)


def test_more_threads_wait_for_storage_than_processors_decode():
    assert reading_threads("images", 2) == 2
    assert 2 < reading_threads(RemoteFolder("s3://b/x"), 2) <= 64
    assert reading_threads("s3://b/x", 48) == 64
    assert reading_threads("s3://b/x", 100) == 100
