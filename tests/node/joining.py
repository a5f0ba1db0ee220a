"""Pages that join on a running dispatcher, played by a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from dispatcher.access.acts import Actor
from dispatcher.access.credentials import Credential
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from tests.support.house import House

__all__ = ["ANN", "at_house", "comes", "identity", "joined", "kept", "made", "refusal", "used"]

ANN = Actor("ann")
Known = dict[str, Any]


def at_house(test: Callable[[House], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        house = House(**({"token": "s3cret"} | settings))
        await house.start()
        try:
            await test(house)
        finally:
            await house.dispatcher.close()

    asyncio.run(run())


async def made(house: House, uses: int = 2, **fields: Any) -> tuple[Token, str]:
    return await house.dispatcher.access.make("berlin", (Scope.WORKER,), actor=ANN, uses=uses, **fields)


async def comes(house: House, sid: str, **fields: Any) -> list[Known]:
    """A page registers in a new session; all that it is told."""
    if sid not in house.pages.sessions:
        house.open(sid)
    body = {"op": "register", "types": ["echo"], "boot": f"boot-{sid}", "version": 1} | fields
    return await house.send(sid, json.dumps(body))


async def identity(house: House, sid: str, join: str) -> Known:
    [told] = await comes(house, sid, join=join)
    assert told["op"] == "identity"
    return {"worker": told["worker"], "secret": told["secret"]}


async def joined(house: House, sid: str, join: str) -> Known:
    """A page that has joined: what it keeps."""
    known = await identity(house, sid, join)
    credential, registered = await comes(house, sid, join=join, **known)
    assert (credential["op"], registered["op"], registered["worker"]) == ("credential", "registered", known["worker"])
    return known | {"token": credential["credential"]}


def used(house: House, token: Token) -> int:
    return house.dispatcher.access.one(token.id).used


async def kept(house: House) -> list[Credential]:
    return await house.store.kept.credentials()


def refusal(told: list[Known]) -> tuple[str, str]:
    [refused] = [message for message in told if message["op"] == "refused"]
    return refused["code"], refused["detail"]
