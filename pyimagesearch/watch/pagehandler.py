"""Answers a browser that watches a training: the page, and its numbers."""

import ipaddress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
_POLICY += "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Content(NamedTuple):
    """What is sent: bytes, their media type, and a tag that only the same bytes have."""

    body: bytes
    kind: str
    tag: str


class PageHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with what the server's ``content(path)`` returns; no path is ever that of a file.

    A name other than the loopback's in ``Host`` is refused: by it, a foreign page whose name was made to point
    to this machine (DNS rebinding) gives itself away. The port may be another, as of an SSH tunnel.
    """

    timeout = 5  # seconds that a client may be silent
    server_version, sys_version = "pyimagesearch", ""

    def do_GET(self) -> None:
        """Answer with head and body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the head alone."""
        self._answer()

    def _answer(self) -> None:
        if not _is_loopback(self.headers.get("Host", "")):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This page is for this machine alone")
            return
        content = self.server.content(self.path.partition("?")[0])  # type: ignore[attr-defined]
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        known = content.tag in self.headers.get("If-None-Match", "")
        self.send_response(HTTPStatus.NOT_MODIFIED if known else HTTPStatus.OK)
        self.send_header("ETag", content.tag)
        self.send_header("Cache-Control", "no-cache")
        if not known:
            self.send_header("Content-Type", content.kind)
            self.send_header("Content-Length", str(len(content.body)))
        self.end_headers()
        if self.command == "GET" and not known:
            self.wfile.write(content.body)

    def end_headers(self) -> None:
        """Forbid what the page does not need."""
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep silent: the terminal belongs to the training."""


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
