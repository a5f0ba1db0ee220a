"""Runs one page on what carries its packets, with faults on the way.

It owns timers and the carrier. The page and the session decide everything, without I/O.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from .carrier import Carrier
from .faults import Faults
from .journal import Journal
from .page import Page
from .session import PageSession, SessionOver

__all__ = ["Driver", "Reconnect", "new_boot"]


def new_boot() -> str:
    """The name of one load of a page. No seed repeats it: the server would take two farms for one."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Backoff with full jitter: anything from 0 to ``base_s * 2**n``, at most ``max_s``."""

    base_s: float = 1.0
    max_s: float = 30.0

    def delay_s(self, failures: int, rng: random.Random) -> float:
        """How long to wait after this number of failures in a row."""
        return rng.uniform(0, min(self.max_s, self.base_s * 2 ** min(failures, 30)))


class Driver:
    """A page on the wire. ``page`` is replaced by the next boot at each reload."""

    def __init__(
        self,
        page: Page,
        carrier: Carrier,
        *,
        rng: random.Random,
        journal: Journal,
        reconnect: Reconnect,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock``: monotonic seconds, those of the loop."""
        self.page = page
        self.session: PageSession | None = None
        self._carrier = carrier
        self._clock = clock
        self._rng = rng
        self._journal = journal
        self._reconnect = reconnect
        self._wake = asyncio.Event()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._leaving = False
        self._reload_at = self._next_reload(self._clock())

    @property
    def _faults(self) -> Faults:
        return self.page.profile.faults

    async def run(self) -> None:
        """Live, session after session, until cancelled or told to leave."""
        failures = 0
        while True:
            try:
                await self._live()
            except (SessionOver, OSError) as error:
                known = self.page.registered
                self._end_session(error)
                if self._leaving:
                    return  # The server heard the bye and hung up first.
                failures = 0 if known else failures + 1
                at_once = isinstance(error, SessionOver) and error.at_once and known
                await self._pause(0 if at_once else self._reconnect.delay_s(failures, self._rng))
            else:
                if self._leaving:
                    return
                self._load_anew()

    def leave(self) -> None:
        """Say ``bye``, close the session and end ``run``."""
        self._leaving = True
        self.page.say("bye")
        self._wake.set()

    async def close(self) -> None:
        """Close all connections without a word."""
        self.page.disconnected()
        await self._carrier.closed()

    def wake(self) -> None:
        """The page has something new to say."""
        self._wake.set()

    def freeze(self) -> None:
        """Stop the page: it reads and sends nothing, but its connections stay open."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Let a frozen page go on."""
        self._thawed.set()
        self._wake.set()

    # A session from its handshake to its end.

    async def _live(self) -> None:
        """One session. Returns when the page reloads or leaves, raises when the session is over."""
        await self._thawed.wait()
        status, body = await self._carrier.open()
        now = self._clock()
        self.session = session = PageSession.open(status, body, now)
        self._journal.count("sessions")
        self.page.connected(now, max_payload=session.max_payload)
        poller = asyncio.ensure_future(self._poll_on(session))
        poller.add_done_callback(lambda _: self._wake.set())
        try:
            await self._post_on(session, poller)
        finally:
            poller.cancel()
            await asyncio.wait([poller])
            if not poller.cancelled():
                poller.exception()  # Seen; only the first failure of a session counts.

    async def _poll_on(self, session: PageSession) -> None:
        while True:
            status, body = await self._receive(session)
            await self._thawed.wait()
            if self._chance(self._faults.swallow_polls, "swallowed_polls"):
                continue
            now = self._clock()
            for message in session.receive(status, body, now):
                self.page.received(message, now)
            self._wake.set()

    async def _receive(self, session: PageSession) -> tuple[int, bytes]:
        silence_s = session.deadline - self._clock()
        cut_s = self._faults.cut_polls_s
        try:
            timeout_s = min(silence_s, cut_s or silence_s)
            answer = await self._carrier.receive(session.sid, timeout_s)
        except TimeoutError:
            if not cut_s or cut_s > silence_s:
                raise SessionOver("no ping came") from None
            self._journal.count("cut_polls")
            raise
        if self._chance(self._faults.drop_polls, "dropped_polls"):
            raise ConnectionError("dropped a poll's answer")
        return answer

    async def _post_on(self, session: PageSession, poller: asyncio.Future[None]) -> None:
        while True:
            await self._thawed.wait()
            if poller.done():
                poller.result()
            now = self._clock()
            self._wake.clear()
            self.page.tick(now)
            if self._wants_reload(now):
                return
            if await self._post(session):
                continue
            if self._leaving:
                await self._carrier.send(session.sid, b"1")
                return
            if not self._wake.is_set():
                await self._sleep_until(self._next_deadline())

    async def _post(self, session: PageSession) -> bool:
        """Send the waiting messages; False: there were none."""
        batch = self.page.take(self._clock())
        if not batch.outs and not session.owes_pong:
            return False
        body, send = session.body(batch.messages), self._carrier.send
        await send(session.sid, body)
        if self._chance(self._faults.repeat_posts, "repeated_posts"):
            await send(session.sid, body)
        if self._chance(self._faults.lose_post_answers, "lost_post_answers"):
            self._carrier.lose_answer()
            await send(session.sid, body)
        heard = self.page.posted if self._carrier.answers else self.page.sent
        heard(batch, self._clock())
        return True

    def _end_session(self, error: Exception) -> None:
        self.session = None
        self._journal.count("closed_sessions" if isinstance(error, SessionOver) else "transport_errors")
        self._carrier.close()
        self.page.disconnected()

    # Loading anew.

    def _wants_reload(self, now: float) -> bool:
        if self._reload_at is not None and now >= self._reload_at:
            self._reload_at = self._next_reload(now)
            self.page.reload(keep_stash=self._rng.random() < self._faults.stash)
        return self.page.wants_reload is not None

    def _next_reload(self, now: float) -> float | None:
        mean_s = self._faults.reload_every_s
        return now + self._rng.uniform(0, 2 * mean_s) if mean_s else None

    def _load_anew(self) -> None:
        self._journal.count("reloads_with_stash" if self.page.wants_reload else "reloads_without_stash")
        self.session = None
        self._carrier.close()
        self.page = self.page.reloaded(new_boot())

    # Waiting.

    def _chance(self, share: float, name: str) -> bool:
        happens = share > 0 and self._rng.random() < share
        if happens:
            self._journal.count(name)
        return happens

    def _next_deadline(self) -> float | None:
        instants = (self.page.next_deadline(), self._reload_at)
        return min((at for at in instants if at is not None), default=None)

    async def _sleep_until(self, deadline: float | None) -> None:
        """Sleep until the deadline, or until something wakes the page."""
        loop = asyncio.get_running_loop()
        delay_s = None if deadline is None else max(0.0, deadline - self._clock())
        timer = None if delay_s is None else loop.call_later(delay_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _pause(self, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
