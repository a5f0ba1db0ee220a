"""The real engine.io-client from npm against our server: what its authors mean by the protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

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


@pytest.fixture
def limits() -> SessionLimits:
    return SessionLimits(ping_interval_s=0.2, ping_timeout_s=2.0)


@pytest.fixture
def front(sessions: Sessions, app: Application) -> Front:
    return Front(sessions, app, on_change=Ticker(sessions).arm)


@pytest.mark.gen_test(timeout=30)
async def test_it_opens_echoes_answers_pings_sends_a_burst_and_closes(
    port: int, client: Path, recorder: Recorder, sessions: Sessions
) -> None:
    recorder.on_message = sessions.send
    command = ["node", str(SCRIPT), str(client), f"http://127.0.0.1:{port}"]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, timeout=20)
    report = json.loads(done.stdout)
    assert report["error"] is None
    assert (report["opened"], report["transport"], report["closed"]) == (True, "polling", "forced close")
    assert report["echo"] == "hello ☃"
    assert report["burst"] == [f"burst {n}" for n in range(50)]
    assert report["pings"] == 2
    await recorder.until("ended")
    assert (recorder.names().count("away"), len(sessions)) == (0, 0)
