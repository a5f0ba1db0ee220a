"""The real engine.io-client from npm against our server: what its authors mean by the protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application

from dispatcher.transport.fronts.http import Front
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.echo import Ticker
from tests.support.missing import missing
from tests.transport.support import Recorder

VERSION = "6.6.8"
SCRIPT = Path(__file__).with_name("engineio_client.js")
#: Ignored by git.
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "npm"


@pytest.fixture(scope="module")
def client() -> Path:
    """Where engine.io-client is; installs it once."""
    place = CACHE / "node_modules" / "engine.io-client"
    if not (shutil.which("node") and shutil.which("npm")):
        missing("needs Node and npm on the PATH (Debian: apt-get install nodejs npm)")
    if not (place / "package.json").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
        command = ("npm", "install", *quiet, "--prefix", str(CACHE), f"engine.io-client@{VERSION}")
        done = subprocess.run(command, check=False, timeout=90, capture_output=True, text=True)
        if done.returncode:
            missing(f"npm could not install engine.io-client: {done.stderr[-300:]}")
    return place


class Talker(Recorder):
    """Answers each message, and says things of its own, in bursts."""

    sessions: Sessions
    said = 0
    is_done = False

    def message(self, sid: str, text: str, now: float) -> None:
        super().message(sid, text, now)
        if text == "all":
            self.is_done = True
            self.sessions.send(sid, f"total {self.said}")
        elif text[:1] == "c":
            self.sessions.send(sid, f"e{text[1:]}")
            if int(text[1:]) % 25 == 0:
                self.say(sid, 25)
        else:
            self.sessions.send(sid, text)

    def upgraded(self, sid: str, now: float) -> None:
        super().upgraded(sid, now)
        self.say(sid, 100)

    def say(self, sid: str, count: int) -> None:
        for _ in range(count):
            self.sessions.send(sid, f"s{self.said}")
            self.said += 1


@pytest.fixture
def recorder() -> Talker:
    return Talker()


@pytest.fixture
def limits() -> SessionLimits:
    return SessionLimits(ping_interval_s=0.2, ping_timeout_s=2.0)


@pytest.fixture
def front(sessions: Sessions, app: Application, recorder: Talker) -> Front:
    recorder.sessions = sessions
    return Front(sessions, app, on_change=Ticker(sessions).arm)


async def talk(recorder: Talker, sessions: Sessions) -> None:
    """The server says something at each moment, also while nothing comes from the client."""
    while not recorder.is_done:
        for sid in sessions.ids():
            recorder.say(sid, 1)
        sessions.flush(time.monotonic())
        await asyncio.sleep(0.001)


async def report_of(client: Path, port: int, mode: str) -> dict[str, Any]:
    command = ["node", str(SCRIPT), str(client), f"http://127.0.0.1:{port}", mode]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, timeout=20)
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["error"] is None, report
    return report


#: How the client begins and ends, and what the listener hears of the end.
MODES = {
    "polling": ("polling", "polling", "ended"),
    "websocket": ("websocket", "websocket", "dropped"),
    "upgrade": ("polling", "websocket", "dropped"),
}


@pytest.mark.gen_test(timeout=30)
@pytest.mark.parametrize("mode", list(MODES))
async def test_it_opens_answers_pings_gets_and_says_a_thousand_messages_once_and_in_order_and_closes(
    port: int, client: Path, recorder: Talker, sessions: Sessions, mode: str
) -> None:
    first, last, end = MODES[mode]
    async with asyncio.TaskGroup() as beside:
        beside.create_task(talk(recorder, sessions))
        report = await report_of(client, port, mode)
    assert (report["opened"], report["transport"], report["closed"]) == (first, last, "forced close")
    assert report["echo"] == "hello ☃"
    assert recorder.texts() == ["hello ☃", *(f"c{n}" for n in range(1_000)), "all"]
    assert report["answers"] == [f"e{n}" for n in range(1_000)]
    assert report["news"] == [f"s{n}" for n in range(recorder.said)]
    assert recorder.said > 1_000
    assert report["pings"] >= 2
    assert all(report["sent"].values()) == (mode == "upgrade"), report["sent"]
    assert sessions.counts.upgrades == (mode == "upgrade")
    await recorder.until(end)
    assert len(sessions) == 0
    assert sessions.counts.protocol_errors == sessions.counts.overlaps == 0
