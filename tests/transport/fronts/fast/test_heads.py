"""The head of a request is read in one way only, and refused if there are two."""

from __future__ import annotations

import pytest

from dispatcher.transport.fronts.fast.heads import BadRequestError, HeadReader, RequestHead


def head(*lines: str, first: str = "GET /a?b HTTP/1.1") -> RequestHead:
    return HeadReader().read("\r\n".join([first, *lines, "", ""]).encode("latin-1"))


def test_a_head_is_read_into_its_parts() -> None:
    read = head("Host: example", "X-One:  1 ", "x-one: 2", "Content-Length: 5", first="POST /a?b HTTP/1.1")
    assert (read.method, read.target, read.version) == ("POST", "/a?b", "HTTP/1.1")
    assert (read.get("HOST"), read.get("X-ONE"), read.get("X-Two"), read.get("X-Two", "?")) == (
        "example",
        "1,2",
        None,
        "?",
    )
    assert "hOST" in read
    assert "X-Two" not in read
    assert 5 not in read
    assert (read.length, read.lines.is_chunked, read.lines.asks_first) == (5, False, False)


def test_the_application_gets_the_headers_as_tornado_has_them() -> None:
    headers = head("hOST: example", "Cookie: a=1", "cookie: b=2").headers()
    assert (headers["Host"], headers["Cookie"], list(headers)) == ("example", "a=1,b=2", ["Host", "Cookie"])


def test_a_body_may_come_in_chunks_and_may_be_asked_for_first() -> None:
    read = head("Transfer-Encoding: chunked", "Expect: 100-continue", first="POST / HTTP/1.0")
    assert (read.lines.is_chunked, read.lines.asks_first, read.length, read.version) == (True, True, 0, "HTTP/1.0")


@pytest.mark.parametrize("first", ["GET /\xe4?\xff HTTP/1.1", "BREW /\xe4?\xff HTTP/1.1"])
def test_bytes_above_127_in_an_address_are_passed_on(first: str) -> None:
    """IE sends them where somebody has typed them."""
    assert head("Host: a", first=first).target == "/\xe4?\xff"


@pytest.mark.parametrize("method", ["BREW", "get", "X", "M-SEARCH", "a!#$%&'*+-.^_`|~1"])
def test_a_method_that_nobody_knows_is_passed_on(method: str) -> None:
    read = head("Host: a", "Content-Length: 3", first=f"{method} /a HTTP/1.0")
    assert (read.method, read.target, read.version, read.length) == (method, "/a", "HTTP/1.0", 3)


@pytest.mark.parametrize("line", ["Upgrade: websocket", "Upgrade: h2c"])
def test_a_wish_for_another_protocol_is_passed_on_with_its_body(line: str) -> None:
    read = head("Connection: Upgrade", line, "Content-Length: 3", first="POST / HTTP/1.1")
    assert ("Upgrade" in read, read.length) == (True, 3)


@pytest.mark.parametrize("method", ["GET", "BREW"])
def test_an_address_in_full_is_its_path_and_its_host_counts(method: str) -> None:
    read = head("Host: other", first=f"{method} http://example:1?b HTTP/1.1")
    assert (read.target, read.get("Host")) == ("/?b", "example:1")


@pytest.mark.parametrize("first", ["OPTIONS * HTTP/1.1", "CONNECT a:1 HTTP/1.1"])
def test_an_address_that_is_no_path_is_passed_on(first: str) -> None:
    assert head("Host: a", first=first).target == first.split(" ")[1]


@pytest.mark.parametrize(
    "first",
    [
        "GET /",
        "GET / HTTP/0.9",
        "GET / HTTP/2.0",
        "GET / HTTP/1.2",
        "GET / HTTP/1.10",
        "BREW / HTTP/2.0",
        "BREW /",
        "GET /a b HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /\t HTTP/1.1",
        "G(T / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / http/1.1",
        "BREW /\x7f HTTP/1.1",
        "\nGET / HTTP/1.1",
        "\r\n\nGET / HTTP/1.1",
        "",
    ],
)
def test_another_first_line_is_refused(first: str) -> None:
    with pytest.raises(BadRequestError):
        head("Host: a", first=first)


AMBIGUOUS = [
    ("Content-Length: 4", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ("Content-Length: 1", "Content-Length: 1"),
    ("Content-Length: 1, 1",),
    ("Content-Length: +1",),
    ("Content-Length: -1",),
    ("Content-Length: 0x1",),
    ("Content-Length: 1_0",),
    ("Content-Length: \xb2",),
    ("Content-Length: ",),
    ("Content-Length: 99999999999999999999",),
    ("Transfer-Encoding: gzip",),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: \x0bchunked",),
    ("Content-Length : 1",),
    ("Content-Length 1",),
    (" Content-Length: 1",),
    ("X: a", " b"),
    ("X: a", "\tb"),
    ("X: a\rb",),
    ("X: a\nb: c",),
    ("X: a\n\nGET / HTTP/1.1",),
    ("X: a\0b",),
    ("X: a\x7fb",),
    ("X\0: a",),
    ("\xe4: a",),
    (": a",),
]


@pytest.mark.parametrize("first", ["GET / HTTP/1.1", "POST / HTTP/1.0", "BREW / HTTP/1.1", "POST /\xe4 HTTP/1.1"])
@pytest.mark.parametrize("lines", AMBIGUOUS, ids=repr)
def test_what_two_readers_could_read_in_two_ways_is_refused(lines: tuple[str, ...], first: str) -> None:
    with pytest.raises(BadRequestError):
        _ = head("Host: a", *lines, first=first).lines.is_chunked
