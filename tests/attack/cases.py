"""Hostile requests for every address of the server, drawn from a seed.

Pure: a random number generator in, bytes out. A case says whether it is one whole request by the rules of HTTP
(``framed``), so that an answer must come, or something that may only end the connection.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote_from_bytes, urlencode

from tests.attack.mutations import VALUES, mutate
from tests.attack.paths import PATHS, WORKER_ORDERS

__all__ = ["XSRF", "Case", "Maker", "malformed_packet", "odd_message"]

HEAD_LIMIT = 16 * 1024
XSRF = "0123456789abcdef0123456789abcdef"
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get", "X")
_POSTED = (
    "worker-action", "worker-gate", "type-action", "api-type-pause", "api-type-resume",
    "jobs-act", "operation-button", "failures-again", "rollout-button", "api-rollout", "workers-act",
    "api-worker-actions",
    "job-action", "submit", "login", "logout", "me", "api-jobs", "api-batch", "api-cancel",
    "api-retry", "api-decide", "api-adopt", "api-duplicate", "api-wait", "engine.io",
    *(f"api-worker-{order}" for order in WORKER_ORDERS),
)  # fmt: skip
#: Those that take forms.
_FORMS = (
    "submit", "login", "logout", "me", "job-action", "worker-action", "worker-gate", "type-action", "jobs-act",
    "workers-act", "operation-button", "failures-again", "rollout-button",
)  # fmt: skip
_FILES: tuple[str, ...] = (
    "worker.js", "page.js", "console.css", "tasks/echo.js", "..", "../server.py", "..%2f..%2fserver.py",
    "%2e%2e/%2e%2e/server.py", "....//server.py", "worker.js%00.css", "\\..\\server.py", "tasks", "tasks/", "%ff",
)  # fmt: skip
_FIELDS = (
    "type", "data", "priority", "delay_s", "timeout_s", "max_attempts", "max_crashes", "expires_s", "effects",
    "heartbeat_s", "outcome", "value", "reason", "x",
)  # fmt: skip
_QUERY = (
    "state",
    "after",
    "job",
    "type",
    "limit",
    "cursor",
    "wait",
    "refresh",
    "full",
    "like",
    "next",
    "v",
    "verbose",
    "j",
    "t",
    "",
    "_xsrf",
)
_QUERYVALUES = (
    "",
    "0",
    "1",
    "100",
    "101",
    "-1",
    "queued",
    "echo",
    "%00",
    "%ff%fe",
    "%",
    "%zz",
    "a" * 2_000,
    "//x",
    "\xb2",
)
_OPS = (
    "register",
    "accept",
    "progress",
    "log",
    "result",
    "error",
    "released",
    "pause",
    "resume",
    "doubt",
    "bye",
    "nonsense",
    "",
)
#: Values of headers that the server reads.
_HEADERS: dict[str, Sequence[str]] = {
    "Accept": ("text/html", "*/*", "application/json", "x" * 500),
    "Accept-Encoding": ("gzip", "br;q=1", "\xff"),
    "Authorization": ("Bearer x", "Bearer \xff\xfe", "Basic eDp4", "Bearer", "bearer " + "y" * 3_000),
    "Content-Encoding": ("gzip", "deflate", "br"),
    "Cookie": ("a=b", "pagehand_xsrf=\xff", "pagehand_xsrf=2|zz|zz|1", ";" * 500, 'x="\\999"', "=" * 300, "a" * 2_000),
    "Expect": ("100-continue", "200-ok"),
    "Host": ("evil.example", "[::1", "127.0.0.1:99999", "", "a@b", "127.0.0.1, x", "\xff"),
    "Idempotency-Key": ("k", "k" * 255, "k" * 256, "\xff", ""),
    "If-Modified-Since": ("Mon, 01 Jan 2020 00:00:00 GMT", "yesterday", "Mon, 01 Jan 99999 00:00:00 GMT", "\xff"),
    "If-None-Match": ("*", '"x"', 'W/"', ",".join(['"x"'] * 300)),
    "Origin": ("null", "http://evil.example", "http://[", "http://127.0.0.1:x", "\xff", "http://127.0.0.1"),
    "Prefer": ("wait=1", "wait=0", "wait=\xb2", "respond-async, wait=1", "wait"),
    "Range": ("bytes=0-5", "bytes=-5", "bytes=5-1", "bytes=9999999999-", "bytes=0-0,1-1", "bytes=--1", "x=\xff"),
    "Upgrade": ("websocket", "h2c"),
    "User-Agent": ("\x1b[2Jx", "y" * 2_000, "\xff\xfe"),
    "X-Forwarded-For": ("1.2.3.4", "x, y", "\xff"),
    "X-Http-Method-Override": ("DELETE",),
    "X-Request-Id": ("ok-1", "a" * 100, "\xff", "a\tb"),
    "X-Scheme": ("https", "gopher"),
    "X-Xsrftoken": (XSRF, "x", "\xff"),
}


class Case(NamedTuple):
    """What to send."""

    data: bytes
    #: Whether it is one whole request: then an answer must come, and the connection may be used again.
    framed: bool
    method: str = ""


class Maker:
    """Makes cases for one server."""

    def __init__(self, port: int, job_ids: Sequence[str], sids: Callable[[], str]) -> None:
        self._host = f"127.0.0.1:{port}"
        self._job_ids = job_ids
        self._sids = sids

    def case(self, rng: random.Random, name: str) -> Case:
        """A case for the route of this name, or for none (``raw``)."""
        if name == "raw":
            return self._raw(rng)
        usual = "POST" if name in _POSTED and rng.random() < 0.8 else "GET"
        method = usual if rng.random() < 0.8 else rng.choice(METHODS)
        target = self._target(rng, name)
        kind, body = (
            self._body(rng, name) if method not in ("GET", "HEAD", "TRACE") or rng.random() < 0.1 else ("", b"")
        )
        chunked = bool(body) and rng.random() < 0.1
        lines = [f"{method} {target} HTTP/1.1", *self._headers(rng, kind)]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
            body = _chunks(rng, body)
        elif body or method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {len(body)}")
        top = "\r\n".join([*lines, "", ""]).encode("latin-1")
        # Tornado closes the connection without a word if a head is too large.
        data, framed = top + body, len(top) <= HEAD_LIMIT
        if rng.random() < 0.15:
            data, framed = self._break(rng, data), False
        return Case(data, framed, method)

    def _break(self, rng: random.Random, data: bytes) -> bytes:
        """The same request, mutated in its head, cut off, or with another one behind it."""
        end = data.find(b"\r\n\r\n") + 4
        match rng.randrange(3):
            case 0:
                return mutate(rng, data[:end]) + data[end:]
            case 1:
                return data[: rng.randint(1, len(data))]
            case _:
                return data * rng.randint(2, 4) if len(data) < 5_000 else data[:end]

    def _raw(self, rng: random.Random) -> Case:
        size = rng.choice((3, 40, 400, 2_000, 20_000))
        match rng.randrange(4):
            case 0:
                data = rng.randbytes(size)
            case 1:
                data = rng.choice(
                    (b"\x16\x03\x01\x02\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n")
                ) + rng.randbytes(size)
            case 2:
                data = b"GET / HTTP/1.1\r\n" + b"".join(
                    rng.randbytes(rng.randint(1, 30)) + b"\r\n" for _ in range(rng.randint(1, 50))
                )
            case _:
                data = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + rng.randbytes(size)
        return Case(data, framed=False)

    def _target(self, rng: random.Random, name: str) -> str:
        junk = quote_from_bytes(rng.randbytes(rng.randint(1, 40)))
        target = PATHS[name].format_map(
            {
                "id": rng.choice(self._job_ids)
                if rng.random() < 0.5
                else rng.choice((junk, "x" * 64, "-", "_", "x" * 65)),
                "action": rng.choice(("cancel", "retry", "succeeded", "failed", "reopen", "adopt", "nonsense")),
                "file": rng.choice(_FILES) if rng.random() < 0.8 else junk,
                "task": rng.choice(("echo", "word-count", "thumbnail", junk, "a" * 100, "..", "index.json")),
                "junk": rng.choice((junk, "v1/", "v2/jobs", "x/" * 100, "%", "%u1234", "a//b", "~", "favicon.ico")),
            }
        )
        if name == "engine.io":
            return target + self._engine_query(rng)
        if rng.random() < 0.4:
            pairs = [
                f"{rng.choice(_QUERY)}={self._query_value(rng)}" for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 3, 20)))
            ]
            target += "?" + "&".join(pairs).replace(" ", "+")
        if rng.random() < 0.05:
            target = rng.choice(
                ("*", f"http://{self._host}{target}", f"//evil.example{target}", target + "#x", "/" + target)
            )
        return target

    @staticmethod
    def _query_value(rng: random.Random) -> str:
        return rng.choice(_QUERYVALUES) if rng.random() < 0.8 else quote_from_bytes(rng.randbytes(rng.randint(1, 20)))

    def _engine_query(self, rng: random.Random) -> str:
        sid = self._sids() if rng.random() < 0.6 else quote_from_bytes(rng.randbytes(9))
        pairs = [("EIO", rng.choice("444443")), ("transport", rng.choice(("polling",) * 5 + ("websocket",)))]
        if rng.random() < 0.9:
            pairs.append(("sid", sid))
        if rng.random() < 0.2:
            pairs.append((rng.choice(("j", "t", "sid", "EIO", "b64", "")), self._query_value(rng)))
        rng.shuffle(pairs)
        return "?" + "&".join(f"{name}={value}" for name, value in pairs)

    def _headers(self, rng: random.Random, kind: str) -> list[str]:
        given = {"Host": self._host}
        if kind:
            given["Content-Type"] = kind
        if rng.random() < 0.5:
            given["Cookie"] = f"pagehand_xsrf={XSRF}"
        for _ in range(rng.choice((0, 0, 0, 1, 2, 5))):
            name = rng.choice(tuple(_HEADERS))
            given[name] = rng.choice(_HEADERS[name])
        return [f"{name}: {value}" for name, value in given.items()]

    def _body(self, rng: random.Random, name: str) -> tuple[str, bytes]:
        """A content type, and a body that may fit it."""
        if name == "engine.io":
            return "text/plain", b"\x1e".join(_packet(rng) for _ in range(rng.choice((1, 1, 2, 5, 40, 1_100))))
        form = name in _FORMS
        kind, body = _form(rng) if form != (rng.random() < 0.1) else ("application/json", _job(rng))
        if name == "api-batch" and rng.random() < 0.9:
            kind, body = _batch(rng)
        if rng.random() < 0.3:
            body = mutate(rng, body)
        if rng.random() < 0.05:
            body = rng.randbytes(rng.choice((1, 100, 5_000, 70_000)))
        if rng.random() < 0.1:
            kind = rng.choice(
                ("text/plain", "", "application/json; charset=utf-16", "multipart/form-data", "\xff", "a" * 300)
            )
        return kind, body


def _chunks(rng: random.Random, body: bytes) -> bytes:
    pieces, at = [], 0
    while at < len(body):
        piece = body[at : at + rng.randint(1, max(1, len(body) // 3))]
        pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        at += len(piece)
    return b"".join(pieces) + b"0\r\n\r\n"


def _job(rng: random.Random) -> bytes:
    fields = rng.sample(_FIELDS, rng.randint(0, 5))
    members = [f'"{name}":{rng.choice(VALUES)}' for name in fields]
    if rng.random() < 0.7:
        members.append(f'"type":"fuzz-{rng.randrange(20)}"')
    return f"{{{','.join(members)}}}".encode("utf-8", "surrogatepass")


def _batch(rng: random.Random) -> tuple[str, bytes]:
    jobs = [_job(rng) for _ in range(rng.choice((0, 1, 2, 2, 3, 20, 1_001)))]
    if rng.random() < 0.5:
        return "application/x-ndjson", rng.choice((b"\n", b"\r\n", b"\n\n", b",")).join(jobs)
    return "application/json", b"[" + b",".join(jobs) + b"]"


def _form(rng: random.Random) -> tuple[str, bytes]:
    names = (
        "type",
        "type_choice",
        "format",
        "data",
        "priority",
        "delay_s",
        "timeout_s",
        "max_attempts",
        "image",
        "key",
    )
    fields = [("_xsrf", XSRF)] + [(name, rng.choice(VALUES)) for name in rng.sample(names, rng.randint(0, 6))]
    fields += [("token", "x"), ("next", rng.choice(("/", "//evil.example", "/\\x", "/jobs")))]
    if rng.random() < 0.6:
        fields.append(("type", f"fuzz-{rng.randrange(20)}"))
    if rng.random() < 0.5:
        return "application/x-www-form-urlencoded", urlencode(fields, errors="surrogatepass").encode()
    return _multipart(rng, fields)


def _multipart(rng: random.Random, fields: list[tuple[str, str]]) -> tuple[str, bytes]:
    boundary = rng.choice(("b", "x" * 70, '"q"', "a b", "--", "\xe9"))
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    name = rng.choice(("a.png", "", "../../x", '"; x="', "\u202egnp.exe", "x" * 500, "a\\", "%00", "utf-8''%ff"))
    how = rng.choice((f'filename="{name}"', f"filename*={name}", f"filename={name}"))
    kind = rng.choice(("image/png", "text/html", "x", "", "a/b; c=\xff"))
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; {how}\r\n'
        f"Content-Type: {kind}\r\n\r\nGIF89a\0\r\n"
    )
    text = "".join(parts) + f"--{boundary}--\r\n"
    return f"multipart/form-data; boundary={boundary}", text.encode("utf-8", "surrogatepass")


def _packet(rng: random.Random) -> bytes:
    return malformed_packet(rng) if rng.random() < 0.1 else b"4" + odd_message(rng)


def malformed_packet(rng: random.Random) -> bytes:
    """A packet that no page may send: by the protocol it gets 400 and ends the session."""
    junk = rng.randbytes(rng.choice((1, 2, 5, 30, 300))).replace(b"\x1e", b"?")
    match rng.randrange(7):
        case 0:
            return b""
        case 1:
            return rng.choice((b"0", b"2", b"5", b"6")) + junk
        case 2:
            return rng.choice((b"7", b"9", b"a", b" ", b"\xd9\xa4", b"\xef\xbb\xbf4")) + b"{}"
        case 3:
            return rng.choice((b"1", b"3")) + b"x" + junk.hex().encode()
        case 4:
            return b"b" + rng.choice((b"=", b"a", b"\xc3\xa9", b"aaa\n", b"a=aa", b"aaaa "))
        case 5:
            return b"4" + rng.choice((b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf8")) + junk
        case _:
            return b"d=4" + junk.hex().encode()


def odd_message(rng: random.Random) -> bytes:
    """A message that the worker protocol mostly does not have: it is refused with a reason, and the session lives."""
    fields = ["types", "boot", "version", "worker", "secret", "name", "slots", "holding", "finished", "labels", "page"]
    fields += [
        "job",
        "happened",
        "question",
        "attempt",
        "percent",
        "note",
        "line",
        "value",
        "message",
        "stack",
        "code",
        "retry",
        "elapsed_ms",
    ]
    members = [f'"{name}":{rng.choice(VALUES)}' for name in rng.sample(fields, rng.randint(0, 6))]
    text = f'{{"op":"{rng.choice(_OPS)}",{",".join(members)}}}' if members else rng.choice(VALUES)
    if rng.random() < 0.1:
        # It has a boot of its own: the same boot in another session would take it over and end this one.
        text = json.dumps(
            {
                "op": "register",
                "types": [f"fuzz-{rng.randrange(20)}"],
                "boot": f"b{rng.getrandbits(60):x}",
                "version": 1,
            }
        )
    data = text.encode("utf-8", "surrogatepass")
    return data if rng.random() < 0.7 else mutate(rng, data).replace(b"\x1e", b" ").decode("utf-8", "replace").encode()
