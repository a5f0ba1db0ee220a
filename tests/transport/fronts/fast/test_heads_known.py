"""Lines that have come before are read once, and no request can use that to be read in another way."""

from __future__ import annotations

import pytest
from hypothesis import given

from dispatcher.transport.fronts.fast.heads import (
    LONGEST_KEPT,
    MOST_KEPT,
    BadRequestError,
    HeadReader,
    LastLines,
    RequestHead,
)
from tests.transport.fronts.fast.test_heads import AMBIGUOUS
from tests.transport.fronts.fast.test_heads_like_tornado import heads

LINES = ("Host: a", "Accept: */*", "Content-Length: 12")
PLAIN = "POST /a?b HTTP/1.1"


def head_bytes(*lines: str, first: str = PLAIN) -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


@pytest.fixture
def reader() -> HeadReader:
    """A reader that has read LINES."""
    reader = HeadReader()
    reader.read(head_bytes(*LINES))
    return reader


def as_parts(head: RequestHead) -> tuple[object, ...]:
    fields = list(head.headers().get_all())
    return head.method, head.target, head.version, fields, head.lines.is_chunked, head.length, head.lines.asks_first


def read(reader: HeadReader, data: bytes, last: LastLines | None = None) -> tuple[object, ...] | str:
    try:
        return as_parts(reader.read(data, last))
    except BadRequestError:
        return "refused"


@pytest.mark.parametrize(
    "first",
    [
        "GET / HTTP/1.0",
        "BREW /\xe4 HTTP/1.1",
        "POST http://other:1/c HTTP/1.1",
        "POST /a?b HTTP/2.0",
        "POST  / HTTP/1.1",
        "POST /\t HTTP/1.1",
        "POST / HTTP/1.1 ",
        "",
    ],
)
def test_known_lines_behind_another_first_line_are_read_as_unknown_ones(reader: HeadReader, first: str) -> None:
    data = head_bytes(*LINES, first=first)
    assert read(reader, data) == read(HeadReader(), data)


@pytest.mark.parametrize("lines", [LINES, LINES[:2]])
def test_the_host_of_one_address_is_not_that_of_the_next_request(reader: HeadReader, lines: tuple[str, ...]) -> None:
    for _ in range(2):
        assert reader.read(head_bytes(*lines, first="POST http://other/ HTTP/1.1")).get("Host") == "other"
        assert reader.read(head_bytes(*lines)).get("Host") == "a"


@pytest.mark.parametrize("length", ["0", "7", "00012", "999999999999999999"])
def test_known_lines_have_the_length_that_their_own_request_says(reader: HeadReader, length: str) -> None:
    head = reader.read(head_bytes(*LINES[:2], f"Content-Length: {length}"))
    assert (head.length, head.get("Content-Length")) == (int(length), length)
    assert reader.read(head_bytes(*LINES)).length == 12


@pytest.mark.parametrize(
    "lines",
    [
        *(LINES[:2] + odd for odd in AMBIGUOUS),
        *(LINES + odd for odd in AMBIGUOUS),
        *(odd + LINES for odd in AMBIGUOUS),
        ("Host: a", "Content-Length: 12", "Accept: */*", "Content-Length: 12"),
        (*LINES[:2], "Content-Length: \r\nContent-Length: 12"),
        (*LINES[:2], "Content-Length: 12\r\nContent-Length: "),
        (*LINES[:2], "Content-Length: 0000000000000000000000000000000000000012"),
    ],
    ids=repr,
)
def test_lines_like_known_ones_are_refused_as_ever(reader: HeadReader, lines: tuple[str, ...]) -> None:
    data = head_bytes(*lines)
    assert read(reader, data) == read(HeadReader(), data)


def test_lines_are_known_byte_by_byte(reader: HeadReader) -> None:
    assert reader.read(head_bytes(*LINES[:2])).length == 0
    assert reader.read(head_bytes("Host: b", *LINES[1:])).get("Host") == "b"
    assert reader.read(head_bytes("Host: a", *LINES)).get("Host") == "a,a"


SHARED, LAST = HeadReader(), LastLines()


@given(heads())
def test_whatever_came_before_a_head_is_read_as_if_it_came_alone(data: bytes) -> None:
    alone = read(HeadReader(), data)
    assert [read(SHARED, data), read(SHARED, data)] == [alone, alone]
    assert [read(SHARED, data, LAST), read(SHARED, data, LAST)] == [alone, alone]


def test_a_connection_keeps_the_lines_of_its_last_head_with_what_is_their_own() -> None:
    reader, last = HeadReader(), LastLines()
    first, second = (reader.read(head_bytes(*KEYED, first=f"GET /{n} HTTP/1.1"), last) for n in range(2))
    assert first._fields is second._fields
    assert (second.target, second.get("X-Pagehand-Session"), second.length) == ("/1", KEY, 12)
    assert reader.read(head_bytes(*LINES[:2]), last).length == 0
    assert reader.read(head_bytes(*KEYED), last).get("X-Pagehand-Session") == KEY


