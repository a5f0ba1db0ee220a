"""A whole list in one answer, of jobs or of what people have done, as lines of JSON or as CSV: all pages from the
cursor on.

A piece is written when the client has taken the one before it, so a slow client costs no memory. If the list cannot
be read to its end, the connection ends before the answer does: what was cut is never taken for the whole.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace
from tornado.iostream import StreamClosedError

from dispatcher.access.acts import AuditEntry, AuditFilter
from dispatcher.core.jobs.model import JobFilter, JobView
from dispatcher.errors import PagehandError, Unauthorized
from handlers.api.acts import ACT_FIELDS, act_json
from handlers.api.csvtext import csv_head, csv_rows, usual_fields
from handlers.api.jobjson import LINE_FIELDS, Json, chosen_of, job_lines
from handlers.api.resources import ConsoleApiHandler
from handlers.mediatype import CSV, LINES
from handlers.queries import ListFormat
from handlers.site import Site

__all__ = ["ACTS_AT_ONCE", "give_acts", "give_list"]

log = logging.getLogger("pagehand.api")

Item = TypeVar("Item")
Read = TypeVar("Read", covariant=True)
Written = TypeVar("Written", contravariant=True)

_encoder = msgspec.json.Encoder()
#: Acts that are read at once.
ACTS_AT_ONCE = 500
_TYPES = {ListFormat.NDJSON: f"{LINES}; charset=utf-8", ListFormat.CSV: f"{CSV}; charset=utf-8; header=present"}


class WalksOn(Protocol[Read]):
    """A way through a list."""

    async def next(self) -> Sequence[Read] | None: ...


class Writer(Protocol[Written]):
    """Writes the items of a list."""

    def head(self) -> bytes:
        """What stands before them."""
        ...

    def piece(self, items: Sequence[Written], /) -> bytes:
        """Some of them."""
        ...


async def give_acts(handler: ConsoleApiHandler, wanted: AuditFilter, chosen: ListFormat) -> None:
    """Answers with all acts that pass the filter, newest first."""
    await _give(handler, _ActWalk(handler.site, wanted), _ActWriter(chosen), chosen, "audit")


async def give_list(handler: ConsoleApiHandler, wanted: JobFilter, chosen: ListFormat, fields: Sequence[str]) -> None:
    """Answers with all jobs that pass the filter, newest first. A HEAD gets what the head of the answer says."""
    writer = _Csv(handler, fields) if chosen is ListFormat.CSV else _Lines(handler, fields)
    with handler.site.service.walks.begin(wanted) as walk:
        await _give(handler, walk, writer, chosen, "jobs")


async def _give(
    handler: ConsoleApiHandler, walk: WalksOn[Item], writer: Writer[Item], chosen: ListFormat, name: str
) -> None:
    items = await walk.next()  # a fault of the request shows here, before anything is written
    _begin(handler, chosen, name)
    if handler.request.method == "HEAD":
        await handler.flush()
    else:
        try:
            await handler.client.patiently(_tell(handler, walk, items, writer))
        except Unauthorized as error:
            _cut(handler, error)


def _begin(handler: ConsoleApiHandler, chosen: ListFormat, name: str) -> None:
    handler.set_header("Content-Type", _TYPES[chosen])
    handler.set_header("Content-Disposition", f'attachment; filename="{name}.{chosen}"')
    # A proxy (nginx) would read ahead, and the client would not slow us down.
    handler.set_header("X-Accel-Buffering", "no")


async def _tell(
    handler: ConsoleApiHandler, walk: WalksOn[Item], items: Sequence[Item] | None, writer: Writer[Item]
) -> None:
    head = writer.head()
    try:
        while items is not None:
            piece, head = head + writer.piece(items), b""
            if piece:
                handler.write(piece)
                await handler.flush()
            items = await walk.next()
            handler.admit_again()
        await handler.finish()
    except StreamClosedError:
        return  # the client has gone
    except PagehandError as error:
        _cut(handler, error)
    except Exception:
        handler.break_off()
        raise


def _cut(handler: ConsoleApiHandler, error: PagehandError) -> None:
    log.warning("a list was cut: %s", error.detail, extra={"action": "list_cut"})
    handler.break_off()


class _Lines:
    """Writes jobs as lines of JSON."""

    def __init__(self, handler: ConsoleApiHandler, fields: Sequence[str]) -> None:
        self._site, self._fields = handler.site, fields

    def head(self) -> bytes:
        """What stands before the jobs."""
        return b""

    def piece(self, jobs: Iterable[JobView]) -> bytes:
        """Some jobs."""
        return _encoder.encode_lines([self._site.prefix.document(line) for line in self.lines(jobs)])

    def lines(self, jobs: Iterable[JobView]) -> list[Json]:
        """The chosen fields of these jobs."""
        return [chosen_of(line, self._fields) for line in job_lines(jobs, self._site.service.why)]


class _Csv(_Lines):
    """Writes jobs as rows of a table."""

    def __init__(self, handler: ConsoleApiHandler, fields: Sequence[str]) -> None:
        super().__init__(handler, fields or usual_fields(LINE_FIELDS))

    def head(self) -> bytes:
        return csv_head(self._fields).encode()

    def piece(self, jobs: Iterable[JobView]) -> bytes:
        return csv_rows(self.lines(jobs), self._fields).encode()


class _ActWalk:
    """A way through the audit log. It is at most some hundred thousand lines, and few read it."""

    def __init__(self, site: Site, wanted: AuditFilter) -> None:
        self._site, self._wanted, self._begins = site, replace(wanted, limit=ACTS_AT_ONCE), True

    async def next(self) -> list[AuditEntry] | None:
        """The next acts; None: there are no more."""
        if not self._begins and self._wanted.cursor is None:
            return None
        page = await self._site.service.access.acts(self._wanted)
        self._begins, self._wanted = False, replace(self._wanted, cursor=page.next_cursor)
        return page.items


class _ActWriter:
    """Writes acts as lines of JSON, or as rows of a table."""

    def __init__(self, chosen: ListFormat) -> None:
        self._as_csv = chosen is ListFormat.CSV

    def head(self) -> bytes:
        """The names of the columns."""
        return csv_head(ACT_FIELDS).encode() if self._as_csv else b""

    def piece(self, acts: Sequence[AuditEntry]) -> bytes:
        """Some acts."""
        lines = [act_json(act) for act in acts]
        return csv_rows(lines, ACT_FIELDS).encode() if self._as_csv else _encoder.encode_lines(lines)
