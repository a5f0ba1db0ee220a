"""Section D of the fault catalogue: requests that two readers could read in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.http import exchange, head
from tests.support.server import Live, live

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
AMBIGUOUS = {
    "both lengths": (["Content-Length: 4", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "both lengths, the other order": (["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n"),
    "two different lengths": (["Content-Length: 0", "Content-Length: 44"], b""),
    "two lengths in one": (["Content-Length: 0, 44"], b""),
    "a signed length": (["Content-Length: +0"], b""),
    "a negative length": (["Content-Length: -1"], b""),
    "a length in hex": (["Content-Length: 0x0"], b""),
    "a length with an underscore": (["Content-Length: 1_0"], b"0123456789"),
    "a length in other digits": (["Content-Length: \xb2"], b""),
    "an unknown coding": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    "two codings": (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n"),
    "the coding twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "a folded line": (["X-Folded: a", " b", "Content-Length: 0"], b""),
    "a folded coding": (["Transfer-Encoding:", " chunked"], b"0\r\n\r\n"),
    "a space before the colon": (["Content-Length : 0"], b""),
    "a bare carriage return": (["X: a\rContent-Length: 44"], b""),
    "a NUL in a value": (["X: a\0b"], b""),
    "a line without a colon": (["Content-Length 0"], b""),
    "a chunk's size with a sign": (["Transfer-Encoding: chunked"], b"+0\r\n\r\n"),
    "a chunk's size in hex with 0x": (["Transfer-Encoding: chunked"], b"0x0\r\n\r\n"),
    "a chunk that is too short": (["Transfer-Encoding: chunked"], b"1\r\nab\r\n0\r\n\r\n"),
    "a chunk's line with a line feed only": (["Transfer-Encoding: chunked"], b"0\n\n"),
    "a line feed only after one line": (["X: a\nContent-Length: 44"], b""),
    "a line feed only before the body": (["Content-Length: 44", "X: a\n\nGET /hidden HTTP/1.1"], b""),
}
#: The addresses exist and take bodies: only the ambiguity of these requests is wrong.
ASKED = {
    "a page": ("GET", "/jobs", ()),
    "the API": ("POST", "/api/v1/jobs", ("Content-Type: application/json",)),
    "a handshake": ("GET", "/engine.io/?EIO=4&transport=polling", ()),
}


@pytest.fixture(scope="module", params=["tornado", "fast"])
def process(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("smuggling"), "--front", request.param) as running:
        yield running


def statuses(process: Live, request: bytes) -> list[bytes]:
    """The statuses of all answers on a connection, which must then be closed."""
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", exchange(process.port, request))


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", AMBIGUOUS)
def test_fault_D19_what_two_readers_could_read_in_two_ways_is_a_400_and_the_end_of_the_connection(
    process: Live, name: str, asked: str
) -> None:
    """So the rest is not a second request."""
    method, path, usual = ASKED[asked]
    lines, body = AMBIGUOUS[name]
    assert statuses(process, head(method, path, process.port, *usual, *lines) + body + SMUGGLED) == [b"400"]
    log = process.log_so_far()
    assert b"/smuggled" not in log
    assert b"/hidden" not in log


@pytest.mark.parametrize("asked", ASKED)
def test_fault_D19_a_head_with_line_feeds_only_is_a_400_and_the_end_of_the_connection(
    process: Live, asked: str
) -> None:
    """RFC 9112 lets a server read them; a proxy that does not sees another request."""
    method, path, usual = ASKED[asked]
    plain = head(method, path, process.port, *usual, "Content-Length: 0")
    for ambiguous in (
        plain.replace(b"\r\n", b"\n"),
        plain[:-2] + b"\n",
        plain.replace(b"\r\n", b"\n", 1),
        b"\n" + plain,
    ):
        assert statuses(process, ambiguous + SMUGGLED) == [b"400"], ambiguous
    assert b"/smuggled" not in process.log_so_far()


@pytest.mark.parametrize("asked", ASKED)
def test_the_same_requests_without_ambiguity_are_served_and_so_is_what_follows_them(process: Live, asked: str) -> None:
    """The control of the tests above."""
    method, path, usual = ASKED[asked]
    plain = head(method, path, process.port, *usual, "Content-Length: 2") + b"{}"
    last = head("GET", "/livez", process.port, "Connection: close")
    assert statuses(process, b"\r\n" + plain + last) in ([b"200", b"200"], [b"422", b"200"])
