"""The endpoints of a running server: made, changed and deleted; what was sent to them, and what is sent again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from dispatcher import ids
from dispatcher.access.acts import Actor
from dispatcher.clock import Clock
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.views.telling import END_EVENTS, PING
from dispatcher.core.workers.effects import Request
from dispatcher.errors import BadRequest, EndpointNotFound, MessageNotFound, Unavailable, WrongState
from dispatcher.node.turns.turns import Turns
from dispatcher.node.webhooks.posting import HttpPoster, Poster
from dispatcher.node.webhooks.sender import Sender
from dispatcher.store.bodies import ping_body
from dispatcher.store.port import Store
from dispatcher.webhooks.commands import DeleteEndpoint, HookCommand, PutEndpoint, Redeliver, SendMessage, Tried
from dispatcher.webhooks.endpoints import (
    CALLBACKS,
    Delivery,
    DeliveryOutcome,
    Endpoint,
    HookMessage,
    MessageCounts,
    endpoint_of,
)
from dispatcher.webhooks.signing import secret_text
from dispatcher.webhooks.targets import target_of

__all__ = ["MOST_ENDPOINTS", "OLD_SECRET_S", "SWITCHED_OFF", "Webhooks"]

#: Most endpoints: each change is judged for every one of them.
MOST_ENDPOINTS = 100
#: How long the old secret signs beside a new one.
OLD_SECRET_S = 86_400.0
#: Why an endpoint is not enabled that nobody else has given up.
SWITCHED_OFF = "an administrator has switched it off"


class Webhooks:
    """The endpoints, in step with the store's."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        turns: Turns,
        *,
        settings: Settings,
        poster: Poster | None,
        rng: random.Random,
        woken: Callable[[], None],
    ) -> None:
        """``poster`` is for tests: it posts all messages."""
        self._store, self._clock, self._turns, self._settings = store, clock, turns, settings
        self._endpoints: dict[str, Endpoint] = {}
        self._callbacks = _callbacks(settings)
        #: One endpoint is made or changed at a time.
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sender = Sender(
            hooks=store.hooks,
            clock=clock,
            opened=turns.opened,
            poster=poster or HttpPoster(settings.allowed_targets, clock.utc),
            callback_poster=poster or HttpPoster(settings.allowed_callbacks, clock.utc),
            receiver=self._receiver,
            keep=self._keep,
            held_back=turns.held_back,
            leads=lambda: turns.outcomes.leads,
            chance=rng.random,
            woken=woken,
        )
        turns.told = self.sender.told
        turns.outcomes.hearers.append(self._heard)
        turns.outcomes.began_to_lead = self._lead

    # -- life

    async def start(self) -> None:
        """Reads the store's endpoints, and what waits for them."""
        self._put(await self._store.hooks.endpoints())

    async def begin(self) -> None:
        """Messages are sent from now on."""
        await self.sender.start()

    def _heard(self, news: News) -> None:
        """What another node has done: it may have changed endpoints, or written messages for this one to send."""
        if news.endpoints:
            self._spawn(self._read_again)
        if news.messages:
            self.sender.told(news.messages)

    async def _read_again(self) -> None:
        async with self._lock:
            self._endpoints = {endpoint.id: endpoint for endpoint in await self._store.hooks.endpoints()}
            self._tell_turns()

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does it as soon as the store can be read."""
        task = asyncio.ensure_future(_patiently(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lead(self) -> None:
        """From here on this node sends what waits."""
        self._spawn(self.begin)

    async def close(self) -> None:
        """No more is sent."""
        for task in [*self._tasks]:
            task.cancel()
        await self.sender.close()

    def _receiver(self, target: str) -> Endpoint | None:
        return self._callbacks if endpoint_of(target) == CALLBACKS else self._endpoints.get(target)

    def _put(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints.update((endpoint.id, endpoint) for endpoint in endpoints)
        self._tell_turns()

    def _tell_turns(self) -> None:
        """From the next turn on these hear of changes."""
        self._turns.endpoints = tuple(endpoint for endpoint in self._endpoints.values() if endpoint.enabled)

    async def _keep(self, tried: Tried) -> None:
        report = await self._turns.command(tried)
        if not report.done:
            raise Unavailable("the store cannot hold what became of a message")
        endpoint = self._endpoints.get(tried.delivery.endpoint)
        if tried.disable is not None and endpoint is not None:
            self._put([replace(endpoint, enabled=False, reason=tried.disable)])

    # -- looking

    def all(self) -> list[Endpoint]:
        """All endpoints, the newest first; then the one of callbacks, if a host is allowed."""
        made = sorted(self._endpoints.values(), key=lambda endpoint: (-endpoint.made_at, endpoint.id))
        return [*made, *([self._callbacks] if self._callbacks.enabled else [])]

    def one(self, endpoint_id: str) -> Endpoint:
        """That of callbacks, too. Raises EndpointNotFound."""
        endpoint = self._callbacks if endpoint_id == CALLBACKS else self._endpoints.get(endpoint_id)
        if endpoint is None:
            raise EndpointNotFound(
                f"there is no webhook with the id {endpoint_id!r}: the list of webhooks has them all"
            )
        return endpoint

    def _own(self, endpoint_id: str) -> Endpoint:
        """One that people have made. Raises EndpointNotFound, WrongState."""
        if endpoint_id == CALLBACKS:
            raise WrongState("callbacks are no webhook that can be changed: the flag --callback-host says who has them")
        return self.one(endpoint_id)

    async def counts(self) -> dict[str, MessageCounts]:
        """By endpoint: messages that wait, and dead ones."""
        return await self._store.hooks.counts()

    async def totals(self) -> dict[str, int]:
        """Messages of all endpoints: how many wait (``pending``), and how many are ``dead``."""
        counts = (await self.counts()).values()
        return {"pending": sum(one.pending for one in counts), "dead": sum(one.dead for one in counts)}

    async def oldest_s(self) -> float:
        """How long ago the change of the oldest message that waits was made; 0: none waits."""
        at = await self._store.hooks.oldest()
        return 0.0 if at is None else max(0.0, self._clock.utc() - at)

    def attempts(self) -> dict[str, int]:
        """Attempts since the start, by what they came to."""
        return {outcome.value: self.sender.tried[outcome] for outcome in DeliveryOutcome}

    async def deliveries(self, endpoint_id: str, *, failed: bool, below: int | None) -> list[Delivery]:
        """Lines of its log, the newest first. Raises EndpointNotFound."""
        self.one(endpoint_id)
        return await self._store.hooks.deliveries(endpoint_id, failed=failed, below=below)

    async def dead(self, endpoint_id: str, *, below: int | None) -> list[tuple[int, HookMessage]]:
        """Its dead messages with their numbers, the newest first. Raises EndpointNotFound."""
        self.one(endpoint_id)
        return await self._store.hooks.dead(endpoint_id, below)

    # -- changing

    async def make(
        self, url: str, *, events: Iterable[str], types: Iterable[str], name: str, made_by: str, actor: Actor
    ) -> Endpoint:
        """A new endpoint, once it is durable: all later changes are told. Raises BadRequest, WrongState."""
        async with self._lock:
            if len(self._endpoints) >= MOST_ENDPOINTS:
                raise WrongState(f"there are {MOST_ENDPOINTS} webhooks, which is the most: delete one first")
            endpoint = Endpoint(
                id=ids.new_endpoint_id(), url=self._checked(url), events=frozenset(events), types=frozenset(types),
                secret=secret_text(ids.new_key()), name=name, made_by=made_by, made_at=self._clock.utc(),
            )  # fmt: skip
            return await self._kept(endpoint, actor, "webhook.make")

    async def change(self, endpoint_id: str, fields: dict[str, Any], actor: Actor) -> Endpoint:
        """Changes fields of an endpoint. Raises EndpointNotFound, BadRequest."""
        async with self._lock:
            if "url" in fields:
                self._checked(fields["url"])
            if fields.get("enabled"):
                fields = fields | {"reason": None}
            elif "enabled" in fields:
                fields = fields | {"reason": SWITCHED_OFF}
            return await self._kept(replace(self._own(endpoint_id), **fields), actor, "webhook.change")

    async def rotate(self, endpoint_id: str, actor: Actor) -> Endpoint:
        """Gives it a new secret; the old one signs beside it for a day. Raises EndpointNotFound."""
        async with self._lock:
            old = self._own(endpoint_id)
            until = self._clock.utc() + OLD_SECRET_S
            new = replace(old, secret=secret_text(ids.new_key()), old_secret=old.secret, old_until=until)
            return await self._kept(new, actor, "webhook.rotate")

    async def delete(self, endpoint_id: str, actor: Actor) -> None:
        """Deletes it with its messages and its log. Raises EndpointNotFound."""
        async with self._lock:
            self._own(endpoint_id)
            await self._turns.command(DeleteEndpoint(endpoint_id, actor))
            del self._endpoints[endpoint_id]
            self._tell_turns()

    async def test(self, endpoint_id: str, actor: Actor) -> str:
        """Sends a ping; its message's id. Raises EndpointNotFound, Unavailable, WrongState."""
        endpoint = self._own(endpoint_id)
        if not endpoint.enabled:
            raise WrongState("the webhook is not enabled, and nothing is sent to it: enable it first")
        now_at = self._clock.utc()
        message = HookMessage(
            id=ids.new_message_id(self._clock), endpoint=endpoint.id, target=endpoint.id, event=PING,
            body=ping_body(now_at, endpoint.id), at=now_at,
        )  # fmt: skip
        await self._order(SendMessage(message, actor))
        return message.id

    def tell(self, event: str, body: str) -> None:
        """Sends this to all that want to hear of it. Nobody waits until it is durable."""
        now_at = self._clock.utc()
        for endpoint in self._endpoints.values():
            if endpoint.hears(event):
                message = HookMessage(
                    id=ids.new_message_id(self._clock), endpoint=endpoint.id, target=endpoint.id, event=event,
                    body=body, at=now_at,
                )  # fmt: skip
                self._turns.carry_out([Request(SendMessage(message))])
        self._turns.kick()

    async def redeliver(self, endpoint_id: str, messages: Sequence[str], actor: Actor) -> None:
        """Sends waiting or dead messages at once; none named: all that are dead.

        Raises EndpointNotFound, MessageNotFound: then none of them is sent.
        """
        self.one(endpoint_id)
        known = await self._store.hooks.known(endpoint_id, messages)
        if unknown := [message for message in dict.fromkeys(messages) if message not in known]:
            raise MessageNotFound(
                f"the webhook has no messages with these ids: {', '.join(unknown)}. What was delivered is not kept; "
                "none of the messages is sent again"
            )
        await self._order(Redeliver(endpoint_id, tuple(messages), actor))

    async def _order(self, command: HookCommand) -> None:
        report = await self._turns.command(command)
        if not report.done:
            raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)

    async def _kept(self, endpoint: Endpoint, actor: Actor, action: str) -> Endpoint:
        await self._order(PutEndpoint(endpoint, actor, action))
        self._put([endpoint])
        self.sender.told([endpoint.id])
        return endpoint

    def _checked(self, url: str) -> str:
        try:
            target_of(url, self._settings.allowed_targets)
        except ValueError as error:
            raise BadRequest(str(error), code="invalid", pointer="/url", semantic=True) from None
        return url


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await work()
        except Unavailable as away:
            await asyncio.sleep(away.retry_after_s or 1)


def _callbacks(settings: Settings) -> Endpoint:
    """What the callbacks of jobs share; where no host is allowed nothing is sent."""
    is_on = bool(settings.callback_host)
    return Endpoint(
        id=CALLBACKS, url="", events=frozenset(END_EVENTS), secret=settings.callback_secret, enabled=is_on,
        reason=None if is_on else "no host is allowed (--callback-host)", name="callbacks of jobs", made_by="",
        made_at=0.0,
    )  # fmt: skip
