"""Changes as they come: as server-sent events, and page by page for clients that cannot read these.

Whoever asks for them gets roll events, too. Both show the same events in the same order, under the same ids. What a
client has not taken waits in the node's ring, not here: a piece of the answer is written when the client has taken the
one before it.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from msgspec.structs import replace
from tornado.iostream import StreamClosedError

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.changes import ChangeFilter, ChangePage, FeedEvent, Gap, NumberedEvent
from dispatcher.core.jobs.views.telling import JOB, RollEvent
from dispatcher.errors import Unauthorized
from handlers import queries
from handlers.api.jobjson import Json, instant
from handlers.api.resources import ConsoleApiHandler
from handlers.base import as_json
from handlers.client import ENDED
from handlers.prefix import Prefix

__all__ = ["ChangesHandler", "EventsHandler"]

#: After this time a browser comes back.
RETRY_MS = 3_000
_BYE = b"event: bye\nretry: %d\ndata: %b\n\n"
_STOPS = {"detail": "The server stops. Come back with the id of the last event."}
_SHUT = {"detail": ENDED}


class Follows(Protocol):
    """Somebody who follows changes."""

    @property
    def is_over(self) -> bool: ...
    def take(self) -> ChangePage: ...
    async def wait(self) -> bool: ...


class _Following(ConsoleApiHandler):
    """Who is bound to types must name some of them. Of workers those are told who may list them."""

    scopes: ClassVar = {"GET": Scope.READ}
    looks_at_jobs = True

    def _wanted(self) -> ChangeFilter:
        wanted = queries.change_filter(self)
        if wanted.event != {JOB}:
            self.principal.needs_no_bound()
            self.check_knows_all()
        self.principal.needs_types(wanted.type)
        only = self.only_owner
        if only is None:
            return wanted
        if not wanted.owner <= {only}:
            raise self.principal.has_only_its_own("The filter names another owner.")
        return replace(wanted, owner=frozenset({only}))


class EventsHandler(_Following):
    """``/api/v1/events``: a stream of server-sent events that ends with the server, the client, or the token."""

    query_fields = queries.CHANGES

    async def get(self) -> None:
        """Everything that passes the filter, from now on or behind an id."""
        wanted = self._wanted()
        with self.site.service.feed.follow(wanted, queries.after_argument(self)) as follower:
            self._begin()
            try:
                await self.client.patiently(self._tell(follower, wanted))
            except Unauthorized:
                self.finish(_bye(_SHUT))  # not waited for: the client may not read

    def head(self) -> None:
        """The same checks, and no stream."""
        self._wanted()
        self._begin()

    def _begin(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        # A proxy (nginx) would keep small pieces back until it has many.
        self.set_header("X-Accel-Buffering", "no")

    async def _tell(self, follower: Follows, wanted: ChangeFilter) -> None:
        try:
            page = follower.take()
            first = b"retry: %d\n" % RETRY_MS
            await self._say(first + (self._events(page, wanted) or _here(page)))
            while not follower.is_over:
                found = await follower.wait()
                if not self.still_opens():
                    break
                page = follower.take()
                if piece := self._events(page, wanted) or (b"" if found else _here(page)):
                    await self._say(piece)
            await self.finish(_bye(_STOPS if self.still_opens() else _SHUT))
        except StreamClosedError:
            return  # the client has gone

    def _events(self, page: ChangePage, wanted: ChangeFilter) -> bytes:
        frames = [_frame(page, item) for item in page.items]
        if page.gap is not None:
            # The id is that of the place before what follows.
            place = page.items[0].number - 1 if page.items else page.after
            gap = as_json(_gap(page.gap, wanted, self.site.prefix))
            frames.insert(0, b"id: %b\nevent: gap\ndata: %b\n\n" % (page.id_of(place).encode(), gap))
        return b"".join(frames)

    async def _say(self, piece: bytes) -> None:
        self.write(piece)
        await self.flush()


class ChangesHandler(_Following):
    """``/api/v1/changes``: the same, one page at a time."""

    query_fields = (*queries.CHANGES, *queries.WAIT)

    async def get(self) -> None:
        """What stands behind an id; with ``?wait=N`` as soon as there is something, or after N seconds."""
        wanted, after = self._wanted(), queries.after_argument(self)
        feed, wait_s = self.site.service.feed, queries.wait_argument(self)
        page = await self.client.patiently(feed.page(wanted, after, wait_s))
        if page is not None:
            self.admit_again()
            items = [_json(page.id_of(item.number), item.event) for item in page.items]
            gap = page.gap and _gap(page.gap, wanted, self.site.prefix)
            self.answer({"items": items, "after": page.id_of(page.after), "gap": gap})

    head = get


def _bye(why: dict[str, str]) -> bytes:
    return _BYE % (RETRY_MS, as_json(why))


def _json(name: str, event: FeedEvent) -> Json:
    """An event as a program reads it."""
    return _roll_json(name, event) if isinstance(event, RollEvent) else _change_json(name, event)


def _roll_json(name: str, event: RollEvent) -> Json:
    """It has the fields that receivers of webhooks get as ``data``."""
    return {
        "id": name,
        "event": event.name,
        "at": instant(event.at),
        "usual": event.usual,
        "here": event.here,
        "missed": event.missed,
        "workers": [{"name": one.name, "gone_at": instant(one.gone_at)} for one in event.workers],
    }


def _change_json(name: str, change: Change) -> Json:
    """The secret end of the attempt's id is left out: who knows it may report."""
    return {
        "id": name,
        "job": change.job,
        "type": change.type,
        "from": None if change.old is None else change.old.value,
        "to": change.new.value,
        "at": instant(change.at),
        "attempt": None if change.attempt is None else change.attempt.rpartition("-")[0],
        "worker": change.worker,
        "reason": change.reason,
        "actor": change.actor or None,
        "owner": change.owner,
    }


def _gap(gap: Gap, wanted: ChangeFilter, prefix: Prefix) -> Json:
    """What is missing, and where to read what has become of the jobs, or who is missed."""
    address = f"/api/v1/jobs/{next(iter(wanted.job))}" if len(wanted.job) == 1 else "/api/v1/jobs"
    if JOB not in wanted.event:
        address = "/api/v1/overview"
    return {"reason": gap.reason, "detail": gap.detail, "catch_up": prefix.link(address)}


def _frame(page: ChangePage, item: NumberedEvent) -> bytes:
    if item.frame is None:
        name, event = page.id_of(item.number), item.event
        kind = event.name if isinstance(event, RollEvent) else JOB
        item.frame = b"id: %b\nevent: %b\ndata: %b\n\n" % (name.encode(), kind.encode(), as_json(_json(name, event)))
    return item.frame


def _here(page: ChangePage) -> bytes:
    """A comment: the client is still listened to. The id is for its return: up to there nothing was for it."""
    return b": here\nid: %b\n\n" % page.id_of(page.after).encode()
