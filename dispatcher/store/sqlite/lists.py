"""A page of a list of jobs, read slice by slice."""

from __future__ import annotations

import json
import sqlite3
from operator import attrgetter

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobFilter, JobPage, JobView
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.views.search import Search, search_of
from dispatcher.core.jobs.views.snippets import Snippet, snippets_of
from dispatcher.store.attempts import attempt_range
from dispatcher.store.columns import job_row
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.lanes import LaneTable
from dispatcher.store.sqlite.search import SCANNED, SearchIndex, find_by_reading, texts_of
from dispatcher.store.views import SLICE, attempts_stop, cursor_of, seq_of, view

__all__ = ["PageRead"]

#: Jobs whose ids one slice compares with a part of an id.
CALLED = 16_384


def _names(wanted: JobFilter) -> tuple[str, str] | None:
    """The statement that finds the fewest jobs by a name, and the name; None: nothing is asked for by its name."""
    if wanted.ids:
        return sql.OF_IDS, json.dumps(wanted.ids)
    if wanted.key is not None:
        return sql.OF_KEY, wanted.key
    if wanted.batch is not None:
        return sql.OF_BATCH, wanted.batch
    if wanted.tags:
        return sql.OF_TAG, wanted.tags[0]
    # An owner may have most jobs: a search asks the index of words.
    return None if wanted.owner is None or wanted.search is not None else (sql.OF_OWNER, wanted.owner)


