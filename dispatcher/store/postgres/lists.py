"""A page of a list of jobs, read slice by slice. A search reads the jobs' texts: there is no index of words here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobFilter, JobPage, JobView
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.views.search import MOST_CHARS, Search, hits, search_of
from dispatcher.core.jobs.views.snippets import Snippet, snippets_of
from dispatcher.store.columns import job_row
from dispatcher.store.postgres.keys import wanted_keys
from dispatcher.store.postgres.link import Link, array
from dispatcher.store.texts import SCANNED, at_once
from dispatcher.store.views import SLICE, cursor_of, seq_of, view

__all__ = ["JobPages"]

#: States that an index finds among millions of others.
_RARE = ("failed", "cancelled", "expired", "in_doubt")


class JobPages:
    """One page, as far as it has been read. Raises BadParameter for a cursor that we did not make, and for a search."""

    def __init__(self, link: Link, job_filter: JobFilter) -> None:
        self._link, self._filter = link, job_filter
        self._search = None if job_filter.search is None else search_of(job_filter.search, job_filter.owner)
        self._items: list[JobView] = []
        #: The seq below which the list goes on; None: it begins with the newest job.
        self._below = seq_of(job_filter.cursor) if job_filter.cursor else None
        self._begun = False
        #: Where the page begins.
        self._start = 1
        #: The keys of the wanted lanes, found once: jobs that come later stand above the page. None: all are wanted.
        self._lanes: list[str] | None = None
        self._names = _names(job_filter)

    def slice(self) -> bool:
        """Reads the next jobs, in the store's thread. Returns whether the page is whole."""
        if not self._begun:
            self._begin()
        assert self._below is not None
        room = self._filter.limit - len(self._items)
        if self._lanes == []:
            self._below = 1
        elif self._search is not None:
            self._read_found(self._search, self._below, room)
        elif self._names is None:
            self._read(self._below, room)
        else:
            self._read_named(*self._names, self._below, room)
        return self._below <= 1 or len(self._items) == self._filter.limit

    def _begin(self) -> None:
        if self._filter.requires:
            rows = self._link.one("lanes_wanting", wanted=wanted_keys(self._filter.requires))
            self._lanes = [lane for (lane,) in rows]
        end = self._link.one("last_seq")[0][0] + 1
        # Above the newest job there is nothing to search.
        self._start = self._below = end if self._below is None else min(self._below, end)
        self._begun = True

    def _read(self, below: int, room: int) -> None:
        states = self._filter.states
        is_rare = bool(states) and all(state in _RARE for state in states)
        above = 1 if is_rare and self._filter.only_states() else max(1, below - SLICE)
        if is_rare:
            # The index has each of the states in order.
            rows = [row for state in states for row in self._rows(below, above, [state], room)]
            rows = sorted(rows, key=lambda row: row[0].seq, reverse=True)[:room]
        else:
            rows = self._rows(below, above, list(states) or None, room)
        self._show(rows, above, room)

    def _read_named(self, statement: str, name: str, below: int, room: int) -> None:
        """An index has the jobs of this name. Of the next ones those are looked at that there is room for, or a slice
        if some of them may not fit."""
        most = room if self._filter.only_names() else SLICE
        seqs = self._seqs(statement, name, below, most)
        self._show(self._of(seqs, below, room), seqs[-1] if len(seqs) == most else 1, room)

    def _read_found(self, search: Search, below: int, room: int) -> None:
        statement, name = self._names or ("of_all", "")
        seqs = self._seqs(statement, name, below, SCANNED)
        above = seqs[-1] if len(seqs) == SCANNED else 1
        found, told = find_by_reading(self._link, search, seqs)
        self._show(self._of(found, below, room), told or above, room)

    def _seqs(self, statement: str, name: str, below: int, most: int) -> list[int]:
        named = {} if statement == "of_all" else {"name": name}
        return [seq for (seq,) in self._link.one(statement, below=below, most=most, **named)]

    def _of(self, seqs: list[int], below: int, room: int) -> list[tuple[JobRow, float | None]]:
        """Those of these jobs that fit, but for a key."""
        return self._rows(below, 1, list(self._filter.states) or None, room, array(seqs)) if seqs else []

    def _show(self, rows: list[tuple[JobRow, float | None]], above: int, room: int) -> None:
        """These jobs come next; all down to ``above`` have been looked at, if the page is not full."""
        told = self._snippets([row.seq for row, _ in rows])
        shown = [(row.seq, view(row, attempt_ended_at=stopped_at)) for row, stopped_at in rows]
        self._items += [replace(job, snippets=told[seq]) if told else job for seq, job in shown]
        self._below = rows[-1][0].seq if len(rows) == room else above

    def _snippets(self, seqs: list[int]) -> dict[int, tuple[Snippet, ...]]:
        """Where these jobs have what is searched; nothing if nobody asks."""
        search = self._search
        if not seqs or search is None or not self._filter.snippets:
            return {}
        read = self._link.one("texts", seqs=array(seqs), chars=MOST_CHARS)
        return {seq: snippets_of(search, texts) for seq, *texts in read}

    def _rows(
        self, below: int, above: int, states: list[str] | None, room: int, seqs: str | None = None
    ) -> list[tuple[JobRow, float | None]]:
        wanted = self._filter
        rows = self._link.one(
            "list_jobs", below=below, above=above, states=None if states is None else list(map(str, states)),
            type=wanted.type, worker=wanted.worker, lanes=self._lanes, error=wanted.error,
            created_after=wanted.created_after, created_before=wanted.created_before, ended_after=wanted.ended_after,
            ended_before=wanted.ended_before, owner=wanted.owner, batch=wanted.batch, tags=list(wanted.tags),
            seqs=seqs, room=room,
        )  # fmt: skip
        return [(job_row(row[:-1]), row[-1]) for row in rows]

    def page(self) -> JobPage:
        """The page as it has been read."""
        below = self._below
        behind = cursor_of(below) if below is not None and below > 1 else None
        return JobPage(items=self._items, next_cursor=behind, start=cursor_of(self._start))


def find_by_reading(link: Link, search: Search, seqs: Sequence[int]) -> tuple[list[int], int | None]:
    """The ones among these jobs that are meant, newest first; and down to which number they are told, None: all are."""
    asked = link.one("texts", seqs=array(seqs), chars=MOST_CHARS)
    read = at_once(asked)
    found = [seq for seq, *texts in read if any(hits(search, texts))]
    return found, read[-1][0] if len(read) < len(asked) else None


def _names(wanted: JobFilter) -> tuple[str, str] | None:
    """The statement that finds the fewest jobs by a name, and the name; None: nothing is asked for by its name."""
    if wanted.ids:
        return "of_ids", json.dumps(wanted.ids)
    if wanted.key is not None:
        return "of_key", wanted.key
    if wanted.batch is not None:
        return "of_batch", wanted.batch
    if wanted.tags:
        return "of_tag", wanted.tags[0]
    return None if wanted.owner is None else ("of_owner", wanted.owner)
