"""Random and malformed bytes at every address of a real server: no traceback, no 5xx, no hang, nothing left behind.

``PAGEHAND_FUZZ_BYTES`` (for each address), ``PAGEHAND_FUZZ_PACKETS`` and ``PAGEHAND_FUZZ_SEED`` make it longer or
repeat it; ``make fuzz`` runs the full size. The seed is printed, and with each finding the bytes that led to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from dispatcher.config.settings import Settings
from handlers.guard import Guard
from handlers.routes import TaskDirectory, routes, shipped_tasks
from tests.attack.aftermath import SEED, nothing_stays
from tests.attack.cases import Case, Maker, malformed_packet, odd_message
from tests.attack.hard_bodies import special_bodies
from tests.attack.paths import PATHS
from tests.attack.wire import Wire
from tests.support.polling import HANDSHAKE, sid_in
from tests.support.server import Live, live

pytestmark = pytest.mark.slow

BYTES = int(os.environ.get("PAGEHAND_FUZZ_BYTES", "1000000"))
PACKETS = int(os.environ.get("PAGEHAND_FUZZ_PACKETS", "20000"))
#: The ordinary run ends in time on a slow machine, with fewer bytes.
LIMIT_S = 16.0 if BYTES <= 1_000_000 else 3_600.0
CONNECTIONS = 8
FLAGS = ("--ping-interval-s", "1", "--ping-timeout-s", "1", "--reconnect-grace-s", "0.5", "--sessions", "500")


@dataclass
class Tally:
    """Counts what was sent, and collects wrong answers."""

    sent: int = 0
    requests: int = 0
    packets: int = 0
    slowest_s: float = 0.0
    slowest: bytes = b""
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def answered(self, case: Case, statuses: list[int], took_s: float) -> None:
        self.requests += 1
        self.sent += len(case.data)
        self.statuses.update(statuses or [0])
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, case.data[:300]
        if any(status >= 500 and status != 503 for status in statuses):
            self.finding("5xx", case, statuses)
        if case.framed and not statuses:
            self.finding("no answer", case, statuses)

    def finding(self, what: str, case: Case, detail: object) -> None:
        self.findings.append(f"{what} ({detail}): {case.data[:1_500]!r}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("fuzz"), *FLAGS, watched=True) as running:
        asyncio.run(_everything(running, Tally(), random.Random(1), 20_000, 5.0))  # pools and caches fill
        yield running


@pytest.fixture(autouse=True)
def _nothing_stays(server: Live) -> Iterator[None]:
    with nothing_stays(server):
        yield


def test_every_address_has_a_place_in_the_fuzzer() -> None:
    specs = routes(cast(Any, None), Settings(), TaskDirectory(shipped_tasks()), guard=Guard(Settings()))
    assert {spec.name for spec in specs} | {"engine.io"} == PATHS.keys()


def test_random_and_malformed_requests_at_every_address(server: Live) -> None:
    tally = Tally()
    began = time.monotonic()
    asyncio.run(_everything(server, tally, random.Random(SEED), BYTES, LIMIT_S))
    _report(tally, began)
    assert not tally.findings, tally.findings[:5]
    assert tally.slowest_s <= 5, tally.slowest
    assert tally.sent > 1_000_000


async def _everything(server: Live, tally: Tally, rng: random.Random, size: int, limit_s: float) -> None:
    job_ids = [server.submit("fuzz-0", n)["id"] for n in range(20)]
    names = [*PATHS, "raw"]
    for name in names:
        sids = _Sids(server)
        maker = Maker(server.port, job_ids, sids)
        deadline = time.monotonic() + limit_s / len(names)
        await asyncio.gather(*(_attack(server, tally, maker, rng, name, size, deadline) for _ in range(CONNECTIONS)))


async def _attack(
    server: Live, tally: Tally, maker: Maker, rng: random.Random, name: str, size: int, deadline: float
) -> None:
    """Uses one connection after the other, until all together have sent this many bytes."""
    before = tally.sent
    with Wire(server.port) as wire:
        while tally.sent - before < size and time.monotonic() < deadline:
            case = maker.case(rng, name)
            began = time.monotonic()
            try:
                statuses = await wire.send(case)
            except TimeoutError:
                tally.finding("hangs", case, name)
                statuses = [0]
                wire.close()
            tally.answered(case, statuses, time.monotonic() - began)


class _Sids:
    """Hands out a living session's id, and a new one now and then."""

    def __init__(self, server: Live) -> None:
        self._server = server
        self._sid = ""
        self._uses = 0

    def __call__(self) -> str:
        self._uses += 1
        if self._uses % 20 == 1:
            reply = self._server.ask("GET", HANDSHAKE)
            self._sid = json.loads(reply.body[1:])["sid"] if reply.status == 200 else "none"
        return self._sid


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/submit", "/api/v1/jobs/x/cancel", "/login"])
def test_bodies_known_to_be_hard_are_refused_in_time(server: Live, path: str) -> None:
    token = {"Cookie": "pagehand_xsrf=0123456789abcdef"}
    for name, kind, body in special_bodies():
        began = time.monotonic()
        reply = server.ask("POST", path, body, {"Content-Type": kind} | token)
        took_s = time.monotonic() - began
        assert 200 <= reply.status < 500, (name, reply)
        assert took_s < 2, (name, took_s)
        if reply.status == 201:
            _every_view(server, name, reply.headers["location"].rpartition("/")[2])


