"""Odd values for JSON, odd bytes for HTTP, and ways to spoil a text with them. Pure."""

from __future__ import annotations

import random

__all__ = ["VALUES", "mutate"]

_NUMBERS = (
    "0",
    "1",
    "-1",
    "1e309",
    "-0.0",
    "9" * 400,
    "1" + "0" * 30,
    "NaN",
    "Infinity",
    "-Infinity",
    "0.1",
    "00",
    "1.",
)
VALUES = (
    *_NUMBERS, '""', "null", "true", "[]", "{}", '"\\ud800"', '"\\u0000"', '"\\u001e"', '"\\ud83d\\ude00"', "[[[[]]]]",
    '{"a":1,"a":2}', '"' + "x" * 3_000 + '"', "[" * 200 + "]" * 200, "tru", "'x'",
    '"<script>alert(1)</script>"', "\ufeff1",
)  # fmt: skip
_TOKENS = (
    b"\r\n", b"\n", b"\r", b"\0", b"\x1e", b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b'"', b"{", b"[" * 50,
    b"--", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"\x1b[2J", b"%00", b"&" * 40, b";" * 40, b": ",
    b"HTTP/1.1",
)  # fmt: skip


def mutate(rng: random.Random, data: bytes) -> bytes:
    """The same data with a few bytes changed, removed, doubled or added."""
    for _ in range(rng.randint(1, 6)):
        at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        end = min(end, at + 200)
        match rng.randrange(6):
            case 0:
                data = data[:at] + rng.randbytes(1) + data[at + 1 :]
            case 1:
                data = data[:at] + rng.choice(_TOKENS) + data[at:]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:end] + data[at:end] * rng.randint(1, 20) + data[end:]
            case 4:
                data = data[:at] + rng.randbytes(rng.randint(1, 30)) + data[at:]
            case _:
                data = data[: max(at, 1)] if rng.random() < 0.3 else data
    return data
