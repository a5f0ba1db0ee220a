"""The whole list of jobs in one answer, as lines of JSON or as CSV: all pages from the cursor on.

A piece is written when the client has taken the one before it, so a slow client costs no memory. If the list cannot
be read to its end, the connection ends before the answer does: what was cut is never taken for the whole.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
from tornado.iostream import StreamClosedError

from dispatcher.core.jobs.model import JobFilter, JobView
from dispatcher.errors import PagehandError, Unauthorized
from handlers.api.csvtext import csv_head, csv_rows, usual_fields
from handlers.api.jobjson import LINE_FIELDS, Json, chosen_of, job_lines
from handlers.api.resources import ConsoleApiHandler
from handlers.mediatype import CSV, LINES
from handlers.queries import ListFormat

__all__ = ["give_list"]

log = logging.getLogger("pagehand.api")

_encoder = msgspec.json.Encoder()
_TYPES = {ListFormat.NDJSON: f"{LINES}; charset=utf-8", ListFormat.CSV: f"{CSV}; charset=utf-8; header=present"}


class WalksOn(Protocol):
    """A way through the list."""

    async def next(self) -> list[JobView] | None: ...


async def give_list(handler: ConsoleApiHandler, wanted: JobFilter, chosen: ListFormat, fields: Sequence[str]) -> None:
    """Answers with all jobs that pass the filter, newest first. A HEAD gets what the head of the answer says."""
    writer = _Csv(handler, fields) if chosen is ListFormat.CSV else _Lines(handler, fields)
    with handler.site.service.walks.begin(wanted) as walk:
        jobs = await walk.next()  # a fault of the request shows here, before anything is written
        _begin(handler, chosen)
        if handler.request.method == "HEAD":
            await handler.flush()
        else:
            try:
                await handler.client.patiently(_tell(handler, walk, jobs, writer))
            except Unauthorized as error:
                _cut(handler, error)


def _begin(handler: ConsoleApiHandler, chosen: ListFormat) -> None:
    handler.set_header("Content-Type", _TYPES[chosen])
    handler.set_header("Content-Disposition", f'attachment; filename="jobs.{chosen}"')
    # A proxy (nginx) would read ahead, and the client would not slow us down.
    handler.set_header("X-Accel-Buffering", "no")


async def _tell(handler: ConsoleApiHandler, walk: WalksOn, jobs: list[JobView] | None, writer: _Lines) -> None:
    head = writer.head()
    try:
        while jobs is not None:
            piece, head = head + writer.piece(jobs), b""
            if piece:
                handler.write(piece)
                await handler.flush()
            jobs = await walk.next()
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
    log.warning("a list of jobs was cut: %s", error.detail, extra={"action": "list_cut"})
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
