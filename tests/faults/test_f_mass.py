"""Fault F10: very many jobs cancelled and retried at once, while the loop goes on answering others.

This version has no address that takes many jobs at once: a program, or a person's script, asks for one job after the
other, here on 32 connections. With PAGEHAND_FAULTS=long all 105,000 jobs of a store, else 2,500 of 10,500.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.faults.long_form import LONG
from tests.faults.probe import Probe
from tests.support.http import head
from tests.support.places import ROOT
from tests.support.server import live

pytestmark = pytest.mark.slow

COUNT = 105_000 if LONG else 2_500
CONNECTIONS = 32
#: How long an answer may take, and how many of a hundred may take longer: other programs run here, too.
SLOW_S, SLOW_PERCENT = 0.1, 10


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with very many jobs, as a kill left it; one job in twenty-one was running."""
    directory = tmp_path_factory.mktemp("full")
    form = "default" if LONG else "short"
    subprocess.run(
        [sys.executable, "-m", "tests.campaigns.restart", "--build", str(directory), form],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=300,
    )  # fmt: skip
    return directory / "jobs.db"


def ids(store: Path) -> list[str]:
    with sqlite3.connect(store) as database:
        found = [row[0] for row in database.execute("SELECT id FROM jobs ORDER BY seq")]
    database.close()
    return found


async def post_all(port: int, targets: Iterator[str]) -> list[int]:
    """Posts to each target once, over many kept connections; returns the statuses."""
    statuses: list[int] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for target in targets:
            writer.write(head("POST", target, port, "Content-Type: application/json", "Content-Length: 0"))
            top = await reader.readuntil(b"\r\n\r\n")
            length = top.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
            statuses.append(int(top[9:12]))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return statuses


@pytest.mark.timeout(900)
def test_fault_F10_while_very_many_jobs_are_cancelled_and_retried_others_are_answered_soon(store: Path) -> None:
    jobs = ids(store)[:COUNT]
    with live(store.parent, "--store", f"sqlite:///{store}") as server:
        for verb, cancelled in (("cancel", len(jobs)), ("retry", 0)):
            probe = Probe(server.port)
            statuses = asyncio.run(post_all(server.port, (f"/api/v1/jobs/{job}/{verb}" for job in jobs)))
            took = probe.end()
            assert set(statuses) <= {200, 202}
            assert len(statuses) == len(jobs)
            assert server.ask("GET", "/api/v1/stats").json()["jobs"]["cancelled"] == cancelled
            slow = sum(each > SLOW_S for each in took)
            print(f"{verb}: {len(took)} asked, median {median(took) * 1000:.1f} ms, {slow} over {SLOW_S * 1000:g} ms")
            assert len(took) > 20
            assert median(took) < SLOW_S
            assert slow * 100 <= len(took) * SLOW_PERCENT