def _every_view(server: Live, name: str, job_id: str) -> None:
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}?full=1", f"/submit?like={job_id}", f"/api/v1/jobs/{job_id}", "/"):
        assert server.ask("GET", path).status == 200, (name, path)


def test_malformed_engineio_packets_end_their_session_and_nothing_else(server: Live) -> None:
    tally = Tally()
    began = time.monotonic()
    asyncio.run(_packets(server, tally, random.Random(SEED + 1)))
    _report(tally, began)
    assert not tally.findings, tally.findings[:5]
    assert tally.slowest_s <= 5, tally.slowest
    assert tally.packets >= PACKETS or time.monotonic() - began >= LIMIT_S / 2


async def _packets(server: Live, tally: Tally, rng: random.Random) -> None:
    deadline = time.monotonic() + LIMIT_S / 2
    await asyncio.gather(*(_bad_pages(server, tally, rng, deadline) for _ in range(CONNECTIONS)))


async def _bad_pages(server: Live, tally: Tally, rng: random.Random, deadline: float) -> None:
    """Sessions that say odd things, are refused with words, and then break the rules."""
    with Wire(server.port) as wire:
        while tally.packets < PACKETS and time.monotonic() < deadline:
            _, opened = await wire.ask("GET", HANDSHAKE)
            target = f"{HANDSHAKE}&sid={sid_in(opened)}"
            odd = [b"4" + odd_message(rng) for _ in range(rng.choice((0, 0, 0, 5, 10)))]
            bad = [malformed_packet(rng) for _ in range(rng.choice((1, 1, 1, 2, 9)))]
            tally.packets += len(bad)
            said_bye = any(b"bye" in packet for packet in odd)
            if odd:
                await _post(wire, tally, target, odd, (200, 400) if said_bye else (200,))
            await _post(wire, tally, target, [*odd[:2], *bad], (400,))
            await _must_be_over(wire, tally, target, b"\x1e".join([*odd[:2], *bad]), said_bye)


async def _must_be_over(wire: Wire, tally: Tally, target: str, body: bytes, said_bye: bool) -> None:
    status, answer = await wire.ask("GET", target)
    if said_bye and status == 200 and answer[-1:] == b"1":  # what had waited for the page, and the end
        status, answer = await wire.ask("GET", target)
    if (status, answer[:9]) != (400, b'{"code":1'):
        tally.finding("the session lives", Case(body, framed=True), answer)


async def _post(wire: Wire, tally: Tally, target: str, packets: list[bytes], wanted: tuple[int, ...]) -> None:
    body = b"\x1e".join(packets)
    began = time.monotonic()
    found, answer = await wire.ask("POST", target, body)
    case = Case(body, framed=True, method="POST")
    tally.answered(case, [found], time.monotonic() - began)
    if found not in wanted:
        tally.finding(f"{found}, not {wanted}", case, answer)


def _report(tally: Tally, began: float) -> None:
    took_s = time.monotonic() - began
    print(f"{tally.sent:,} bytes, {tally.requests:,} requests, {tally.packets:,} malformed packets in {took_s:.1f} s")
    print(f"slowest {tally.slowest_s:.3f} s {tally.slowest[:100]!r}; {dict(tally.statuses.most_common())}")


def test_the_checks_see_a_traceback_and_a_control_character(tmp_path: Path) -> None:
    """The control of the control."""
    watcher = cast(Live, type("Log", (), {"log": lambda self: self.text, "text": b"", "trouble": Live.trouble})())
    for text, wrong in ((b"2026 INFO x\n", False), (b"Traceback (most recent call last):", True), (b"a\x1b[2J", True)):
        watcher.text = text  # type: ignore[attr-defined]
        assert bool(watcher.trouble()) == wrong
