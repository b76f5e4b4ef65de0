"""The live page answers this machine alone, disturbs nobody, and leaves nothing behind."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.watch import PageServer


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


@pytest.fixture
def server():
    with PageServer(0) as server:
        yield server


def get(server, path="", **headers):
    """Return status, headers and body of an answer."""
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def ask(server, method, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def connect(server):
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=10)


class TestAnswers:
    def test_the_page_needs_nothing_from_elsewhere(self, server):
        status, headers, body = get(server)
        page = body.decode()
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+[\w/.-]*", page))
        assert addresses == {"http://www.w3.org/2000/svg"}  # the name of a vocabulary
        assert set(re.findall(r"""(?:src|href)="([^"]*)""", page)) == {"data:,", "/state.json"}
        assert "default-src 'none'" in headers["Content-Security-Policy"]

    def test_the_state_is_what_was_published_last(self, server):
        assert json.loads(get(server, "state.json")[2]) == {}
        for state in ({"batch": 1}, {"batch": 2, "history": {"loss": [0.5, None]}, "title": "Hündin & <b>"}):
            server.publish(state)
            status, headers, body = get(server, "state.json?now")
            assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
            assert json.loads(body) == state

    def test_what_has_not_changed_is_not_sent_again(self, server):
        server.publish({"batch": 1})
        _, headers, _ = get(server, "state.json")
        assert headers["Cache-Control"] == "no-cache"
        status, _, body = get(server, "state.json", **{"If-None-Match": headers["ETag"]})
        assert (status, body) == (304, b"")
        server.publish({"batch": 2})
        assert get(server, "state.json", **{"If-None-Match": headers["ETag"]})[0] == 200

    def test_head_sends_no_body(self, server):
        server.publish({"batch": 1})
        status, headers, body = ask(server, "HEAD", "/state.json")
        assert (status, headers["Content-Length"], body) == (200, str(len('{"batch": 1}')), b"")

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_nothing_can_be_changed(self, server, method):
        assert ask(server, method, "/state.json")[0] == 501

    @pytest.mark.parametrize("path", ["page.html", "../pyproject.toml", "%2e%2e/setup.py", "etc/passwd", "/etc/passwd"])
    def test_no_file_can_be_read(self, server, path):
        assert get(server, path)[0] == 404

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("127.0.0.1", 200),
            ("localhost:9000", 200),  # the near end of a tunnel
            ("[::1]:8765", 200),
            ("evil.example", 421),
            ("evil.example:8765", 421),
            ("127.0.0.1.evil.example", 421),
            ("localhost@evil.example", 421),
            ("192.168.0.9:8765", 421),
            ("", 421),
            ("[", 421),
        ],
    )
    def test_only_names_of_the_loopback_are_answered(self, server, host, status):
        assert get(server, "state.json", Host=host)[0] == status
        assert get(server, "", Host=host)[0] == status

    def test_it_listens_on_the_loopback_alone(self, server):
        assert server.socket.getsockname()[0] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.server_port}/"


class TestPorts:
    def test_a_busy_port_is_named(self, server):
        port = server.server_port
        with pytest.raises(UserError, match=rf"--watch: port {port} cannot be used .*; name another one, .*or 0 for"):
            PageServer(port)
        assert get(server)[0] == 200

    def test_a_port_is_free_again_afterwards(self):
        with PageServer(0) as first:
            assert get(first)[0] == 200
        with PageServer(first.server_port) as second:
            assert get(second)[0] == 200


class TestClients:
    def test_those_that_say_nothing_or_never_listen_hold_up_nobody(self, server):
        server.publish({"history": {"loss": [0.123456789] * 1_000_000}})  # more than the system buffers
        silent, deaf = connect(server), connect(server)
        with silent, deaf:
            deaf.sendall(b"GET /state.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            began = time.monotonic()
            server.publish({"batch": 2})
            assert json.loads(get(server, "state.json")[2]) == {"batch": 2}
            server.close()
            assert time.monotonic() - began < 4

    def test_more_than_it_can_answer_are_turned_away(self, server):
        before = threading.active_count()
        waiting = [connect(server) for _ in range(40)]
        try:
            assert eventually(lambda: is_closed(waiting[-1]))
            assert threading.active_count() - before <= 16
        finally:
            for client in waiting:
                client.close()
        assert eventually(lambda: get(server)[0] == 200)

    def test_many_at_once_are_all_answered_in_the_end(self, server):
        server.publish({"batch": 1})
        answers = []
        threads = [
            threading.Thread(target=lambda: answers.append(eventually(lambda: get(server, "state.json")[0] == 200)))
            for _ in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * 30

    def test_those_that_leave_early_say_nothing_on_the_terminal(self, server, capfd):
        for request in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x00\xff\r\n\r\n"):
            with connect(server) as client:
                client.sendall(request)
        assert get(server)[0] == 200
        assert capfd.readouterr() == ("", "")


class TestClosing:
    def test_a_page_that_is_open_sees_the_last_state(self, server):
        get(server, "state.json")
        seen = []

        def follow():
            while {"status": "done"} not in seen:
                seen.append(json.loads(get(server, "state.json")[2]))
                time.sleep(0.05)

        follower = threading.Thread(target=follow)
        follower.start()
        server.close({"status": "done"})
        follower.join()
        assert seen[-1] == {"status": "done"}

    def test_without_one_nobody_is_waited_for(self, server):
        began = time.monotonic()
        server.close({"status": "done"})
        assert time.monotonic() - began < 1

    def test_it_can_be_closed_twice_and_is_then_gone(self, server):
        server.close()
        server.close()
        with pytest.raises(urllib.error.URLError):
            get(server)


def is_closed(client):
    client.settimeout(0.01)
    return client.recv(1) == b""


def eventually(holds):
    """Return whether something holds within ten seconds; a connection that is turned away is tried again."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if holds():
                return True
        time.sleep(0.02)
    return False
