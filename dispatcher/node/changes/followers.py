"""Those who follow changes: each is a place in the ring, and sleeps until an event comes that it asked for.

A turn tells all of them with one call. Whoever sleeps is found by what it asked for, so a turn costs the followers
that it wakes, however many sleep. They are woken some at a time, so that turns get through. It knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence

from dispatcher.clock import Clock
from dispatcher.core.jobs.views.changes import ChangeFilter, ChangePage, FeedEvent, Gap
from dispatcher.core.jobs.views.telling import JOB, RollEvent
from dispatcher.errors import Unavailable
from dispatcher.node.changes.events import Ring

__all__ = ["BEAT_S", "Feed", "Follower"]

#: A follower that has heard nothing for this time is woken, so that it can say that it is still there.
BEAT_S = 15.0
#: Followers that are woken at once (each then costs about 25 us), and the pause before the next ones: a thousand of
#: them must not take the loop from the jobs.
WOKEN_AT_ONCE = 16
WAKE_PAUSE_S = 0.002
#: Most changes that a follower takes at once (at most about 600 bytes each), and most that it looks at.
MOST_TAKEN = 100
MOST_JUDGED = 2_000
#: How long the end of the server waits for followers to leave.
LEAVE_S = 1.0

#: A field of a filter and one of its values. Whoever asked for nothing in particular sleeps under ("", "").
_Key = tuple[str, str]


class Follower:
    """One place in the ring. Use it as a context: outside of it nobody is woken."""

    def __init__(self, feed: Feed, wanted: ChangeFilter, after: int, gap: Gap | None) -> None:
        self.wanted = wanted
        #: The number of the last event that was judged.
        self.after = after
        self._feed = feed
        self._gap = gap
        #: Set while it sleeps.
        self.alarm: asyncio.Future[bool] | None = None

    def __enter__(self) -> Follower:
        self._feed.came(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._feed.left(self)

    @property
    def is_over(self) -> bool:
        """The server stops, and this follower has all changes."""
        return self._feed.closed and self.after >= self._feed.ring.end

    def take(self) -> ChangePage:
        """What has come since the last time, or some of it."""
        ring = self._feed.ring
        gap = self._gap or ring.gap(self.after)
        self._feed.gaps += gap is not None
        self._gap, self.after = None, max(self.after, ring.passed)
        items, self.after = ring.take(self.after, self.wanted, most=MOST_TAKEN, judged=MOST_JUDGED)
        return ChangePage(items, ring.life, self.after, gap)

    async def wait(self) -> bool:
        """Returns when there may be something to take, or (False) when there was nothing for ``BEAT_S``."""
        if self._feed.closed or self.after < self._feed.ring.end:
            await asyncio.sleep(0)  # a client that reads quickly must not keep the others waiting
            return True
        return await self._feed.asleep(self)

    def wake(self, *, found: bool) -> None:
        """Ends its sleep."""
        if self.alarm is not None and not self.alarm.done():
            self.alarm.set_result(found)


class Feed:
    """All followers of one node, at most ``most``."""

    def __init__(self, ring: Ring, clock: Clock, most: int) -> None:
        self.ring = ring
        self.closed = False
        #: How often a follower was told that changes are missing.
        self.gaps = 0
        self._clock, self._most = clock, most
        #: When each has last heard something, or was let in; in that order.
        self._heard: OrderedDict[Follower, float] = OrderedDict()
        #: Who sleeps, by what wakes it. Those who asked for the same are judged together.
        self._asleep: dict[_Key, dict[ChangeFilter, set[Follower]]] = {}
        self._to_wake: deque[Follower] = deque()
        self._empty: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._heard)

    # -- for those who follow

    def follow(self, wanted: ChangeFilter, after: str | None) -> Follower:
        """A follower that begins behind this id; None: with what comes next. Raises BadParameter, Unavailable."""
        if len(self._heard) >= self._most:
            raise Unavailable(f"{self._most} clients follow the changes already (--waiters): read the jobs instead")
        return Follower(self, wanted, *self.ring.place(after))

    async def page(self, wanted: ChangeFilter, after: str | None, wait_s: float) -> ChangePage:
        """The changes behind this id, as soon as there are any, or none after ``wait_s``. Raises as ``follow`` does."""
        with self.follow(wanted, after) as follower:
            page = follower.take()
            try:
                async with asyncio.timeout(wait_s):
                    while not page.items and page.gap is None and not self.closed:
                        await follower.wait()
                        page = follower.take()
            except TimeoutError:
                page = follower.take()
            return page

    # -- for the node

    def told(self, events: Sequence[FeedEvent]) -> None:
        """What one turn has changed, durably; or what a look has found."""
        number = self.ring.end
        self.ring.add(events)
        for event in events:
            if not self._asleep:
                return
            for key in _keys_of(event):
                for wanted in [*self._asleep.get(key, ())]:
                    if wanted.passes(event):
                        self._found(wanted, key, number)
            number += 1

    def _found(self, wanted: ChangeFilter, key: _Key, after: int) -> None:
        """Everything up to ``after`` was judged while they slept, and the next one is for them."""
        sleepers = [*self._asleep[key][wanted]]
        for follower in sleepers:
            self._lifted(follower)
            follower.after = after
        if not self._to_wake and sleepers:
            asyncio.get_running_loop().call_soon(self._wake_some)
        self._to_wake.extend(sleepers)

    def _wake_some(self) -> None:
        for _ in range(min(WOKEN_AT_ONCE, len(self._to_wake))):
            self._to_wake.popleft().wake(found=True)
        if self._to_wake:
            asyncio.get_running_loop().call_later(WAKE_PAUSE_S, self._wake_some)

    def tick(self, now: float) -> None:
        """Wakes those who have heard nothing for long."""
        while self._heard:
            follower, heard = next(iter(self._heard.items()))
            if heard + BEAT_S > now:
                return
            self._heard[follower] = now
            self._heard.move_to_end(follower)
            if self._lifted(follower):
                follower.after = self.ring.end
                follower.wake(found=False)

    async def close(self) -> None:
        """The last change has been told: everybody may take the rest and leaves; those who do not are left behind."""
        self.closed = True
        for follower in self._heard:
            follower.wake(found=True)
        if self._heard:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._empty], timeout=LEAVE_S)

    # -- for a follower

    def came(self, follower: Follower) -> None:
        """It counts."""
        self._heard[follower] = self._clock.monotonic()

    def left(self, follower: Follower) -> None:
        """It counts no more."""
        self._lifted(follower)
        del self._heard[follower]
        if not self._heard and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    async def asleep(self, follower: Follower) -> bool:
        """Lets it sleep. Returns whether an event was found for it."""
        follower.alarm = asyncio.get_running_loop().create_future()
        for key in _keys_for(follower.wanted):
            self._asleep.setdefault(key, {}).setdefault(follower.wanted, set()).add(follower)
        try:
            found = await follower.alarm
        finally:
            self._lifted(follower)
            follower.alarm = None
        self._heard[follower] = self._clock.monotonic()
        self._heard.move_to_end(follower)
        return found

    def _lifted(self, follower: Follower) -> bool:
        """Takes it from among those who sleep; whether it was there."""
        was_there = False
        for key in _keys_for(follower.wanted):
            groups = self._asleep.get(key, {})
            sleepers = groups.get(follower.wanted, set())
            if follower not in sleepers:
                continue
            was_there = True
            sleepers.discard(follower)
            if not sleepers:
                del groups[follower.wanted]
            if not groups:
                del self._asleep[key]
        return was_there


def _keys_for(wanted: ChangeFilter) -> Iterable[_Key]:
    """What wakes a follower: the events that it asked for, and of changes the field that lets the fewest pass."""
    keys = [("event", name) for name in wanted.event if name != JOB]
    return keys + _keys_of_jobs(wanted) if JOB in wanted.event else keys


def _keys_of_jobs(wanted: ChangeFilter) -> list[_Key]:
    for field in ("job", "worker", "owner", "type", "state"):
        if values := getattr(wanted, field):
            return [(field, value) for value in values]
    return [("", "")]


def _keys_of(event: FeedEvent) -> tuple[_Key, ...]:
    """Whom an event may wake."""
    if isinstance(event, RollEvent):
        return (("event", event.name),)
    return (
        ("job", event.job),
        ("worker", event.worker or ""),
        ("owner", event.owner or ""),
        ("type", event.type),
        ("state", event.new),
        ("", ""),
    )
