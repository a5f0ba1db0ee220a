"""Sends what waits: when a message is due, some of each target at a time, so that a slow receiver delays no other one.

It remembers no message: the store has them. What an attempt has come to is durable before the message is looked at
again, and a server that ends between the two sends it once more. Deadlines come from the node's one timer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from math import inf

from dispatcher.clock import Clock
from dispatcher.errors import Unavailable
from dispatcher.node.webhooks.posting import HookAnswer, Poster
from dispatcher.store.hooks import HookReads
from dispatcher.webhooks.commands import Tried
from dispatcher.webhooks.endpoints import CALLBACKS, Delivery, DeliveryOutcome, Endpoint, HookMessage
from dispatcher.webhooks.schedule import next_delay
from dispatcher.webhooks.signing import headers_of

__all__ = ["AT_ONCE", "AT_ONCE_IN_ALL", "GONE", "LEAVE_S", "Sender"]

log = logging.getLogger("pagehand.webhooks")

#: Most messages that are on their way: to one target, and to all.
AT_ONCE = 4
AT_ONCE_IN_ALL = 32
#: A status that says that the receiver wants nothing more.
GONE = 410
#: How long the end of the server waits for answers.
LEAVE_S = 2.0
#: How long it waits when the store cannot keep what became of an attempt.
_PAUSE_S = 5.0
#: What is lost where an instant becomes another clock's.
_ROUNDING_S = 1e-3


class Sender:
    """``receiver`` finds a target's endpoint whenever a message is sent; ``opened`` is where ``due_s`` counts from.

    ``keep`` makes a result durable, or raises Unavailable. While ``held_back`` it could not, and nothing is sent.
    """

    def __init__(
        self,
        *,
        hooks: HookReads,
        clock: Clock,
        opened: float,
        poster: Poster,
        callback_poster: Poster,
        receiver: Callable[[str], Endpoint | None],
        keep: Callable[[Tried], Awaitable[object]],
        held_back: Callable[[], bool],
        leads: Callable[[], bool] = lambda: True,
        chance: Callable[[], float],
        woken: Callable[[], None],
    ) -> None:
        self._hooks, self._clock, self._opened = hooks, clock, opened
        self._poster, self._callback_poster = poster, callback_poster
        self._receiver, self._keep, self._held_back, self._chance = receiver, keep, held_back, chance
        #: Of several nodes one sends: each message would be sent twice otherwise.
        self._leads = leads
        #: Called when the next deadline may be earlier.
        self._woken = woken
        #: When to look for a target's messages, by the monotonic clock; only targets that may have some.
        self._due: dict[str, float] = {}
        #: Ids of messages on their way, and their targets.
        self._flying: dict[str, str] = {}
        self._at_once: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = self._closed = False
        #: The next instant at which something is to be done; None: nothing is.
        self.next_at: float | None = None
        #: Attempts since the start, by what they came to.
        self.tried: Counter[DeliveryOutcome] = Counter()

    # -- when to look

    async def start(self) -> None:
        """Sees what an earlier life has left."""
        self._expect((await self._hooks.targets()).items())
        self.kick()

    def _expect(self, due: Iterable[tuple[str, float]]) -> None:
        for target, due_s in due:
            self._look_at(target, self._opened + due_s)

    def _look_at(self, target: str, at: float) -> None:
        self._due[target] = min(self._due.get(target, inf), at)

    def told(self, targets: Collection[str]) -> None:
        """A turn has written messages for these, durably; ``CALLBACKS``: for some that it cannot name."""
        now = self._clock.monotonic()
        for target in targets:
            self._look_at(target, now)
        if CALLBACKS in targets and not self._closed:
            self._spawn(self.start())
        self.kick()

    def tick(self, now: float) -> None:
        """The timer has fired."""
        if self.next_at is not None and self.next_at <= now:
            self.kick()

    def kick(self) -> None:
        """Looks soon for what is due, unless it does so anyway."""
        if not self._looking and not self._closed:
            self._looking = True
            self._spawn(self._look())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- looking

    async def _look(self) -> None:
        try:
            while (target := self._next_target()) is not None:
                await self._begin(target)
        finally:
            self._looking = False
            later = [at for target, at in self._due.items() if self._room(target) > 0]
            self.next_at = min(later, default=None)
            if self.next_at is not None:
                self._woken()

    def _next_target(self) -> str | None:
        """The target that has been due for longest, of those that have room."""
        now = self._clock.monotonic() + _ROUNDING_S
        ready = [(at, target) for target, at in self._due.items() if at <= now and self._room(target) > 0]
        return min(ready)[1] if ready and not self._closed else None

    def _room(self, target: str) -> int:
        return min(AT_ONCE - self._at_once[target], AT_ONCE_IN_ALL - len(self._flying))

    async def _begin(self, target: str) -> None:
        """Sends the target's first messages that are due, as many as there is room for."""
        del self._due[target]  # what comes while we read must not be forgotten
        endpoint = self._receiver(target)
        if endpoint is None or not endpoint.enabled or not self._leads():
            return
        if self._held_back():
            self._look_at(target, self._clock.monotonic() + _PAUSE_S)
            return
        most = 2 * AT_ONCE + 1
        found = await self._hooks.waiting(target, most)
        now = self._clock.monotonic() + _ROUNDING_S
        for message in found:
            if message.id in self._flying:
                continue
            at = self._opened + (message.due_s or 0.0)
            if at > now or self._room(target) <= 0 or self._closed:
                self._look_at(target, at)
                return
            self._flying[message.id] = target
            self._at_once[target] += 1
            self._spawn(self._send(endpoint, message))
        if len(found) == most:
            self._look_at(target, now)

    # -- one message

    async def _send(self, endpoint: Endpoint, message: HookMessage) -> None:
        after = 0.0
        try:
            await self._keep(await self._attempt(endpoint, message))
        except Unavailable:
            after = _PAUSE_S  # the message is in the store as it was, and is sent again
        finally:
            del self._flying[message.id]
            self._at_once[message.target] -= 1
            self._look_at(message.target, self._clock.monotonic() + after)
            self.kick()

    async def _attempt(self, endpoint: Endpoint, message: HookMessage) -> Tried:
        """Sends it once, and says what that means for it."""
        now_at, began = self._clock.utc(), self._clock.monotonic()
        body = message.body.encode()
        headers = headers_of(message.id, int(now_at), body, endpoint.secrets(now_at))
        about = {"Content-Type": "application/json", "User-Agent": "Pagehand"}
        answer = await self._posted(endpoint, message, about | headers, body)
        took_ms = round(1_000 * (self._clock.monotonic() - began))
        return self._judged(message, answer, now_at, took_ms)

    async def _posted(
        self, endpoint: Endpoint, message: HookMessage, headers: dict[str, str], body: bytes
    ) -> HookAnswer:
        """The boundary of what is sent: a fault of ours is logged, and the message is tried again later."""
        try:
            if message.url is not None:
                return await self._callback_poster.post(message.url, headers, body)
            return await self._poster.post(endpoint.url, headers, body)
        except Exception:
            log.exception("a fault while a message was sent", extra={"action": "webhook_failed"})
            return HookAnswer(None, "a fault of the server's own: its log says more")

    def _judged(self, message: HookMessage, answer: HookAnswer, at: float, took_ms: int) -> Tried:
        attempt, error = message.attempts + 1, _error_of(answer)
        delay_s = None if answer.status == GONE else next_delay(attempt, self._chance(), answer.retry_after_s)
        outcome = DeliveryOutcome.DEAD if delay_s is None else DeliveryOutcome.FAILED
        outcome = DeliveryOutcome.DELIVERED if error is None else outcome
        self.tried[outcome] += 1
        delivery = Delivery(
            message=message.id, endpoint=message.endpoint, event=message.event, job=message.job, attempt=attempt,
            at=at, ms=took_ms, status=answer.status, error=error, outcome=outcome,
        )  # fmt: skip
        stops = answer.status == GONE and message.url is None
        disable = "the receiver has answered 410: it wants no more messages" if stops else None
        return Tried(delivery, message.target, delay_s or 0.0, disable)

    async def close(self) -> None:
        """Begins nothing more; waits a little for answers, and gives up the rest: the next life sends them again."""
        self._closed = True
        if self._tasks:
            await asyncio.wait([*self._tasks], timeout=LEAVE_S)
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _error_of(answer: HookAnswer) -> str | None:
    """Why the answer is no success; None: the receiver has the message."""
    status = answer.status
    if answer.error is not None or status is None:
        return answer.error or "there was no answer"
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"the answer was a redirect ({status}), which is not followed: use the address that it leads to"
    return f"the answer was {status}"
