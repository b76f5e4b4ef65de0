"""Shows how work goes on in a browser of the same machine."""

import contextlib
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from importlib import resources
from socketserver import TCPServer
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.watch.pagehandler import Content, PageHandler

_HOST = "127.0.0.1"
_MOST_CLIENTS = 16  # at a time; a page holds a connection for milliseconds
_SECONDS_TO_ANSWER = 0.3
_WATCHED_SECONDS, _LAST_LOOK_SECONDS = 3.0, 1.5  # the page asks every second


class PageServer(ThreadingHTTPServer):
    """Serves a page, and the state that it shows, to this machine until it is closed.

    ``/`` is the page, which asks for ``/state.json`` every second. Nothing can be changed or read beyond these
    two. Threads of their own answer, so that no client can hold up who publishes.

    Args:
        port: of the loopback address 127.0.0.1; 0 for any that is free.

    Raises:
        UserError: the port cannot be had.
    """

    allow_reuse_address = os.name == "posix"  # elsewhere it would share the port with another program
    request_queue_size = 2 * _MOST_CLIENTS
    daemon_threads = False  # so that closing waits for them

    def __init__(self, port: int = 0) -> None:
        self._state: tuple[Mapping[str, Any], Content | None] = ({}, None)
        self._clients: set[Any] = set()
        self._last: Mapping[str, Any] | None = None
        self._asked, self._seen = float("-inf"), threading.Event()
        self._page = _content(resources.files(__package__).joinpath("page.html").read_bytes(), "text/html")
        try:
            super().__init__((_HOST, port), PageHandler)
        except OSError as error:
            raise UserError(
                f"--watch: port {port} cannot be used ({error.strerror}); name another one, as --watch {port + 1}, "
                "or 0 for any that is free"
            ) from error
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="PageServer", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{_HOST}:{self.server_port}/"

    def publish(self, state: Mapping[str, Any]) -> None:
        """Show ``state``, which can be written as JSON, from now on; it must not be changed afterwards."""
        self._state = state, None

    def close(self, last: Mapping[str, Any] | None = None) -> None:
        """End all connections and threads.

        Args:
            last: a state that a page that is open right now may still ask for.
        """
        if last is not None:
            self._last = last
            self.publish(last)
            if time.monotonic() - self._asked < _WATCHED_SECONDS:
                self._seen.wait(_LAST_LOOK_SECONDS)
        self.shutdown()
        for end in (socket.SHUT_RD, socket.SHUT_RDWR):  # first those that ask nothing, then those that do not listen
            for client in list(self._clients):
                with contextlib.suppress(OSError):
                    client.shutdown(end)
            patience = time.monotonic() + _SECONDS_TO_ANSWER
            while self._clients and time.monotonic() < patience:
                time.sleep(0.005)
        self.server_close()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()

    def content(self, path: str) -> Content | None:
        """Return what is at ``path``, or None."""
        if path == "/":
            return self._page
        if path != "/state.json":
            return None
        state, content = self._state
        if content is None:
            content = _content(json.dumps(state).encode(), "application/json")
            if self._state[0] is state:
                self._state = state, content
        self._asked = time.monotonic()
        if state is self._last:
            self._seen.set()
        return content

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether one more client can be answered."""
        return len(self._clients) < _MOST_CLIENTS

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own."""
        self._clients.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._clients.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent: clients may go as they please."""


def _content(body: bytes, kind: str) -> Content:
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Content(body, f"{kind}; charset=utf-8", f'"{tag}"')
