"""What a proxy makes of messages: other headers, other forms, and answers of its own."""

from __future__ import annotations

from dataclasses import replace

from tests.support.http_bytes import Message

__all__ = ["gateway", "rewritten", "words"]

_STRIPPED = {"origin", "referer", "user-agent", "accept-encoding", "cache-control", "connection", "server", "date"}
_FORWARDED = (("X-Forwarded-For", "6.6.6.6, 10.0.0.1"), ("X-Real-IP", "6.6.6.6"), ("Via", "1.1 toxic"))


def words(request: Message) -> str:
    return f"{request.method} {request.target}"


def rewritten(message: Message, rewrite: frozenset[str], method: str) -> bytes:
    """The message in the form in which it goes on."""
    headers, answers = message.headers, message.start.startswith("HTTP/")
    if "strip" in rewrite:
        headers = tuple(pair for pair in headers if pair[0].lower() not in _STRIPPED)
    if "forwarded" in rewrite:
        headers += _FORWARDED
    if "lower" in rewrite:
        headers = tuple((name.lower(), value) for name, value in headers)
    message = replace(message, headers=headers)
    if "chunked" in rewrite and answers and message.body and message.get("content-length") and method != "HEAD":
        message = message.chunked()
    return message.encoded()


def gateway(status: int) -> bytes:
    """A proxy's own answer: HTML, with nothing of ours."""
    body = f"<html><body><h1>{status} Gateway trouble</h1></body></html>"
    head = f"HTTP/1.1 {status} Gateway trouble\r\nContent-Type: text/html\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
