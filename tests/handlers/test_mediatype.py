"""Media types: what a header says, however it is written."""

from __future__ import annotations

import pytest

from dispatcher.errors import Unsupported
from handlers.mediatype import JSON, MediaType, is_among, liked_best, media_type


@pytest.mark.parametrize(
    ("header", "name", "parameters"),
    [
        ("application/json", JSON, {}),
        (" Application/JSON ;", JSON, {}),
        ("application/json;;charset=utf-8", JSON, {"charset": "utf-8"}),
        ('application/json; Charset="UTF-8"; odata=verbose', JSON, {"charset": "UTF-8", "odata": "verbose"}),
        ("application/json; charset=utf-8; charset=utf-16", JSON, {"charset": "utf-8"}),
        (r'multipart/form-data; boundary="a;\"b"', "multipart/form-data", {"boundary": 'a;"b'}),
        ("multipart/form-data; BOUNDARY=--Ab=", "multipart/form-data", {"boundary": "--Ab="}),
        ("text/plain; application/json", "text/plain", {}),
        ("", "", {}),
        ("application", "", {}),
        ("application/json, text/plain", "", {}),
        ("application/json text/plain", "", {}),
        ("application/json/x", "", {}),
    ],
)
def test_a_header_names_a_type_and_its_parameters(header: str, name: str, parameters: dict[str, str]) -> None:
    assert media_type(header) == MediaType(name, parameters)


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", "ASCII", '"Utf-8"', ""])
def test_utf_8_and_ascii_are_taken(charset: str) -> None:
    media_type(f"application/json; charset={charset}").check_charset()


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "windows-1252"])
def test_another_charset_is_refused_in_words_that_name_it(charset: str) -> None:
    with pytest.raises(Unsupported, match=f"charset={charset}: send the body in UTF-8, and say charset=utf-8"):
        media_type(f"application/json; charset={charset}").check_charset()


def test_an_accept_header_names_several() -> None:
    assert is_among("text/html", "application/xml, Text/HTML;q=0.9, */*")
    assert not is_among("text/html", "*/*")


@pytest.mark.parametrize(
    ("accept", "liked"),
    [
        ("text/csv", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("application/json;q=0.5, Text/CSV; q=0.9", "text/csv"),
        ("text/csv;q=0, */*", None),
        ("text/csv;q=0.2, application/json;q=high", "application/json"),
        ("text/html, */*;q=0.8", None),
        ("", None),
    ],
)
def test_an_accept_header_likes_one_best(accept: str, liked: str | None) -> None:
    assert liked_best(accept, ("application/json", "text/csv")) == liked
