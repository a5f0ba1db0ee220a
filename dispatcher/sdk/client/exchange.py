"""One request and one answer, as values. Pure."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

__all__ = ["CUT", "ConnectionLost", "HttpCall", "ServerAnswer", "path_of", "whole", "words_of"]

JSON = "application/json"
CUT = "the answer ended in the middle"


class ConnectionLost(Exception):
    """No whole answer came. ``stale``: a kept connection had been closed before it was used again."""

    def __init__(self, why: str, *, stale: bool = False, hopeless: bool = False) -> None:
        super().__init__(why)
        self.stale = stale
        #: It would be the same again: a certificate that is not trusted.
        self.hopeless = hopeless


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request. It has the same bytes however often it is sent."""

    method: str
    target: str
    body: bytes | None = None
    key: str = ""
    #: The server may hold the answer for so long (``Prefer: wait``, or the query of a read).
    wait_s: int = 0
    content_type: str = JSON

    def headers(self) -> dict[str, str]:
        """Those of the request itself; the wire adds the token and the host."""
        found = {"Accept": "application/json", "User-Agent": "pagehand-client"}
        if self.method != "GET":
            found["Content-Type"] = self.content_type
        if self.key:
            found["Idempotency-Key"] = self.key
        if self.wait_s and self.method == "POST":
            found["Prefer"] = f"wait={self.wait_s}"
        return found


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """An answer, whole; the names of its headers are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON."""
        media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media == JSON or media.endswith("+json")


def whole(answer: ServerAnswer) -> ServerAnswer:
    """For an answer without a length, which the end of the connection ends: that may have been a break.

    ``http.client`` even takes half a head for a whole one. Raises ConnectionLost.
    """
    if not answer.body:
        raise ConnectionLost(CUT)
    if answer.is_json:
        try:
            json.loads(answer.body)
        except ValueError:
            raise ConnectionLost(CUT) from None
    return answer


def words_of(error: BaseException) -> str:
    """What has happened to a connection."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def path_of(*parts: str, **query: object) -> str:
    """An address under ``/api/v1``. What is None stays out of the query, a list stands there several times."""
    path = "/api/v1/" + "/".join(quote(part, safe="") for part in parts)
    given = {name: value for name, value in query.items() if value is not None}
    return path + ("?" + urlencode(given, doseq=True) if given else "")
