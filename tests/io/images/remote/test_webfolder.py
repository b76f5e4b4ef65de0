import base64
import pickle
import ssl

import numpy as np
import pytest

from pyimagesearch.errors import StorageError, UserError
from pyimagesearch.io import label_from_folder, label_from_name
from pyimagesearch.io.images import remotestore
from pyimagesearch.io.images.csvlist import list_images
from pyimagesearch.io.images.decoding import UnreadableImageError, read_file
from pyimagesearch.io.images.folder import build_mark
from pyimagesearch.io.images.remotefolder import RemoteFolder
from tests.io.images.remote.webserver import NAMES, body, hang_up, page, serving, status, to

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


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
            (
                status(404),
                r"dataset: http://.*/x cannot be listed: it does not exist; check the URL and your rights, or",
            ),
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
            (status(404), "it does not exist", 1),
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
            UserError, match=r"labels\.csv is on a web server and must name .*suffixes are missing in line 3 cat"
        ):
            list_images(f"{web.url}/my%20pets/labels.csv", label_from_name)
        with pytest.raises(UserError, match=r"none\.csv cannot be read \(it does not exist\); pass a CSV file"):
            list_images(f"{web.url}/none.csv", label_from_name)
