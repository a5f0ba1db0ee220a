"""The real server on a disk whose sync fails once: no acknowledgement, an end within two seconds, recovery (S23)."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.campaigns.record import UNDER_CI
from tests.crash.process import PATIENCE_S, ServerProcess, serving
from tests.support.signals import send

#: From the notice to the end of the process, S23; and what a loaded machine may add.
EXIT_S = 2.0 + 3.0


@asynccontextmanager
async def _failing(server: ServerProcess, number: int) -> AsyncIterator[None]:
    """The server's N-th sync from now on answers EIO."""
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-p", str(server.process.pid), "-e", "trace=fdatasync", "-e",
        f"inject=fdatasync:error=EIO:when={number}", stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert strace.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await strace.stderr.readline()
        assert b"attached" in line, line
        reading = asyncio.create_task(strace.stderr.read())  # so that its pipe never fills up
        yield
        await reading
    finally:
        send(strace, signal.SIGKILL)
        await strace.wait()


async def _submit_until_it_fails(server: ServerProcess) -> tuple[dict[str, str], list[int]]:
    """Key -> id of what was acknowledged, and the statuses of the other answers, until nobody answers."""
    accepted: dict[str, str] = {}
    refused: list[int] = []
    for number in range(1000):
        key = f"key-{number}"
        try:
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": number}, key=key)
        except (OSError, EOFError):
            return accepted, refused
        if answer.status == 201:
            assert not refused, "it acknowledges after its store has failed"
            accepted[key] = answer.json["id"]
        else:
            refused.append(answer.status)
            await asyncio.sleep(0.02)  # until the process ends
    raise AssertionError("the server does not end")


@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_sync_that_fails_acknowledges_nothing_and_ends_the_server(tmp_path: Path, number: int) -> None:
    if shutil.which("strace") is None:
        reason = "needs strace (Debian: apt-get install strace)"
        pytest.fail(reason, pytrace=False) if UNDER_CI else pytest.skip(reason)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with serving(tmp_path) as server:
            async with _failing(server, number):
                began = loop.time()
                accepted, refused = await _submit_until_it_fails(server)
                assert await server.ended() == 1
                assert loop.time() - began < EXIT_S
            assert len(accepted) == number - 1
            assert refused
            assert set(refused) == {503}
            await server.start()
            for key, job_id in accepted.items():
                assert key == f"key-{(await server.job(job_id))['data']}"
            jobs = (await server.get("/api/v1/jobs"))["items"]
            assert len(jobs) in (number - 1, number), "the turn whose sync failed is there or is not"

    asyncio.run(scenario())
