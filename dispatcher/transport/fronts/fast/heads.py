"""Reads the head of a request, strictly: what two readers could read in two ways is no head. No I/O.

We read the first line ourselves, and httptools reads the lines behind it. So a method that nobody has heard of is
taken, as Tornado does, and so are bytes above 127 in an address, which IE sends. A version that is not HTTP/1, two
spaces, line ends before the first line, and codings besides that in chunks are not.

A browser sends the same lines with each of its requests, and so do other browsers of its kind. So the lines of heads
that have come are kept, and are read once. Only lines that browsers send are kept, within a bound: none that may hold a
secret, and none that says how a body comes, but its length.
"""

from __future__ import annotations

import re

import httptools
from tornado.httputil import HTTPHeaders

from dispatcher.transport.fronts.policy import host_and_path

__all__ = ["LONGEST_KEPT", "MOST_KEPT", "BadRequestError", "HeadReader", "RequestHead"]

#: The first line as RFC 9112 has it, with any method and with bytes above 127 in the address.
_FIRST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_PLAIN_FIRST_LINE = b"GET / HTTP/1.1"
#: Each result has its own length; 18 digits are no more than httptools takes.
_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]{1,18})\r\n")

#: How many heads' lines are kept, and how long they may be.
MOST_KEPT = 256
LONGEST_KEPT = 1_024
#: What browsers send with requests of a page, and no cookie and no token.
_KEPT = frozenset((
    "host", "connection", "user-agent", "accept", "accept-charset", "accept-encoding", "accept-language",
    "cache-control", "content-length", "content-type", "dnt", "origin", "pragma", "priority", "referer",
    "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
))  # fmt: skip


class BadRequestError(Exception):
    """What came is no request that can be read in one way only."""


class RequestHead:
    """A head. It is the headers too, for a guard: see ``HeadersLike``."""

    __slots__ = ("_fields", "length", "method", "target", "version")

    def __init__(self, method: str, target: str, version: str, fields: dict[str, str]) -> None:
        """``fields`` by their names in lower case; other heads may share them."""
        self._fields = fields
        self.method = method
        self.target = target
        self.version = version
        #: The declared length of the body.
        self.length = int(fields.get("content-length", "0"))

    def get(self, name: str, default: str | None = None, /) -> str | None:
        """The value of a header; values of headers with the same name are joined."""
        return self._fields.get(name.lower(), default)

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    @property
    def is_chunked(self) -> bool:
        """Whether a body comes in chunks."""
        return "transfer-encoding" in self._fields

    @property
    def asks_first(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the body."""
        return self._fields.get("expect") == "100-continue"

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
        #: Lines, with 0 for the length of the body -> their fields; what was kept first goes first.
        self._known: dict[bytes, dict[str, str]] = {}

    def read(self, data: bytes) -> RequestHead:
        """Reads a head; ``data`` is just that, with its last empty line. Raises BadRequestError."""
        first = _FIRST_LINE.match(data)
        if first is None:
            raise BadRequestError("the first line")
        method, target, minor = first.groups()
        fields = self._fields_of(data[first.end() - 2 :])
        version = "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
        head = RequestHead(method.decode(), target.decode("latin-1"), version, fields)
        if not target.startswith(b"/"):
            head.take_whole_address()
        return head

    def _fields_of(self, lines: bytes) -> dict[str, str]:
        """``lines`` begins with the end of the first line."""
        length = _LENGTH.search(lines)
        # Whoever reads one number in this place reads any, and lines that say 0 themselves find the same place.
        key = lines if length is None else lines[: length.start(1)] + b"0" + lines[length.end(1) :]
        known = self._known.get(key)
        if known is None:
            fields = _read(lines)
            self._keep(key, fields)
            return fields
        return known if length is None else {**known, "content-length": length[1].decode()}

    def _keep(self, key: bytes, fields: dict[str, str]) -> None:
        if len(key) <= LONGEST_KEPT and _KEPT.issuperset(fields):
            if len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = fields


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
