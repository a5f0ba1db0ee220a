"""A receiver that a test plays: it hears each message, and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.node.webhooks.posting import HookAnswer
from dispatcher.webhooks.endpoints import Endpoint
from tests.support.house import House

__all__ = ["ADMIN", "Heard", "Receiver", "endpoint_of", "quiet"]

ADMIN = Actor("anna")


class Heard(Struct):
    """A message as it came."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> str:
        return str(json.loads(self.body)["type"])

    @property
    def job(self) -> str:
        return str(json.loads(self.body)["data"]["id"])


class Receiver:
    """See dispatcher.node.webhooks.posting.Poster. ``judge`` may raise; ``holds``: URLs that do not answer yet."""

    def __init__(self, answer: HookAnswer | None = None) -> None:
        self.heard: list[Heard] = []
        self.judge: Callable[[Heard], HookAnswer] = lambda heard: answer or HookAnswer(200)
        self.holds: set[str] = set()
        self.at_once = self.most_at_once = 0
        self._free = asyncio.Condition()

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> HookAnswer:
        heard = Heard(url, headers, body)
        self.heard.append(heard)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            async with self._free:
                await self._free.wait_for(lambda: url not in self.holds)
            return self.judge(heard)
        finally:
            self.at_once -= 1

    async def let_go(self, url: str) -> None:
        """What it has held is answered."""
        self.holds.discard(url)
        async with self._free:
            self._free.notify_all()


async def quiet(house: House, *, but: int = 0) -> None:
    """Returns when nothing is sent and nothing is looked for, except ``but`` messages that are held."""
    sender = house.dispatcher.webhooks.sender
    while sender._looking or len(sender._tasks) > but:
        await asyncio.sleep(0)
    await house.dispatcher.idle(housekeeping=True)


async def endpoint_of(house: House, url: str = "https://shop.example/x", **fields: object) -> Endpoint:
    """An endpoint that is told of all jobs that end."""
    known: dict[str, object] = {
        "events": ["job.succeeded", "job.cancelled", "job.failed"], "types": [], "name": "", "made_by": "anna",
    }  # fmt: skip
    return await house.dispatcher.webhooks.make(url, actor=ADMIN, **(known | fields))  # type: ignore[arg-type]
