"""Reads the head of a request, strictly: what two readers could read in two ways is no head. No I/O.

We read the first line ourselves, and httptools reads the lines behind it. So a method that nobody has heard of is
taken, as Tornado does, and so are bytes above 127 in an address, which IE sends. A version that is not HTTP/1, two
spaces, line ends before the first line, and codings besides that in chunks are not.

A browser sends the same lines with each of its requests, and so do other browsers of its kind. So the lines of heads
that have come are kept, and are read once. Only lines that browsers send are kept, and ``Prefer`` of programs, within a
bound: none that may hold a secret, and none that says how a body comes, but its length. Two lines are each request's
own: the length of its body, and the key of its session. Of these it is kept that they are there, and not what they say.

A page says the same lines again and again on one connection, with what is its own. So each connection keeps the lines
of its last head, if others may share them.
"""

from __future__ import annotations

import re

import httptools
from tornado.httputil import HTTPHeaders

from dispatcher.transport.fronts.policy import host_and_path, keeps_alive

__all__ = ["LONGEST_KEPT", "MOST_KEPT", "BadRequestError", "HeadReader", "LastLines", "RequestHead"]

#: The first line as RFC 9112 has it, with any method and with bytes above 127 in the address.
_FIRST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_PLAIN_FIRST_LINE = b"GET / HTTP/1.1"
#: What each request says for itself, and what is read in its place: whoever reads one such value there reads any. Of a
#: length, 18 digits are no more than httptools takes.
_OWN = (
    ("content-length", re.compile(rb"\r\nContent-Length: ([0-9]{1,18})\r\n"), b"0"),
    ("x-pagehand-session", re.compile(rb"\r\nX-Pagehand-Session: ([A-Za-z0-9_-]{16,64})\r\n"), b"-"),
)

#: How many heads' lines are kept, and how long they may be.
MOST_KEPT = 256
LONGEST_KEPT = 1_024
#: What browsers send with requests of a page, and who waits for a job; no cookie and no token.
_KEPT = frozenset((
    "host", "connection", "user-agent", "accept", "accept-charset", "accept-encoding", "accept-language",
    "cache-control", "content-length", "content-type", "dnt", "origin", "pragma", "prefer", "priority", "referer",
    "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
))  # fmt: skip


class BadRequestError(Exception):
    """What came is no request that can be read in one way only."""


class HeadLines:
    """The lines behind the first one, and what every request is asked of them; many heads may share them."""

    __slots__ = ("asks_first", "fields", "is_chunked", "is_kept", "upgrades", "wants_close")

    def __init__(self, fields: dict[str, str]) -> None:
        #: By their names in lower case.
        self.fields = fields
        #: Whether a body comes in chunks.
        self.is_chunked = "transfer-encoding" in fields
        #: Whether the client waits for ``100 Continue`` before it sends the body.
        self.asks_first = fields.get("expect") == "100-continue"
        #: Whether the client asks for another protocol.
        self.upgrades = "upgrade" in fields
        self.wants_close = fields.get("connection", "").lower() == "close"
        #: Whether other heads may share them.
        self.is_kept = False


class LastLines:
    """The lines of the last head of one connection, as they came and as they were read."""

    __slots__ = ("data", "fields", "length", "lines")

    #: Empty: there are none yet.
    data: bytes
    lines: HeadLines
    fields: dict[str, str]
    #: The declared length of the body.
    length: int

    def __init__(self) -> None:
        self.data = b""

    def take(self, data: bytes, lines: HeadLines, own: dict[str, str]) -> None:
        """These are the last ones now. ``own``: the fields that other heads with these lines do not share."""
        self.data, self.lines = data, lines
        self.fields = {**lines.fields, **own} if own else lines.fields
        self.length = int(self.fields.get("content-length", 0))


