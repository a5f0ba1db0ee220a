"""A line that a page says again stands in the job's log once: over a socket that breaks, and over kill -9."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.polling import message
from tests.support.process import ServerProcess, quick, serving
from tests.support.waiting import eventually


async def _hear(socket: ClientConnection, op: str) -> dict[str, Any]:
    """The next message of this op."""
    while True:
        packet = str(await socket.recv())
        if packet.startswith("4") and (heard := json.loads(packet[1:]))["op"] == op:
            return dict(heard)


async def _session(server: ServerProcess, **fields: Any) -> tuple[ClientConnection, dict[str, Any]]:
    """A session on a socket, and what the server has answered to ``register``."""
    url = f"ws://127.0.0.1:{server.port}/engine.io/?EIO=4&transport=websocket"
    socket = await connect(url, compression=None, proxy=None)
    await socket.send(message("register", version=1, types=["echo"], boot="b1", **fields))
    return socket, await _hear(socket, "registered")


async def _lines(server: ServerProcess, job_id: str) -> list[str]:
    return [line["line"] for line in (await server.job(job_id))["log"]]


@pytest.mark.parametrize("killed", [False, True], ids=["the socket breaks", "kill -9"])
def test_a_line_that_is_said_again_is_recorded_once(tmp_path: Path, killed: bool) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *quick(restart_grace_s=60, reconnect_grace_s=60)) as server:
            socket, who = await _session(server)
            job = await server.submit("order 4990", effects="once")
            attempt = (await _hear(socket, "job"))["attempt"]
            await socket.send(message("accept", attempt=attempt))
            await _hear(socket, "go")
            said = [message("log", attempt=attempt, line="printing order 4990", n=n) for n in (1, 2)]
            await socket.send(said[0])

            async def arrived() -> bool:
                return await _lines(server, job["id"]) == ["printing order 4990"]

            await eventually(arrived, what="the line is durable, and its page does not know")
            socket.transport.abort()
            if killed:
                await server.restart()
            known = {name: who[name] for name in ("worker", "secret")}
            socket, _ = await _session(server, holding=[{"attempt": attempt, "elapsed_ms": 1_000}], **known)
            for text in (*said, message("result", attempt=attempt, value="printed")):
                await socket.send(text)
            assert (await _hear(socket, "recorded"))["verdict"] == "recorded"
            assert await _lines(server, job["id"]) == ["printing order 4990"] * 2, "two copies were printed"
            done = await server.job(job["id"])
            assert (done["state"], done["number"]) == ("succeeded", 1)
            socket.transport.abort()

    asyncio.run(scenario())
