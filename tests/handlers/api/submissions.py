"""Requests for ``/api/v1/jobs``, as bytes: good ones, and each kind that is refused or is otherwise not plain."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PAGE", "PLAIN", "SUBMISSIONS", "TOKEN", "Submission"]

TOKEN = "0b6f1c0e-s3cret"
PAGE = "https://intranet.example"
_BODY = b'{"type":"echo","data":{"n":1.0}}'
_JSON = "Content-Type: application/json"
_BEARER = f"Authorization: Bearer {TOKEN}"


class Submission(NamedTuple):
    """One or more requests on one connection."""

    name: str
    sent: bytes
    #: Whether the short way takes it, all of them if there are several.
    is_plain: bool
    #: How many answers there are.
    answers: int = 1
    #: What the server's log says of it.
    log: str = ""


def _request(*lines: str, body: bytes = _BODY, first: str = "POST /api/v1/jobs HTTP/1.1", host: str = "localhost",
             length: str | None = "", close: bool = True) -> bytes:  # fmt: skip
    named = [f"Host: {host}"] if host else []
    sized = [] if length is None else [f"Content-Length: {length or len(body)}"]
    ends = ["Connection: close"] if close else []
    head = "\r\n".join([first, *named, *ends, *sized, *lines])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def _with(*lines: str, body: bytes = _BODY, **how: str | None) -> bytes:
    return _request(_JSON, _BEARER, "X-Request-Id: r-1", *lines, body=body, **how)  # type: ignore[arg-type]


def _kind(kind: str, *lines: str, body: bytes = _BODY) -> bytes:
    return _request(f"Content-Type: {kind}", _BEARER, "X-Request-Id: r-1", *lines, body=body)


def _job(fields: str) -> bytes:
    return b'{"type":"echo",%b}' % fields.encode()


_CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY)
_KEPT = _request(_JSON, _BEARER, "X-Request-Id: r-1", close=False)
_KEYED = _request(_JSON, _BEARER, "X-Request-Id: r-1", "Idempotency-Key: k-1", close=False)
_OTHER_KEYED = _with("Idempotency-Key: k-1", body=b'{"type":"other"}')

#: What the short way takes.
PLAIN = [
    ("a job", _with()),
    ("without an id of its own", _request(_JSON, _BEARER)),
    ("with an odd id", _request(_JSON, _BEARER, "X-Request-Id: a b")),
    ("with every field", _with(body=_job('"priority":3,"delay_s":5,"max_attempts":2,"requires":{"name":"DESK"}'))),
    ("an id of its own, twice", _with("X-Request-Id: r-2")),
    ("on a connection that lives on", _KEPT + _with()),
    ("many at once", _KEPT * 30 + _with()),
    ("a refused one before a good one", _request(_JSON, close=False) + _with()),
    ("a key", _with("Idempotency-Key: k-1")),
    ("a key again", _KEYED + _with("Idempotency-Key: k-1")),
    ("a key again, and a wait", _KEYED + _with("Idempotency-Key: k-1", "Prefer: wait=0")),
    ("a key with another job", _KEYED + _OTHER_KEYED),
    ("an empty key", _with("Idempotency-Key:")),
    ("a long key", _with("Idempotency-Key: " + "k" * 256)),
    ("an odd key", _with("Idempotency-Key: \xe9")),
    ("a wait of nothing", _with("Prefer: wait=0")),
    ("a preference that nobody knows", _with("Prefer: respond-async")),
    ("the token in its other header", _request(_JSON, f"X-Pagehand-Token: {TOKEN}", "X-Request-Id: r-1")),
    ("no token", _request(_JSON, "X-Request-Id: r-1")),
    ("a wrong token", _request(_JSON, "Authorization: Bearer wrong", "X-Request-Id: r-1")),
    ("the sign-in of a proxy", _request(_JSON, "Authorization: Basic YW5uYTp4", "X-Request-Id: r-1")),
    ("a foreign host", _with(host="evil.example")),
    ("another port", _with(host="localhost:1")),
    ("our own page", _with("Origin: http://localhost")),
    ("an allowed page", _with(f"Origin: {PAGE}")),
    ("an allowed page without the token", _request(_JSON, f"Origin: {PAGE}", "X-Request-Id: r-1")),
    ("a bad job of an allowed page", _with(f"Origin: {PAGE}", body=b"{}")),
    ("a foreign page", _with("Origin: https://evil.example")),
    ("a page without an origin", _with("Origin: null")),
    ("a charset", _kind("Application/JSON; charset=UTF-8")),
    ("another charset", _kind("application/json; charset=latin-1")),
    ("a mark", _with(body=b"\xef\xbb\xbf" + _BODY)),
    ("two marks", _with(body=b"\xef\xbb\xbf" * 2 + _BODY)),
    ("UTF-16", _with(body=_BODY.decode().encode("utf-16"))),
    ("Latin-1", _with(body=b'{"type":"echo","data":"\xe9"}')),
    ("no JSON", _with(body=b"type=echo")),
    ("half of it", _with(body=_BODY[:-1])),
    ("more than one", _with(body=_BODY * 2)),
    ("deep JSON", _with(body=_job('"data":' + "[" * 5_000 + "]" * 5_000))),
    ("an array", _with(body=b"[]")),
    ("an empty job", _with(body=b"{}")),
    ("an odd type", _with(body=b'{"type":"a b"}')),
    ("a field that is none", _with(body=_job('"prioritty":1'))),
    ("a field out of range", _with(body=_job('"priority":1e9'))),
    ("a field twice", _with(body=_job('"data":1,"data":2'))),
    ("a label twice", _with(body=_job('"requires":{"name":"A","name":"B"}'))),
    ("an end before its beginning", _with(body=_job('"delay_s":5,"expires_s":5'))),
    ("data as large as it may be", _with(body=b'{"type":"echo","data":"%b"}' % (b"d" * 9_998))),
    ("data over the limit", _with(body=b'{"type":"echo","data":"%b"}' % (b"d" * 9_999))),
    ("a large body with small data", _with(body=_BODY + b" " * 16_000)),
]
#: What a handler takes.
ODD = [
    ("over the limit", _with(body=b"x" * 30_000)),
    ("over the limit by far", _with(body=b"", length=str(1 << 40))),
    ("no body", _with(body=b"")),
    ("no length", _with(body=b"", length=None)),
    ("an odd length", _with(length="+32")),
    ("in chunks", _with("Transfer-Encoding: chunked", body=_CHUNKED, length=None)),
    ("in chunks, over the limit", _with("Transfer-Encoding: chunked", length=None,
                                        body=b"7530\r\n%b\r\n0\r\n\r\n" % (b"x" * 30_000))),
    ("asks first", _with("Expect: 100-continue")),
    ("asks first, refused", _request(_JSON, "Expect: 100-continue", "X-Request-Id: r-1")),
    ("compressed", _with("Content-Encoding: gzip")),
    ("not compressed, and says so", _with("Content-Encoding: identity")),
    ("HTTP/1.0", _with(first="POST /api/v1/jobs HTTP/1.0")),
    ("HTTP/1.0 without a host", _with(first="POST /api/v1/jobs HTTP/1.0", host="")),
    ("no host", _with(host="")),
    ("an odd host", _with(host="a/b")),
    ("two hosts", _with("Host: localhost")),
    ("a query", _with(first="POST /api/v1/jobs?wait=5 HTTP/1.1")),
    ("an empty query", _with(first="POST /api/v1/jobs? HTTP/1.1")),
    ("a slash too many", _with(first="POST /api/v1/jobs/ HTTP/1.1")),
    ("a form", _kind("application/x-www-form-urlencoded", body=b"type=echo&data=1&format=json")),
    ("a form of a foreign page", _request("Content-Type: application/x-www-form-urlencoded", body=b"type=echo")),
    ("no media type", _request(_BEARER, "X-Request-Id: r-1")),
    ("an odd media type", _kind("application/json, text/plain")),
    ("a media type that is close", _kind("application/jsonx")),
    ("two media types", _kind("application/json", _JSON)),
    ("the list", _with(first="GET /api/v1/jobs HTTP/1.1", body=b"")),
    ("its head", _with(first="HEAD /api/v1/jobs HTTP/1.1", body=b"")),
    ("what it takes", _with(first="OPTIONS /api/v1/jobs HTTP/1.1", body=b"")),
    ("asks for a page", _with(f"Origin: {PAGE}", "Access-Control-Request-Method: POST",
                              first="OPTIONS /api/v1/jobs HTTP/1.1", body=b"")),
    ("PUT", _with(first="PUT /api/v1/jobs HTTP/1.1")),
    ("BREW", _with(first="BREW /api/v1/jobs HTTP/1.1")),
    ("post in small letters", _with(first="post /api/v1/jobs HTTP/1.1")),
]  # fmt: skip
_SEVERAL = {
    "on a connection that lives on": 2,
    "many at once": 31,
    "a refused one before a good one": 2,
    "a key again": 2,
    "a key again, and a wait": 2,
    "a key with another job": 2,
    "asks first": 2,
}
_LOGS = {
    "a foreign host": "forbidden_host",
    "a foreign page": "forbidden_origin",
    "a page without an origin": "forbidden_origin",
}
SUBMISSIONS = [
    Submission(name, sent, is_plain, _SEVERAL.get(name, 1), _LOGS.get(name, ""))
    for is_plain, table in ((True, PLAIN), (False, ODD))
    for name, sent in table
]
