"""Odd and malformed frames of a WebSocket, and handshakes cut or spoilt anywhere, drawn from a seed.

Pure: a random number generator in, bytes out. A ``Volley`` is what one connection sends behind its handshake: frames
that are odd and allowed, and then one that is not. It says with which codes it may be closed.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import NamedTuple

from tests.attack.cases import odd_message
from tests.attack.mutations import mutate
from tests.transport.frames import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT

__all__ = ["Volley", "cut_handshake", "handshake_head", "volley"]

_BAD_TEXTS = (b"4\xff", b"4\xc0\xaf", b"4\xed\xa0\x80", b"4\xf4\x90\x80\x80", b"4\xc3", b"\x80", b"4\xf0\x9f\x98")
_BAD_PACKETS = (b"", b"0", b"2", b"3probe", b"6", b"7", b"abc", b"b!", b"\x00")
#: Bad but for a session that moves.
_MOVING_PACKETS = (b"2probe", b"5")
_BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
_UPGRADING = (b"2probe", b"5", b"2probe", b"4early", b"3", b"")


class Volley(NamedTuple):
    """What one connection sends, and how many frames that is."""

    data: bytes
    frames: int
    #: The codes of which one must come without our closing anything; empty: the connection may also just end.
    codes: frozenset[int]


def spoken(
    rng: random.Random,
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: int | None = None,
    form: int = 0,
) -> bytes:
    """A frame with a mask of its own; ``length`` is what it says of itself, ``form`` in how many bits (0: fewest)."""
    size = len(payload) if length is None else length
    form = form or (7 if size < 126 else 16 if size < 1 << 16 else 64)
    bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    head += {7: lambda: bytes([bit | size]), 16: lambda: struct.pack("!BH", bit | 126, size)}.get(
        form, lambda: struct.pack("!BQ", bit | 127, size)
    )()
    if not masked:
        return head + payload
    key = rng.randbytes(4)
    long_key = (key * (len(payload) // 4 + 1))[: len(payload)]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(long_key, "big")
    return head + key + hidden.to_bytes(len(payload), "big")


# --- frames that are allowed


def _control(rng: random.Random) -> bytes:
    return spoken(rng, rng.choice((PING, PONG)), rng.randbytes(rng.choice((0, 1, 125))))


def _message(rng: random.Random) -> bytes:
    return b"4" + odd_message(rng).decode("utf-8", "replace").encode()


def _pieces(rng: random.Random) -> tuple[bytes, int]:
    """A message in pieces, cut anywhere, with control frames between them."""
    text = _message(rng)
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(rng.randrange(1, 5)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    data, count = b"", 0
    for at, part in enumerate(parts):
        data += spoken(rng, CONTINUATION if at else TEXT, part, fin=at == len(parts) - 1)
        count += 1
        if rng.random() < 0.5:
            data += _control(rng)
            count += 1
    return data, count


def _allowed(rng: random.Random) -> tuple[bytes, int]:
    kind = rng.randrange(6)
    if kind == 0:
        return _pieces(rng)
    if kind == 1:
        return _control(rng), 1
    if kind == 2:
        return spoken(rng, TEXT, b"3"), 1
    if kind == 3:
        return spoken(rng, BINARY, rng.randbytes(rng.choice((0, 1, 300, 70_000)))), 1
    return spoken(rng, TEXT, _message(rng)), 1


# --- frames that are not


def _bad_close(rng: random.Random) -> bytes:
    reason = rng.choice((b"\x03", struct.pack("!H", rng.choice(_BAD_CODES)), b"\x03\xe8\xff\xfe"))
    return spoken(rng, CLOSE, reason)


_Bad = Callable[[random.Random], bytes]
_BROKEN: tuple[_Bad, ...] = (
    lambda rng: spoken(rng, TEXT, _message(rng), masked=False),
    lambda rng: spoken(rng, rng.choice((TEXT, BINARY, PING)), b"4x", rsv=rng.randrange(1, 8)),
    lambda rng: spoken(rng, rng.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), rng.randbytes(rng.randrange(20))),
    lambda rng: spoken(rng, rng.choice((PING, PONG, CLOSE)), b"x" * rng.choice((126, 200))),
    lambda rng: spoken(rng, rng.choice((PING, PONG, CLOSE)), b"", fin=False),
    lambda rng: spoken(rng, CONTINUATION, b"x", fin=rng.random() < 0.5),
    lambda rng: spoken(rng, TEXT, b"4", fin=False) + spoken(rng, rng.choice((TEXT, BINARY)), b"4x"),
    lambda rng: spoken(rng, TEXT, rng.choice(_BAD_TEXTS)),
    lambda rng: spoken(rng, TEXT, b"4\xc3", fin=False) + spoken(rng, CONTINUATION, b"("),
    lambda rng: spoken(rng, TEXT, b"4", length=rng.choice((1 << 63, (1 << 64) - 1, 1 << 40, 9_000_000))),
    lambda rng: spoken(rng, TEXT, rng.choice(_BAD_PACKETS)),
    _bad_close,
)
#: Wrong only where no session moves.
_BROKEN_AT_REST: tuple[_Bad, ...] = (
    *_BROKEN,
    lambda rng: spoken(rng, TEXT, rng.choice(_MOVING_PACKETS)),
)
#: What can be read in many ways: the connection must end, with whatever code.
_UNCLEAR: tuple[_Bad, ...] = (
    lambda rng: rng.randbytes(rng.randrange(1, 200)),
    lambda rng: (whole := spoken(rng, TEXT, _message(rng)))[: rng.randrange(1, len(whole))],
    lambda rng: spoken(rng, TEXT, _message(rng)[:100], length=rng.randrange(126)),
    lambda rng: spoken(rng, TEXT, b"4x", form=rng.choice((16, 64))),
    lambda rng: mutate(rng, spoken(rng, TEXT, _message(rng))),
    lambda rng: spoken(rng, TEXT, b"4", fin=False) + spoken(rng, CLOSE, struct.pack("!H", 1000)),
    lambda rng: spoken(rng, CLOSE, struct.pack("!H", rng.choice((1000, 1001, 3000, 4999))) + b"bye"),
    lambda rng: spoken(rng, CLOSE) + spoken(rng, TEXT, b"4behind the end"),
    lambda rng: spoken(rng, TEXT, b"4half of it", fin=False),
    lambda rng: b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
)


def volley(rng: random.Random, *, moves: bool) -> Volley:
    """``moves``: the connection comes for a session that polls, and may say so."""
    data, frames = b"", 0
    if moves:
        for text in _UPGRADING[: rng.randrange(len(_UPGRADING))]:
            data, frames = data + spoken(rng, TEXT, text), frames + 1
    for _ in range(rng.randrange(8)):
        more, count = _allowed(rng)
        data, frames = data + more, frames + count
    if rng.random() < 0.7:
        # It may be closed in order before, as odd messages may say goodbye.
        codes = frozenset({1000, 1002, 1007, 1009})
        broken = rng.choice(_BROKEN if moves else _BROKEN_AT_REST)(rng)
        return Volley(data + broken + rng.choice((b"", spoken(rng, TEXT, b"4late"))), frames + 1, codes)
    return Volley(data + rng.choice(_UNCLEAR)(rng), frames + 1, frozenset())


# --- handshakes


def handshake_head(port: int, sid: str = "") -> bytes:
    """A right one."""
    target = "/engine.io/?EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
    return (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    ).encode()


def cut_handshake(rng: random.Random, port: int) -> bytes:
    """One that ends anywhere, or is not what it should be, with frames right behind it."""
    head = handshake_head(port)
    kind = rng.randrange(4)
    if kind == 0:
        return head[: rng.randrange(len(head))]
    if kind == 1:
        return mutate(rng, head) + spoken(rng, TEXT, b"4x")
    if kind == 2:
        lines = head.split(b"\r\n")
        del lines[rng.randrange(len(lines) - 2)]
        return b"\r\n".join(lines) + spoken(rng, TEXT, b"4x")
    return head + volley(rng, moves=False).data