def test_the_host_of_one_address_is_not_that_of_the_next_request_of_its_connection() -> None:
    reader, last = HeadReader(), LastLines()
    for _ in range(2):
        assert reader.read(head_bytes(*LINES, first="POST http://other/ HTTP/1.1"), last).get("Host") == "other"
        assert reader.read(head_bytes(*LINES), last).get("Host") == "a"


def test_lines_that_cannot_be_read_leave_those_before_them() -> None:
    reader, last = HeadReader(), LastLines()
    reader.read(head_bytes(*LINES), last)
    assert read(reader, head_bytes(*LINES, "Content-Length: 13"), last) == "refused"
    assert reader.read(head_bytes(*LINES), last).length == 12


def kept(reader: HeadReader, *lines: str) -> bool:
    """Whether it reads the lines only once: then two heads share what has been read. So it is on one connection."""
    data, last = head_bytes(*lines), LastLines()
    heads = reader.read(data), reader.read(data), reader.read(data, last)
    is_kept = heads[0].lines is heads[1].lines
    assert is_kept is bool(last.data)
    return is_kept


def test_lines_of_a_browser_are_kept() -> None:
    assert kept(HeadReader(), "Host: a", "User-Agent: b", "Connection: Keep-Alive")


def test_lines_of_a_program_that_waits_for_its_job_are_kept() -> None:
    assert kept(HeadReader(), "Host: a", "Prefer: wait=10", "Content-Type: application/json")


@pytest.mark.parametrize(
    "line",
    [
        "Cookie: a=1",
        "Authorization: Bearer a",
        "Proxy-Authorization: Basic a",
        "X-Pagehand-Token: a",
        "X-Made-Up: a",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Upgrade: websocket",
        f"User-Agent: {'a' * LONGEST_KEPT}",
    ],
)
def test_what_may_be_a_secret_and_what_is_rare_is_not_kept(line: str) -> None:
    assert not kept(HeadReader(), "Host: a", line)


def test_lines_that_are_not_kept_leave_nothing_with_their_connection() -> None:
    reader, last = HeadReader(), LastLines()
    assert reader.read(head_bytes(*LINES, "Authorization: Bearer secret"), last).get("Authorization") == "Bearer secret"
    assert (last.data, hasattr(last, "lines"), hasattr(last, "fields")) == (b"", False, False)
    reader.read(head_bytes(*LINES), last)
    reader.read(head_bytes(*LINES, "Authorization: Bearer secret"), last)
    assert "secret" not in repr((last.data, last.lines.fields, last.fields))
    assert reader.read(head_bytes(*LINES), last).length == 12


def test_no_more_lines_are_kept_than_the_bound() -> None:
    reader = HeadReader()
    first = reader.read(head_bytes("Host: first")).lines
    for number in range(MOST_KEPT - 1):
        reader.read(head_bytes(f"Host: {number}"))
    assert reader.read(head_bytes("Host: first")).lines is first
    reader.read(head_bytes("Host: one-more"))
    assert reader.read(head_bytes("Host: first")).lines is not first


KEY = "abcdefghijklmnop"
KEYED = (*LINES, f"X-Pagehand-Session: {KEY}")


def test_lines_with_a_key_are_kept_and_each_request_says_its_own_key() -> None:
    reader = HeadReader()
    first, second = (
        reader.read(head_bytes(*KEYED)),
        reader.read(head_bytes(*LINES, "X-Pagehand-Session: QRSTUVWXYZ-_0123")),
    )
    assert first.lines is second.lines
    assert [head.get("X-Pagehand-Session") for head in (first, second)] == [KEY, "QRSTUVWXYZ-_0123"]
    assert reader.read(head_bytes(*LINES)).get("X-Pagehand-Session") is None


def test_no_key_is_kept() -> None:
    reader = HeadReader()
    reader.read(head_bytes(*KEYED))
    assert KEY not in repr([(data, lines.fields) for data, lines in reader._known.items()])


@pytest.mark.parametrize(
    "lines",
    [
        (f"x-pagehand-session: {KEY}",),
        (f"X-Pagehand-Session: {KEY} ",),
        (f"X-Pagehand-Session: {KEY}, {KEY}",),
        (f"X-Pagehand-Session: {KEY}\r\n {KEY}",),
        (f"X-Pagehand-Session: {KEY}", f"X-Pagehand-Session: {KEY}"),
        (f"X-Pagehand-Session: {KEY}", f"x-pagehand-session: {KEY}"),
        ("X-Pagehand-Session: short",),
        ("X-Pagehand-Session: -",),
    ],
    ids=repr,
)
def test_a_key_in_another_form_is_read_as_it_stands_and_is_not_kept(lines: tuple[str, ...]) -> None:
    reader = HeadReader()
    data = head_bytes(*LINES, *lines)
    alone = read(reader, data)
    assert KEY not in repr([(data, kept.fields) for data, kept in reader._known.items()])
    reader.read(head_bytes(*KEYED))
    assert read(reader, data) == read(HeadReader(), data) == alone
