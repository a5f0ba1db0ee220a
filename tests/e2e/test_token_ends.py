"""A token that is revoked ends the sessions of real pages, on both transports, and no others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

OWN = "the-settings-own-token"


async def made(server: ServerProcess, name: str) -> tuple[str, str]:
    """A new token for workers: its id and its text."""
    body = {"name": name, "scopes": ["worker"]}
    reply = await server.request("POST", "/api/v1/tokens", body, token=OWN)
    assert reply.status == 201, reply
    return reply.json()["id"], reply.json()["token"]


async def here(server: ServerProcess) -> set[str]:
    """The names of the workers that the server knows."""
    reply = await server.request("GET", "/api/v1/workers", token=OWN)
    return {worker["name"] for worker in reply.json()["items"]}


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_revoked_token_ends_the_sessions_of_its_pages_and_of_no_others(tmp_path: Path, transport: str) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, "--token", OWN, *quick()) as server:
            token_id, ending = await made(server, "ending")
            _, lasting = await made(server, "lasting")
            going = farm_for(server, workers=2, token=ending, name_prefix="going", transport=transport)
            staying = farm_for(server, workers=2, token=lasting, name_prefix="staying", transport=transport)
            for farm in (going, staying):
                await farm.start()
                await farm.registered()
            assert await here(server) == {"going-1", "going-2", "staying-1", "staying-2"}
            revoked = await server.request("DELETE", f"/api/v1/tokens/{token_id}", token=OWN)
            assert revoked.status == 200
            # The answer to the revocation comes after the end of what the token has opened.
            assert await here(server) == {"staying-1", "staying-2"}
            await going.until(lambda: going.stats["refusals:token_ended"] >= 2, timeout_s=10.0)
            await eventually(lambda: all(not page.registered for page in going.pages))
            assert staying.stats["sessions"] == 2
            for farm in (going, staying):
                await farm.stop()
            assert await server.stop() == 0

    asyncio.run(scenario())
