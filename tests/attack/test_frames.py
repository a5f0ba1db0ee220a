"""Odd and malformed frames at a real server: no traceback, no hang, nothing left behind; a breach is told by its code.

``PAGEHAND_FUZZ_FRAMES`` says how many (``make fuzz``: 100,000), ``PAGEHAND_FUZZ_SEED`` repeats them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.attack.aftermath import SEED, nothing_stays
from tests.attack.odd_frames import Volley, cut_handshake, handshake_head, volley
from tests.attack.wire import PATIENCE_S, Wire
from tests.support.http import reset_at_close
from tests.support.polling import HANDSHAKE, sid_in
from tests.support.server import Live, live
from tests.transport.frames import BINARY, CLOSE, PONG, TEXT

pytestmark = pytest.mark.slow

FRAMES = int(os.environ.get("PAGEHAND_FUZZ_FRAMES", "6000"))
#: The ordinary run ends in time on a slow machine, with fewer frames.
LIMIT_S = 8.0 if FRAMES <= 6_000 else 1_800.0
CONNECTIONS = 8
FLAGS = ("--ping-interval-s", "1", "--ping-timeout-s", "1", "--reconnect-grace-s", "0.5", "--sessions", "20000")
_GONE = (ConnectionError, asyncio.IncompleteReadError)


@dataclass
class Seen:
    """Counts what was sent and how it ended, and collects wrong ends."""

    frames: int = 0
    connections: int = 0
    slowest_s: float = 0.0
    ends: Counter[object] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def finding(self, what: str, data: bytes) -> None:
        self.findings.append(f"{what}: {data[:1_500]!r}")


@pytest.fixture(params=["fast", "tornado"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(tmp_path, *FLAGS, "--front", request.param, watched=True) as running:
        asyncio.run(_storm(running, Seen(), random.Random(1), 1_500, 5.0))  # pools and caches fill
        with nothing_stays(running):
            yield running


@pytest.mark.timeout(LIMIT_S + 100)
def test_odd_frames_are_borne_malformed_ones_close_their_socket_and_nothing_stays(server: Live) -> None:
    seen, began = Seen(), time.monotonic()
    asyncio.run(_storm(server, seen, random.Random(SEED + 2), FRAMES, LIMIT_S))
    took_s = time.monotonic() - began
    print(f"{seen.frames:,} frames, {seen.connections:,} connections in {took_s:.1f} s, slowest {seen.slowest_s:.3f} s")
    print(dict(seen.ends.most_common()))
    assert not seen.findings, seen.findings[:5]
    assert seen.frames >= FRAMES or took_s >= LIMIT_S
    assert {1002, 1007, 1009, "refused"} <= seen.ends.keys()


async def _storm(server: Live, seen: Seen, rng: random.Random, frames: int, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    await asyncio.gather(*(_attack(server, seen, rng, frames, deadline) for _ in range(CONNECTIONS)))


async def _attack(server: Live, seen: Seen, rng: random.Random, frames: int, deadline: float) -> None:
    with Wire(server.port) as wire:
        while seen.frames < frames and time.monotonic() < deadline:
            seen.connections += 1
            kind, began = rng.random(), time.monotonic()
            if kind < 0.1:
                await _spoilt(server, seen, rng)
            elif kind < 0.3:
                await _moving(server, wire, seen, rng)
            else:
                await _played(server, seen, rng, handshake_head(server.port), volley(rng, moves=False))
            seen.slowest_s = max(seen.slowest_s, time.monotonic() - began)


async def _spoilt(server: Live, seen: Seen, rng: random.Random) -> None:
    data = cut_handshake(rng, server.port)
    seen.frames += 1
    await _ended(server, seen, rng, data, frozenset(), halves=True)


async def _moving(server: Live, wire: Wire, seen: Seen, rng: random.Random) -> None:
    sid = sid_in((await wire.ask("GET", HANDSHAKE))[1])
    await _played(server, seen, rng, handshake_head(server.port, sid), volley(rng, moves=True))
    await wire.ask("POST", f"{HANDSHAKE}&sid={sid}", b"1")  # it polls still, or is refused


async def _played(server: Live, seen: Seen, rng: random.Random, head: bytes, shots: Volley) -> None:
    seen.frames += shots.frames
    await _ended(server, seen, rng, head + shots.data, shots.codes, halves=not shots.codes)


async def _ended(
    server: Live, seen: Seen, rng: random.Random, data: bytes, codes: frozenset[int], *, halves: bool
) -> None:
    """Sends it, in pieces or at once, and sees how the server ends it. ``halves``: our side is closed first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 22)
    try:
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(*_GONE):
                await _sent(writer, rng, data)
                if halves and rng.random() < 0.2:
                    reset_at_close(writer.get_extra_info("socket"))
                    seen.ends["we reset it"] += 1
                    return
                if halves:
                    writer.write_eof()
            end = await _end_of(reader)
    except TimeoutError:
        seen.finding("hangs", data)
        return
    except AssertionError as error:
        seen.finding(f"odd answer {error}", data)
        return
    finally:
        writer.transport.abort()
    seen.ends[end] += 1
    if codes and end not in codes:
        seen.finding(f"ended with {end}, not one of {sorted(codes)}", data)


async def _sent(writer: asyncio.StreamWriter, rng: random.Random, data: bytes) -> None:
    at = 0
    while at < len(data):
        step = len(data) if rng.random() < 0.7 else rng.randrange(1, 50)
        writer.write(data[at : at + step])
        at += step
        await writer.drain()


async def _end_of(reader: asyncio.StreamReader) -> object:
    """The code of its close frame, ``refused`` for an answer of HTTP, or ``closed``. Each frame before it is sound."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except _GONE:
        return "closed"
    if not head.startswith(b"HTTP/1.1 101 "):
        assert b" 500 " not in head[:20], head
        return "refused"
    try:
        while True:
            opcode, payload = await _frame(reader)
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big") or "closed in order"
            assert opcode in (TEXT, BINARY, PONG), opcode
            if opcode == TEXT and payload[:1] == b"4":
                json.loads(payload[1:])
    except _GONE:
        return "closed"


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    assert first & 0xF0 == 0x80, first
    assert second < 0x80, "masked"
    size = second
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
    return first & 0x0F, await reader.readexactly(size)
