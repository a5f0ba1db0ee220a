"""Reads the head of a request, strictly: what two readers could read in two ways is no head. No I/O.

httptools reads it. Some things it takes that we refuse, as Tornado does: a version that is not HTTP/1, two spaces in
the first line, line ends before it, and codings besides that in chunks. Others it refuses that we take, as Tornado
does: methods that it has never heard of, and bytes above 127 in an address, which IE sends.
"""

from __future__ import annotations

import re
from functools import lru_cache

import httptools
from tornado.httputil import HTTPHeaders

from dispatcher.transport.fronts.policy import host_and_path

__all__ = ["BadRequestError", "RequestHead", "read_head"]

#: The first line as RFC 9112 has it, with any method and with bytes above 127 in the address.
_FIRST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_PLAIN_FIRST_LINE = b"GET / HTTP/1.1\r\n"


@lru_cache(256)
def _key(name: str) -> bytes:
    return name.lower().encode()


class BadRequestError(Exception):
    """What came is no request that can be read in one way only."""


class RequestHead:
    """A head; also what httptools tells its parts. It is the headers too, for a guard: see ``HeadersLike``."""

    __slots__ = ("_fields", "method", "target", "version")

    def __init__(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        self.method = ""
        self.target = ""
        self.version = "HTTP/1.1"

    def on_url(self, url: bytes) -> None:
        """Called by httptools."""
        self.target = url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        name = name.lower()
        fields = self._fields
        fields[name] = fields[name].rstrip() + b"," + value if name in fields else value

    def get(self, name: str, default: str | None = None, /) -> str | None:
        """The value of a header; values of headers with the same name are joined."""
        value = self._fields.get(_key(name))
        return default if value is None else value.rstrip().decode("latin-1")

    def __contains__(self, name: object, /) -> bool:
        return isinstance(name, str) and _key(name) in self._fields

    @property
    def is_chunked(self) -> bool:
        """Whether a body comes in chunks. Raises BadRequestError for any other coding, and if there is a length too."""
        coding = self._fields.get(b"transfer-encoding")
        if coding is None:
            return False
        if coding.rstrip().lower() != b"chunked" or b"content-length" in self._fields:
            raise BadRequestError("Transfer-Encoding")
        return True

    @property
    def length(self) -> int:
        """The declared length of the body."""
        return int(self._fields.get(b"content-length", b"0"))

    @property
    def asks_first(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the body."""
        return self._fields.get(b"expect", b"").rstrip() == b"100-continue"

    def headers(self) -> HTTPHeaders:
        """The headers as Tornado has them."""
        headers = HTTPHeaders()
        for name, value in self._fields.items():
            headers[name.decode("latin-1")] = value.rstrip().decode("latin-1")
        return headers

    def take_whole_address(self) -> None:
        """Reads ``GET http://host/path`` as its path. The host in it counts."""
        read = host_and_path(self.target)
        if read is not None:
            host, self.target = read
            self._fields[b"host"] = host.encode("latin-1")


def read_head(data: bytes) -> RequestHead:
    """Reads a head; ``data`` is just that, with its last empty line. Raises BadRequestError."""
    head = RequestHead()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # the sessions or the application see the header and decide
    except (httptools.HttpParserInvalidMethodError, httptools.HttpParserInvalidURLError):
        return _read_rare_head(data)
    except httptools.HttpParserError as error:
        raise BadRequestError(str(error)) from None
    version = parser.get_http_version()
    if version != "1.1":
        if version != "1.0":
            raise BadRequestError(f"HTTP/{version}")
        head.version = "HTTP/1.0"
    method = parser.get_method()
    if not data.startswith(b"%b %b HTTP/1." % (method, head.target.encode("latin-1"))):
        raise BadRequestError("the first line")  # two spaces, or a line end before it
    head.method = method.decode()
    if not head.target.startswith("/"):
        head.take_whole_address()
    return head


def _read_rare_head(data: bytes) -> RequestHead:
    """Reads the first line by itself and the rest as that of a usual head."""
    line = _FIRST_LINE.match(data)
    if line is None:
        raise BadRequestError("the first line")
    head = read_head(_PLAIN_FIRST_LINE + data[line.end() :])
    head.method, head.target = line[1].decode(), line[2].decode("latin-1")
    head.version = f"HTTP/1.{line[3].decode()}"
    if not head.target.startswith("/"):
        head.take_whole_address()
    return head