class RequestHead:
    """A head. It is the headers too, for a guard: see ``HeadersLike``."""

    __slots__ = ("_fields", "length", "lines", "method", "target", "version")

    def __init__(self, method: str, target: str, version: str, last: LastLines) -> None:
        self.lines = last.lines
        self._fields = last.fields
        self.length = last.length
        self.method = method
        self.target = target
        self.version = version

    def get(self, name: str, default: str | None = None, /) -> str | None:
        """The value of a header; values of headers with the same name are joined."""
        return self._fields.get(name.lower(), default)

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def keeps_alive(self) -> bool:
        """Whether the connection lives on after the answer."""
        if self.version == "HTTP/1.1":
            return not self.lines.wants_close
        return keeps_alive(self.version, self.method, self)

    def headers(self) -> HTTPHeaders:
        """The headers as Tornado has them."""
        headers = HTTPHeaders()
        for name, value in self._fields.items():
            headers[name] = value
        return headers

    def take_whole_address(self) -> None:
        """Reads ``GET http://host/path`` as its path. The host in it counts."""
        read = host_and_path(self.target)
        if read is not None:
            host, self.target = read
            self._fields = {**self._fields, "host": host}


class HeadReader:
    """Reads heads, and keeps the lines of some."""

    def __init__(self) -> None:
        #: Lines as they come, without what is each request's own; what was kept first goes first.
        self._known: dict[bytes, HeadLines] = {}

    def read(self, data: bytes, last: LastLines | None = None) -> RequestHead:
        """Reads a head; ``data`` is just that, with its last empty line. Raises BadRequestError.

        ``last``: of its connection; None: it has had no head.
        """
        first = _FIRST_LINE.match(data)
        if first is None:
            raise BadRequestError("the first line")
        method, target, minor = first.groups()
        data = data[first.end() - 2 :]
        last = last or LastLines()
        if data != last.data:
            lines, own = self._lines_of(data)
            if not lines.is_kept:  # the connection has no part in it
                last = LastLines()
            last.take(data, lines, own)
        version = "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
        head = RequestHead(method.decode(), target.decode("latin-1"), version, last)
        if not target.startswith(b"/"):
            head.take_whole_address()
        return head

    def _lines_of(self, data: bytes) -> tuple[HeadLines, dict[str, str]]:
        """What these lines say, and what is their own; they begin with the first line's end."""
        shared, own = _shared(data)
        lines = self._known.get(shared)
        if lines is None:
            lines = HeadLines(_read(shared))
            if any(lines.fields[name] != stand_in.decode() for name, _, stand_in in _OWN if name in own):
                return HeadLines(_read(data)), {}  # the name stands twice: another value belongs to it, too
            self._keep(shared, lines, own)
        return lines, own

    def _keep(self, data: bytes, lines: HeadLines, own: dict[str, str]) -> None:
        """Keeps the lines for other heads, if they may be kept."""
        if len(data) <= LONGEST_KEPT and _KEPT.issuperset(lines.fields.keys() - own.keys()):
            if len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[data] = lines
            lines.is_kept = True


def _shared(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The lines without what is their own, and that."""
    own: dict[str, str] = {}
    for name, pattern, stand_in in _OWN:
        found = pattern.search(data)
        if found is not None:
            own[name] = found[1].decode()
            data = data[: found.start(1)] + stand_in + data[found.end(1) :]
    return data, own


class _Told:
    """What httptools tells of the lines."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        name = name.lower()
        fields = self.fields
        fields[name] = fields[name].rstrip() + b"," + value if name in fields else value


def _read(lines: bytes) -> dict[str, str]:
    """The fields, by their names in lower case. Raises BadRequestError."""
    told = _Told()
    try:
        httptools.HttpRequestParser(told).feed_data(_PLAIN_FIRST_LINE + lines)
    except httptools.HttpParserUpgrade:
        pass  # the sessions or the application see the header and decide
    except httptools.HttpParserError as error:
        raise BadRequestError(str(error)) from None
    fields = {name.decode("latin-1"): value.rstrip().decode("latin-1") for name, value in told.fields.items()}
    coding = fields.get("transfer-encoding")
    if coding is not None and (coding.lower() != "chunked" or "content-length" in fields):
        raise BadRequestError("Transfer-Encoding")  # another coding, or a length too
    return fields
