"""Reads the answer to a message, as far as it matters: status, ``Retry-After``, and whether it came whole.

An answer that is cut counts as none: the receiver may have been killed before it had kept the message.
"""

from __future__ import annotations

import asyncio

from msgspec import Struct

__all__ = ["MOST_BODY", "MOST_HEAD", "BadHookAnswer", "HookAnswerHead", "read_answer", "request_bytes"]

MOST_HEAD = 16 << 10
#: A longer body is read no further; the status counts.
MOST_BODY = 64 << 10


class BadHookAnswer(Exception):
    """What came is no answer, or only a part of one; the text says why."""


class HookAnswerHead(Struct, frozen=True):
    """What matters of an answer."""

    status: int
    retry_after: str | None


def request_bytes(method: str, path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request; nothing in it comes from users but what was checked."""
    fields = {"Host": host, **headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


async def read_answer(reader: asyncio.StreamReader) -> HookAnswerHead:
    """The answer, once it has come whole or its body is longer than ``MOST_BODY``. Raises BadHookAnswer, OSError."""
    status, fields = 100, dict[str, str]()
    while 100 <= status < 200:
        status, fields = _head(await _until(reader, b"\r\n\r\n", MOST_HEAD))
    if status not in (204, 304):
        await _body(reader, fields)
    return HookAnswerHead(status, fields.get("retry-after"))


async def _until(reader: asyncio.StreamReader, end: bytes, most: int) -> bytes:
    try:
        found = await reader.readuntil(end)
    except asyncio.IncompleteReadError as error:
        raise BadHookAnswer("the receiver closed the connection before it had answered" if not error.partial
                        else "the answer was cut") from None  # fmt: skip
    except asyncio.LimitOverrunError:
        raise BadHookAnswer(f"the answer's head is longer than {most:,} bytes") from None
    if len(found) > most:
        raise BadHookAnswer(f"the answer's head is longer than {most:,} bytes")
    return found


def _head(text: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = text.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit() and len(code) == 3):
        raise BadHookAnswer("what answered does not speak HTTP")
    fields = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    return int(code), fields


async def _body(reader: asyncio.StreamReader, fields: dict[str, str]) -> None:
    if "chunked" in fields.get("transfer-encoding", "").lower():
        await _chunks(reader)
        return
    length = fields.get("content-length")
    if length is None:
        await _up_to(reader, MOST_BODY)
        return
    if not (length.isascii() and length.isdigit()):
        raise BadHookAnswer("the answer's Content-Length is no number")
    wanted = min(int(length[:12]), MOST_BODY)
    if await _up_to(reader, wanted) < wanted:
        raise BadHookAnswer("the answer was cut")


async def _up_to(reader: asyncio.StreamReader, most: int) -> int:
    """How much came, until the end of the connection or of what is wanted."""
    got = 0
    while got < most and (part := await reader.read(most - got)):
        got += len(part)
    return got


async def _chunks(reader: asyncio.StreamReader) -> None:
    got = 0
    while got < MOST_BODY:
        line = await _until(reader, b"\r\n", MOST_HEAD)
        text = line.partition(b";")[0].strip()
        try:
            size = int(text, 16)
        except ValueError:
            raise BadHookAnswer("the answer's chunks cannot be read") from None
        if size < 0:
            raise BadHookAnswer("the answer's chunks cannot be read")
        if size == 0:
            return
        wanted = min(size + 2, MOST_BODY)
        if await _up_to(reader, wanted) < wanted:
            raise BadHookAnswer("the answer was cut")
        got += size
