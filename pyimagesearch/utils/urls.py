"""URLs in text that others may read."""

import re

_CREDENTIALS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]+://)[^/\s\"']*@")
_QUERY = re.compile(r"\b(https?://[^\s?#\"']*)[?#][^\s\"']*", re.IGNORECASE)


def without_credentials(text: str) -> str:
    """Return text whose URLs have lost what may be secret: user and password, and on the web what follows ``?``."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub(r"\1", text))
