"""A page of a list of jobs, read slice by slice."""

from __future__ import annotations

import json
import sqlite3

from dispatcher.core.jobs.model import JobFilter, JobPage, JobView
from dispatcher.store.attempts import attempt_range
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.lanes import LaneTable
from dispatcher.store.sqlite.rows import job_row
from dispatcher.store.views import SLICE, attempts_stop, cursor_of, seq_of, view

__all__ = ["PageRead"]


class PageRead:
    """One page, as far as it has been read. Raises BadParameter for a cursor that we did not make."""

    def __init__(self, connection: sqlite3.Connection, job_filter: JobFilter) -> None:
        self._db = connection
        self._filter = job_filter
        self._items: list[JobView] = []
        #: The seq below which the list goes on; None: it begins with the newest job.
        self._below = seq_of(job_filter.cursor) if job_filter.cursor else None
        #: The numbers of the wanted lanes, as a JSON text, found once: jobs that come later stand above the page.
        self._lanes: str | None = None

    def slice(self, lanes: LaneTable) -> bool:
        """Reads the next jobs, in the store's thread. Returns whether the page is whole."""
        if self._filter.requires and self._lanes is None:
            numbers = lanes.requiring(self._filter.requires)
            self._lanes = json.dumps(numbers)
            if not numbers:
                self._below = 1
                return True
        if self._below is None:
            self._below = (self._db.execute(sql.LAST_SEQ).fetchone()[0] or 0) + 1
        self._read(self._below, self._filter.limit - len(self._items))
        return self._below <= 1 or len(self._items) == self._filter.limit

    def _read(self, below: int, room: int) -> None:
        wanted = self._filter
        rare = wanted.state in sql.RARE
        above = 1 if rare and wanted.only_state() else max(1, below - SLICE)
        statement = sql.LIST_RARE if rare else sql.LIST_JOBS
        asked = (below, above, wanted.state, wanted.type, wanted.worker, self._lanes, room)
        rows = [job_row(row) for row in self._db.execute(statement, asked)]
        stops = self._stops([row.seq for row in rows if attempts_stop(row)])
        self._items += [view(row, attempt_ended_at=stops.get(row.seq)) for row in rows]
        self._below = rows[-1].seq if len(rows) == room else above

    def _stops(self, seqs: list[int]) -> dict[int, float | None]:
        """When the newest attempt of each of these jobs ended."""
        if not seqs:
            return {}
        return dict(self._db.execute(sql.STOPS_OF, (json.dumps([(seq, *attempt_range(seq)) for seq in seqs]),)))

    def page(self) -> JobPage:
        """The page as it has been read."""
        below = self._below
        return JobPage(items=self._items, next_cursor=cursor_of(below) if below is not None and below > 1 else None)
