"""Pages come and go thousands of times and leave nothing behind. ``PAGEHAND_CHURN`` says how many.

Fault D18 of the catalogue.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from dispatcher.store.requests import MOST_MISSING
from tests.attack.wire import Wire
from tests.support.polling import HANDSHAKE, sid_in
from tests.support.server import Live, cpu_s, live
from tests.support.waiting import until

pytestmark = pytest.mark.slow

A_MINUTE = 10_000
CYCLES = int(os.environ.get("PAGEHAND_CHURN", "2000"))
PAGES = 8
RSS_TOLERANCE = 8 << 20
#: At full length the server knows as many workers that have gone as it ever does (MOST_MISSING) before it is measured.
WARM_UP = 300 if CYCLES <= MOST_MISSING else 2 * MOST_MISSING
#: Python's own caches; one object for each cycle would be a leak.
OBJECTS_TOLERANCE = 500
FLAGS = ("--ping-interval-s", "1", "--ping-timeout-s", "1", "--reconnect-grace-s", "0.5", "--offer-ttl-s", "0.5")
WAYS = ("bye", "close", "vanishes", "breaks the rules", "reset while it polls", "says nothing")


async def come_and_go(wire: Wire, rng: random.Random, kinds: list[str], ways: Counter[str]) -> None:
    """One page's life, with one of the ends that a page can have."""
    target = f"{HANDSHAKE}&sid={sid_in((await wire.ask('GET', HANDSHAKE))[1])}"
    way = rng.choice(WAYS)
    ways[way] += 1
    if way == "says nothing":
        return
    register = {
        "op": "register",
        "types": rng.sample(kinds, 2),
        "boot": f"b{rng.random()}"[:40].replace(".", "-"),
        "version": 1,
    }
    assert await wire.ask("POST", target, b"4" + json.dumps(register).encode()) == (200, b"ok")
    assert b'"registered"' in (await wire.ask("GET", target))[1]
    if way == "bye":
        await wire.ask("POST", target, b'4{"op":"bye"}')
        await wire.ask("GET", target)
    elif way == "close":
        await wire.ask("POST", target, b"1")
    elif way == "breaks the rules":
        assert (await wire.ask("POST", target, b"9"))[0] == 400
    elif way == "reset while it polls":
        await wire.leave_unanswered(target)
    else:
        wire.close()


async def churn(server: Live, cycles: int) -> Counter[str]:
    rng = random.Random(cycles)
    left = iter(range(cycles))
    ways: Counter[str] = Counter()

    async def one_after_the_other() -> None:
        with Wire(server.port) as wire:
            for _ in left:
                await come_and_go(wire, rng, [f"kind-{n}" for n in range(20)], ways)

    await asyncio.gather(*(one_after_the_other() for _ in range(PAGES)))
    return ways


def settled(server: Live) -> dict[str, int]:
    def counts() -> dict[str, int] | None:
        found = server.counts()
        gone = ("sessions", "session_infos", "workers", "connections", "poll_connections", "open")
        return None if any(found[name] for name in gone) else found

    found: dict[str, int] = until(counts, 15, f"the end of all pages; now {server.counts()}")
    return found


def test_fault_D18_of_pages_that_come_and_go_10_000_times_a_minute_nothing_stays(tmp_path: Path) -> None:
    with live(tmp_path, *FLAGS, watched=True) as server:
        for n in range(5):  # some of them get offers, which are lost with them
            server.submit(f"kind-{n}")
        asyncio.run(churn(server, WARM_UP))
        before = settled(server)
        began, spent_s = time.monotonic(), cpu_s(server.process.pid)
        ways = asyncio.run(churn(server, CYCLES))
        took_s, spent_s = time.monotonic() - began, cpu_s(server.process.pid) - spent_s
        after = settled(server)
        print(f"{CYCLES:,} cycles in {took_s:.1f} s, {spent_s:.1f} s of CPU: {dict(ways)}", before, after, sep="\n")
        assert ways.total() == CYCLES
        # Measured in the server's own time, so that it holds beside other programs too.
        assert CYCLES / spent_s * 60 >= A_MINUTE
        assert after["tasks"] <= before["tasks"] + 1, "a turn may be in flight"
        assert after["timers"] <= before["timers"] + 1
        assert after["descriptors"] <= before["descriptors"] + 1
        assert after["objects"] <= before["objects"] + OBJECTS_TOLERANCE
        assert after["rss"] <= before["rss"] + RSS_TOLERANCE
        assert {job["state"] for job in server.ask("GET", "/api/v1/jobs").json()["items"]} <= {
            "queued",
            "scheduled",
            "failed",
        }
