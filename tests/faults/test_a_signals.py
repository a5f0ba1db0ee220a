"""Faults of the server's process: SIGHUP, which ends no server (tests/crash/test_stop.py has the other signals)."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from functools import partial
from pathlib import Path

from dispatcher.sdk.simulate import Faults
from tests.support.places import ROOT
from tests.support.ports import free_port
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.server import command
from tests.support.waiting import PATIENCE_S


async def _status(server: ServerProcess, token: str) -> int:
    """Of a request with this token."""
    return (await server.request("GET", "/api/v1/stats", token=token)).status


def test_fault_A09_sighup_takes_the_token_anew_and_ends_nothing(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the-first")

    async def scenario() -> None:
        async with serving(tmp_path, "--token-file", str(token), *quick()) as server:
            farm = farm_for(server, token="the-first", faults=Faults(slow_s=(1.0, 1.0)))
            await farm.start()
            await farm.registered()
            token.write_text("the-second")
            assert [await _status(server, name) for name in ("the-first", "the-second")] == [200, 401]
            server.signal(signal.SIGHUP)
            await server.logged("the token is another one")
            assert [await _status(server, name) for name in ("the-first", "the-second")] == [401, 200]
            newcomer = farm_for(server, token="the-second", name_prefix="new")
            await newcomer.start()
            await newcomer.registered()
            assert farm.stats["sessions"] == 1, "a page that has joined stays"
            assert server.starts == 1
            for each in (farm, newcomer):
                await each.stop()
            assert await server.stop() == 0
            assert "the-first" not in server.log.read_text()
            assert "the-second" not in server.log.read_text()

    asyncio.run(scenario())


def test_fault_A09_sighup_with_settings_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "pagehand.toml"
    config.write_text('token = "the-first"')

    async def scenario() -> None:
        async with serving(tmp_path, "--config", str(config), *quick()) as server:
            config.write_text('token = "the-second"\nmax_attempts = 0')
            server.signal(signal.SIGHUP)
            await server.logged("nothing is changed, because of --max-attempts must be a whole number")
            assert await _status(server, "the-first") == 200
            config.write_text('token = "the-second"\nqueue_depth = 7')
            server.signal(signal.SIGHUP)
            await server.logged("from the next start on: queue_depth")
            assert await _status(server, "the-second") == 200
            assert await server.stop() == 0

    asyncio.run(scenario())


def test_fault_A09_a_terminal_that_is_closed_stops_its_server_in_good_order(tmp_path: Path) -> None:
    terminal, its_end = pty.openpty()
    # No launcher of ``support`` gives a server a terminal.
    process = subprocess.Popen(
        command(tmp_path / "jobs.db", port=free_port()), cwd=ROOT, stdin=its_end, stdout=its_end, stderr=its_end,
        start_new_session=True, preexec_fn=partial(fcntl.ioctl, its_end, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(its_end)
    try:
        _read_until(terminal, b"reachable from")
        process.send_signal(signal.SIGHUP)
        _read_until(terminal, b"settings read again")
        os.close(terminal)  # the kernel sends SIGHUP
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs.db", "jobs.db.ballast"]


def _read_until(terminal: int, words: bytes) -> None:
    said = b""
    while words not in said:
        assert select.select([terminal], [], [], PATIENCE_S)[0], said
        said += os.read(terminal, 4096)
