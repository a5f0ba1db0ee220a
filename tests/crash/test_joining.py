"""A use of a token for joining is neither lost nor spent twice by kill -9: it stands in the turn of its credential."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.http import Page, Reply
from tests.support.process import ServerProcess, quick, serving
from tests.support.server import ask_at

OWN = "the-settings-own-token"


class At:
    """Asks the server, whichever of its lives it is in."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        return ask_at(self._server.port, method, path, body, headers)


def joins(server: ServerProcess, text: str, **known: Any) -> Page:
    """A page has sent its ``register``."""
    page = Page(At(server))
    page.say("register", types=["echo"], boot=page.boot, version=1, join=text, **known)
    return page


def test_a_server_that_is_killed_as_a_page_joins_has_spent_one_use_and_lets_the_page_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, "--token", OWN, *quick()) as server:
            body = {"name": "berlin", "scopes": ["worker"], "join": {"uses": 1}}
            made = (await server.request("POST", "/api/v1/tokens", body, token=OWN)).json()
            await server.restart("kill-after-join", "1")
            identity = await asyncio.to_thread(lambda: joins(server, made["token"]).hear("identity"))
            known = {"worker": identity["worker"], "secret": identity["secret"]}
            await asyncio.gather(asyncio.to_thread(dies, server, made["token"], known), server.ended())
            await server.start()
            again = await asyncio.to_thread(joins, server, made["token"], **known)
            credential = await asyncio.to_thread(again.hear, "credential")
            assert (await asyncio.to_thread(again.hear, "registered"))["worker"] == known["worker"]
            token = (await server.request("GET", f"/api/v1/tokens/{made['id']}", token=OWN)).json()
            assert token["join"] == {"uses": 1, "used": 1, "left": 0}
            await asyncio.to_thread(again.leave)
            refused = await asyncio.to_thread(lambda: joins(server, made["token"]).hear("refused"))
            assert refused["code"] == "join_used_up"
            page = await asyncio.to_thread(Page, At(server))
            back = await asyncio.to_thread(lambda: page.register("echo", token=credential["credential"], **known))
            assert back["worker"] == known["worker"]

    asyncio.run(scenario())


def dies(server: ServerProcess, text: str, known: dict[str, Any]) -> None:
    """The page asks, and the server dies before it answers: when the turn is durable."""
    page = Page(At(server))
    try:
        page.say("register", types=["echo"], boot="first", version=1, join=text, **known)
        page.hear("credential")
    except (OSError, http.client.HTTPException):
        return
    raise AssertionError("the page was answered, and the server should have died")
