"""Whatever the fast front reads as a head, Tornado reads too, and in the same way: its reader is the stricter one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.http1connection import is_transfer_encoding_chunked
from tornado.httputil import HTTPHeaders, HTTPInputError, parse_request_start_line

from dispatcher.transport.fronts.fast.heads import BadRequestError, HeadReader
from dispatcher.transport.fronts.policy import has_odd_line_end

LINES = [
    b"Host: a",
    b"Content-Length: 5",
    b"content-length: 05",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: Chunked ",
    b"Connection: close",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Expect: 100-continue",
    b"Cookie: a=1; b=2",
    b"X-Empty:",
    b"X-Spaces: \t a \t",
]
FIRST = [
    b"GET / HTTP/1.1",
    b"POST /a?b HTTP/1.0",
    b"BREW /\xe4 HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
]
ODD = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\t",
    b" ",
    b":",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b",",
    b";",
    b"+",
    b"0x",
    b"1",
    b"_",
]
Read = tuple[str, str, str, list[tuple[str, str]], bool, str | None]


def as_tornado(data: bytes) -> Read:
    """As ``HTTP1Connection`` reads it behind our own stream."""
    if has_odd_line_end(data):
        raise HTTPInputError("a line feed alone")
    text = data.decode("latin-1").lstrip("\r\n")
    end = text.find("\n")
    line = parse_request_start_line(text[:end].rstrip("\r"))
    headers = HTTPHeaders.parse(text[end:])
    pairs = sorted((name, headers[name]) for name in headers)
    return (
        line.method,
        line.path,
        line.version,
        pairs,
        is_transfer_encoding_chunked(headers),
        headers.get("Content-Length"),
    )


def as_fast(data: bytes) -> Read:
    head = HeadReader().read(data)
    headers = head.headers()
    pairs = sorted((name, headers[name]) for name in headers)
    return head.method, head.target, head.version, pairs, head.lines.is_chunked, head.get("Content-Length")


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    lines = [draw(st.sampled_from(FIRST)), *draw(st.lists(st.sampled_from(LINES), max_size=4))]
    data = b"\r\n".join(lines) + b"\r\n\r\n"
    for _ in range(draw(st.integers(0, 3))):
        at, cut = draw(st.integers(0, len(data) - 4)), draw(st.integers(0, 2))
        data = data[:at] + draw(st.sampled_from([b"", *ODD])) + data[at + cut :]
    end = data.find(b"\r\n\r\n")  # the connection looks for it, so nothing stands behind it
    return data[: end + 4] if end >= 0 else data + b"\r\n\r\n"


@given(heads())
def test_what_it_reads_tornado_reads_in_the_same_way(data: bytes) -> None:
    try:
        fast = as_fast(data)
    except BadRequestError:
        return
    if not fast[1].startswith("http"):  # that is read as a path at once
        assert fast == as_tornado(data)


@pytest.mark.parametrize("first", FIRST)
def test_a_plain_head_is_read_by_both(first: bytes) -> None:
    data = b"\r\n".join([first, *LINES[:2], *LINES[5:]]) + b"\r\n\r\n"
    assert as_fast(data) == as_tornado(data)
