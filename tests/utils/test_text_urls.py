import pytest

from pyimagesearch.utils.text import without_credentials


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:secret@host/a", "https://host/a"),
        ("s3://key:se+cret@bucket/me@home", "s3://bucket/me@home"),
        ("https://me@host:80/a and ftp://x:y@z", "https://host:80/a and ftp://z"),
        ("HTTPS://host/a?token=secret", "HTTPS://host/a"),
        ("https://host/a#secret; check", "https://host/a check"),
        ('{"a": "https://host", "b": "me@home?x"}', '{"a": "https://host", "b": "me@home?x"}'),
        ('["https://h/a?s=1","x@y"]', '["https://h/a","x@y"]'),
        ("https://me:p@ss@host/a", "https://host/a"),
        ("s3://bucket/what?.jpg", "s3://bucket/what?.jpg"),
        ("me@home", "me@home"),
        ("/a/b", "/a/b"),
    ],
)
def test_urls_lose_what_may_be_secret(text, expected):
    assert without_credentials(text) == expected