class PageRead:
    """One page, as far as it has been read. Raises BadParameter for a cursor that we did not make, and for a search."""

    def __init__(self, connection: sqlite3.Connection, job_filter: JobFilter, index: SearchIndex | None = None) -> None:
        self._db = connection
        self._index = index
        self._search = None if job_filter.search is None else search_of(job_filter.search, job_filter.owner)
        #: What the index is asked for, and whether that is all; asked once.
        self._narrowed: tuple[str, bool] | None = None
        self._filter = job_filter
        self._items: list[JobView] = []
        #: The seq below which the list goes on; None: it begins with the newest job.
        self._below = seq_of(job_filter.cursor) if job_filter.cursor else None
        self._begun = False
        #: Where the page begins.
        self._start = 1
        #: The numbers of the wanted lanes, as a JSON text, found once: jobs that come later stand above the page.
        self._lanes: str | None = None
        self._names = _names(job_filter)

    def slice(self, lanes: LaneTable) -> bool:
        """Reads the next jobs, in the store's thread. Returns whether the page is whole."""
        if self._filter.requires and self._lanes is None:
            numbers = lanes.requiring(self._filter.requires)
            self._lanes = json.dumps(numbers)
            if not numbers:
                self._below = 1
                return True
        if not self._begun:
            end = (self._db.execute(sql.LAST_SEQ).fetchone()[0] or 0) + 1
            # Above the newest job there is nothing to search.
            self._start = self._below = end if self._below is None else min(self._below, end)
            self._begun = True
        assert self._below is not None
        room = self._filter.limit - len(self._items)
        if self._search is not None:
            self._read_found(self._search, self._below, room)
        elif self._names is None:
            self._read(self._below, room)
        else:
            self._read_named(*self._names, self._below, room)
        return self._below <= 1 or len(self._items) == self._filter.limit

    def _read(self, below: int, room: int) -> None:
        wanted = self._filter
        rare = bool(wanted.states) and all(state in sql.RARE for state in wanted.states)
        above = 1 if rare and wanted.only_states() else max(1, below - SLICE)
        rows = self._rare(below, above, room) if rare else self._any(below, above, room)
        self._show(rows, above, room)

    def _read_named(self, statement: str, name: str, below: int, room: int) -> None:
        """An index has the jobs of this name. Of the next ones those are looked at that there is room for, or a slice
        if some of them may not fit."""
        wanted = self._filter
        most = room if wanted.only_names() else SLICE
        seqs = [seq for (seq,) in self._db.execute(statement, (name, below, most))]
        self._show(self._of(seqs, below, room), seqs[-1] if len(seqs) == most else 1, room)

    def _of(self, seqs: list[int], below: int, room: int) -> list[JobRow]:
        """Those of these jobs that fit, but for a key."""
        wanted = self._filter
        states = json.dumps(wanted.states) if wanted.states else None
        more = (json.dumps(seqs), wanted.batch, json.dumps(wanted.tags))
        return self._rows(sql.LIST_NAMED, below, 1, states, room, *more) if seqs else []

    def _read_found(self, search: Search, below: int, room: int) -> None:
        asked, is_whole = self._asked(search, below)
        if asked and self._index is not None:
            seqs, above = self._index.find(asked, search.phrases, below, SLICE if is_whole else SCANNED)
            called, above = self._called(search, below, above)
        else:
            statement, *name = self._names or (sql.OF_ALL,)
            seqs = [seq for (seq,) in self._db.execute(statement, (*name, below, SCANNED))]
            above, called, is_whole = seqs[-1] if len(seqs) == SCANNED else 1, [], False
        if not is_whole:
            seqs, told = find_by_reading(self._db, search, seqs)
            above = max(told or above, above)
        found = sorted({seq for seq in (*seqs, *called) if seq >= above}, reverse=True)
        self._show(self._of(found, below, room), above, room)

    def _asked(self, search: Search, below: int) -> tuple[str, bool]:
        """What the index of words is asked for the next jobs, empty if it does not help; and whether that is all."""
        if self._names is not None or self._index is None or below <= max(self._index.first, 1):
            return "", False
        if self._narrowed is None:
            self._narrowed = self._index.narrowed(search.phrases)
        return self._narrowed

    def _called(self, search: Search, below: int, above: int) -> tuple[list[int], int]:
        """The next jobs that are called what is searched; and down to which number they are told."""
        found: list[int] = []
        asked = [(sql.OF_KEY, key) for key in search.keys]
        if search.is_part:
            above = max(above, below - CALLED)
            found += [seq for (seq,) in self._db.execute(sql.OF_PART, (search.job_id, below, above))]
        else:
            asked.append((sql.OF_IDS, json.dumps([search.job_id])))
        for statement, name in asked:
            some = [seq for (seq,) in self._db.execute(statement, (name, below, SLICE))]
            above = max(above, some[-1]) if len(some) == SLICE else above
            found += some
        return found, above

    def _show(self, rows: list[JobRow], above: int, room: int) -> None:
        """These jobs come next; all down to ``above`` have been looked at, if the page is not full."""
        stops = self._stops([row.seq for row in rows if attempts_stop(row)])
        told = self._snippets([row.seq for row in rows])
        shown = [(row.seq, view(row, attempt_ended_at=stops.get(row.seq))) for row in rows]
        self._items += [replace(job, snippets=told[seq]) if told else job for seq, job in shown]
        self._below = rows[-1].seq if len(rows) == room else above

    def _snippets(self, seqs: list[int]) -> dict[int, tuple[Snippet, ...]]:
        """Where these jobs have what is searched; nothing if nobody asks."""
        search = self._search
        if search is None or not self._filter.snippets:
            return {}
        return {seq: snippets_of(search, texts) for seq, *texts in texts_of(self._db, seqs)}

    def _rare(self, below: int, above: int, room: int) -> list[JobRow]:
        """The index has each of the states in order."""
        found = [row for state in self._filter.states for row in self._rows(sql.LIST_RARE, below, above, state, room)]
        return sorted(found, key=attrgetter("seq"), reverse=True)[:room]

    def _any(self, below: int, above: int, room: int) -> list[JobRow]:
        states = json.dumps(self._filter.states) if self._filter.states else None
        return self._rows(sql.LIST_JOBS, below, above, states, room)

    def _rows(
        self, statement: str, below: int, above: int, states: str | None, room: int, *more: str | None
    ) -> list[JobRow]:
        wanted = self._filter
        asked = (
            below, above, states, wanted.type, wanted.worker, self._lanes, wanted.error, wanted.created_after,
            wanted.created_before, wanted.ended_after, wanted.ended_before, room, wanted.owner, *more,
        )  # fmt: skip
        return [job_row(row) for row in self._db.execute(statement, asked)]

    def _stops(self, seqs: list[int]) -> dict[int, float | None]:
        """When the newest attempt of each of these jobs ended."""
        if not seqs:
            return {}
        return dict(self._db.execute(sql.STOPS_OF, (json.dumps([(seq, *attempt_range(seq)) for seq in seqs]),)))

    def page(self) -> JobPage:
        """The page as it has been read."""
        below = self._below
        behind = cursor_of(below) if below is not None and below > 1 else None
        return JobPage(items=self._items, next_cursor=behind, start=cursor_of(self._start))
