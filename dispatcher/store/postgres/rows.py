"""The driver of the PostgreSQL store: answers each set request of a turn in one round trip.

It remembers nothing that another node could change: neither counters nor lanes, numbers or what is due. (How jobs have
ended it does remember: ``endings.py``.) What a turn reads to change it, it locks. ``begin`` goes along with the first
request, and what ends the transaction with the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import psycopg

from dispatcher.clock import SystemClock
from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet
from dispatcher.core.jobs.states import OPEN, JobState
from dispatcher.core.jobs.turn import HeardNews
from dispatcher.store.attempts import job_of
from dispatcher.store.columns import JOB_COLUMNS, attempt_row, job_row
from dispatcher.store.counters import Agenda
from dispatcher.store.driving import StaleLife
from dispatcher.store.endings import MOST_ENDINGS_FORGOTTEN
from dispatcher.store.postgres.clock import QueueClock
from dispatcher.store.postgres.endings import EndingCounts, asks_to_forget
from dispatcher.store.postgres.hooks import ask_to_forget
from dispatcher.store.postgres.keys import ALL_LANES, lane_key
from dispatcher.store.postgres.link import Asked, Later, Link, Rows, array
from dispatcher.store.postgres.lives import Life
from dispatcher.store.postgres.others import Others
from dispatcher.store.postgres.ready import had_by, ready_asks, ready_rows
from dispatcher.store.postgres.saving import ended_asks, save_asks
from dispatcher.store.requests import (
    MOST_FORGOTTEN,
    MOST_MISSING,
    Due,
    DueRows,
    LaneGroup,
    Load,
    Loaded,
    Purge,
    Purged,
    Ready,
    ReadyRows,
    Save,
    Saved,
    Tally,
)
from dispatcher.store.views import MOST_ATTEMPTS_SHOWN

__all__ = ["PostgresRows"]

_clock = SystemClock()
_OPEN = sorted(map(str, OPEN))
_JOB = len(JOB_COLUMNS)
_ATTEMPT, _STATE = JOB_COLUMNS.index("attempt"), JOB_COLUMNS.index("state")


class PostgresRows:
    """See requests.StoreDriver."""

    def __init__(
        self, link: Link, node: str, life: Life, most_waiting: int, when_back: Callable[[Callable[[], Rows]], Rows]
    ) -> None:
        self._link, self._node, self._epoch, self._most_waiting = link, node, life.epoch, most_waiting
        #: For reads after a COMMIT in which the connection was lost.
        self._when_back = when_back
        self.endings, self.others = EndingCounts(link, node), Others(node, life.others)
        #: When the last turn began, by the database's clock.
        self.database_at = 0.0
        #: So many turns the node has had, with this one.
        self._turns = 0
        self.queue_clock = QueueClock(life.queue_clock)
        #: When the turn was gathered, by the monotonic clock.
        self.gathered_at = 0.0
        #: What goes before the next request, and what behind the last one.
        self._before: list[Asked] = []
        self._behind: list[Asked] = []
        self._agenda = Agenda(None, None)
        #: Jobs that go with the turn's other changes.
        self._outlived: list[JobRow] = []
        #: Attempts of this node that were looked for and have no row yet. Their jobs are locked, so nobody makes one.
        self._rowless: frozenset[str] = frozenset()
        #: What the database looks for already, and what reads it.
        self._looked: tuple[Sequence[LaneGroup], Later] | None = None
        #: The jobs that are done have been written ahead of the turn's other changes.
        self._ahead = False

    def begin(self, *, whole: bool) -> None:
        """A transaction begins with the next request; ``whole``: and it ends with the last one of the same turn."""
        self.endings.begin()
        self.others.begin()
        self._before = [("begin", {})]
        self._behind = [("commit", {})] if whole else []

    def commit(self) -> None:
        """Ends a transaction that was not begun as ``whole``."""
        self._end([("commit", {})])

    def mark(self) -> None:
        """A step begins that may be undone."""
        self._before.append(("savepoint", {}))

    def back_to_mark(self) -> None:
        """Undoes what has happened since."""
        self._before = []
        self.endings.undone()
        self._link.undo("rollback_item")

    def unmark(self) -> None:
        """The step is over; it stays."""
        self._before.append(("release", {}))

    def _many(self, asked: Iterable[Asked]) -> list[Rows]:
        before, self._before = self._before, []
        return self._link.many(chain(before, asked))[len(before) :]

    def _end(self, asked: Iterable[Asked]) -> list[Rows]:
        """The last request of a transaction. No rows: it has happened, and its answer was lost."""
        found: list[Rows] = []
        try:
            found = self._many(asked)
        except psycopg.OperationalError:
            if not (self._link.lost() and self._happened()):
                raise
        self.endings.end()
        self.others.end()
        return found

    def _happened(self) -> bool:
        """Whether the transaction has happened whose COMMIT was not answered: then the node has had this turn.

        The number of the transaction would not tell: after a crash another may have it.
        """
        return bool(self._when_back(lambda: self._link.one("turns", node=self._node))[0][0] >= self._turns)

    # -- what a turn names

    def load(self, request: Load) -> Loaded:
        """See requests.Load."""
        self._outlived, self._ahead = [], False
        named = {name: seq for name in request.attempts if (seq := job_of(name)) is not None}
        counted = self.endings.counted(self.queue_clock.last)
        clock = self.queue_clock.own(request.elapsed_s)
        mine = {"clock": clock, "node": self._node, "epoch": self._epoch, "counted": counted}
        fence: list[Asked] = [("fence", mine)]
        others = list(self.others.asks(request))
        asked: dict[str, dict[str, Any]] = {}
        if named or request.jobs or request.keys:
            jobs, keys = sorted(request.jobs), sorted(request.keys)
            asked["load_jobs"] = {"seqs": array(set(named.values())), "ids": jobs, "keys": keys}
        if named:
            asked["load_attempts"] = {"jobs": array(named.values()), "names": list(named)}
        if request.jobs:
            asked["load_current"] = {"ids": sorted(request.jobs)}
        if request.histories:
            asked["load_histories"] = {"ids": sorted(request.histories), "most": MOST_ATTEMPTS_SHOWN}
        if request.types:
            types = {"types": sorted(request.types)}
            asked |= {"load_types": types, "count_types": types}
        if request.numbers:
            asked["numbers"] = {"numbers": request.numbers}
        asked |= self.endings.asks()
        asked |= {"held": {"all": ALL_LANES, "open": _OPEN}, "agenda": {}}
        fenced, *rows = self._load_and_look([*fence, *others, *asked.items()], request.groups)
        if not fenced:
            [newest] = self._many([("epoch", {"node": self._node})])
            raise StaleLife(newest[0][0] if newest else 0)
        [(clock, self._turns, self.database_at)] = fenced
        self.queue_clock.seen(clock, request.elapsed_s, _clock.monotonic() - self.gathered_at)
        loaded = self._loaded(request, clock, dict(zip(asked, rows[len(others) :], strict=True)))
        loaded.moved, news = self.others.loaded(rows[: len(others)])
        loaded.late = self.others.late
        if news is not None:
            # A turn that goes item by item may undo a part of itself: the next one sees to those that are gone.
            loaded.heard = HeardNews(news, self.others.bury(self._many) if self._behind else [], self.others.leads)
        return loaded

    def _load_and_look(self, asked: list[Asked], groups: Sequence[LaneGroup]) -> list[Rows]:
        """Ready jobs are looked for while the applier settles reports; not item by item, as items may be undone."""
        self._looked = None
        if not (groups and self._behind):
            return self._many(asked)
        before, self._before = self._before, []
        found, looked = self._link.many_and_ahead([*before, *asked], ready_asks(groups))
        self._looked = groups, looked
        return found[len(before) :]

    def _loaded(self, request: Load, clock: float, found: dict[str, Rows]) -> Loaded:
        self.endings.loaded(found)
        run_at, expires_at, backoff = found["agenda"][0]
        self._agenda = Agenda(_first(run_at, expires_at), backoff)
        rows = found.get("load_jobs", ())
        jobs = {row[0]: job_row(row[:_JOB]) for row in rows}
        attempts = [*found.get("load_attempts", ()), *found.get("load_current", ())]
        own = {row[_ATTEMPT] for row in rows if row[_JOB] == self._node and row[_STATE] == JobState.RUNNING}
        self._rowless = frozenset(own.intersection(request.attempts).difference(row[0] for row in attempts))
        histories: dict[int, list[AttemptRow]] = {seq: [] for seq, job in jobs.items() if job.id in request.histories}
        for row in map(attempt_row, found.get("load_histories", ())):
            histories[row.job].append(row)
        types = frozenset(name for (name,) in found.get("load_types", ()))
        return Loaded(
            queue_clock=clock,
            jobs=jobs,
            attempts={row[0]: attempt_row(row) for row in attempts},
            histories=histories,
            types=types,
            types_known=max(len(types), found["count_types"][0][0] if request.types else 0),
            held=Tally(*found["held"][0]),
            numbers=sorted(number for (number,) in found.get("numbers", ())),
            elsewhere=self._elsewhere(rows),
        )

    def _elsewhere(self, rows: Iterable[tuple[Any, ...]]) -> frozenset[str]:
        """The current attempts that another node has."""
        return frozenset(row[_ATTEMPT] for row in rows if row[_JOB] != self._node and row[_STATE] == JobState.RUNNING)

    # -- what is due, ready, outlived

    def due(self, request: Due) -> DueRows:
        """See requests.Due. The first request has asked whether anything is: mostly nothing is."""
        nothing = self._agenda.nothing(request)
        if nothing is not None:
            return nothing
        at = {"now_at": request.now_at, "queue_clock": request.queue_clock, "limit": request.limit}
        overdue, due, backed_off, after = self._many(
            [(name, at) for name in ("overdue", "due", "backed_off", "next_due")]
        )
        run_at, expires_at, backoff = after[0]
        rows = [*map(job_row, due), *map(job_row, backed_off)][: request.limit]
        return DueRows(list(map(job_row, overdue)), rows, _first(run_at, expires_at), backoff)

    def ready(self, request: Ready) -> ReadyRows:
        """See requests.Ready. Jobs that another node has in hand are passed over."""
        looked, self._looked = self._looked, None
        is_looked_for = looked is not None and looked[0] == request.groups
        asked = [] if is_looked_for else ready_asks(request.groups)
        if request.in_hand:
            asked.append(("in_hand", {"seqs": array(request.in_hand)}))
        found = self._many(asked) if asked else []
        in_hand = found.pop() if request.in_hand else []
        groups, had = ready_rows(request.groups, looked[1]() if looked is not None and is_looked_for else found)
        had |= {seq: had_by(names) for seq, _, names in in_hand}
        self._write_ahead(request.writes)
        return ReadyRows(groups, {seq: text for seq, text, _ in in_hand}, had)

    def _write_ahead(self, writes: WriteSet | None) -> None:
        """The database writes what is done while the applier chooses jobs; not item by item, as that may be undone."""
        if writes is not None and writes.done and self._behind:
            self._link.ahead(ended_asks(writes, self._node, self._rowless))
            self._ahead = True

    def purge(self, request: Purge) -> Purged:
        """See requests.Purge. The jobs are locked now, and go with the turn's last request."""
        limit = {"limit": request.limit, "spare": array(request.spare)}
        acts = request.acts
        asked: list[Asked] = [
            ("outlived", limit | {"before": request.ended_before}),
            ("outlived_keyed", limit | {"before": request.keyed_before}),
            ("forget_acts", {"limit": acts.limit, "before": acts.before, "kept": acts.kept}),
            ask_to_forget(),
            ("forget_workers", {"before": request.gone_before, "most": MOST_FORGOTTEN}),
            ("forget_many_workers", {"kept": MOST_MISSING, "most": MOST_FORGOTTEN}),
            ("forget_amounts", {"node": self._node}),
            ("forget_counted", {}),
            ("forget_nodes", {}),
            *asks_to_forget(request.now_at),
        ]
        plain, keyed, forgotten, messages, _, _, _, _, _, *endings = self._many(asked)
        self._outlived = [*map(job_row, plain), *map(job_row, keyed)][: request.limit]
        more = forgotten[0][0] == acts.limit or any(count == MOST_FORGOTTEN for _, count in messages)
        return Purged(self._outlived, more or any(rows[0][0] == MOST_ENDINGS_FORGOTTEN for rows in endings))

    # -- what a turn has changed

    def save(self, request: Save) -> Saved:
        """See requests.Save. All of it in one round trip, and the commit, if this is the whole turn."""
        names = {lane_key(name): name for name in request.lanes}
        queued: Asked = ("queued", {"lanes": list(names)})
        asked = chain(self._changes(request), [queued], self._behind)
        found = self._end(asked) if self._behind else self._many(asked)
        counted = found[-1 - len(self._behind)] if found else self._when_back(lambda: self._link.many([queued])[0])
        counts: dict[str, int] = dict(counted)
        return Saved({name: counts.get(key, 0) for key, name in names.items()})

    def _changes(self, request: Save) -> Iterator[Asked]:
        yield from self.others.ask_to_keep(request)
        if not self._ahead:
            yield from ended_asks(request.writes, self._node, self._rowless)
        yield from save_asks(request, self._outlived, self._node, self._most_waiting, self._rowless)
        yield from self.endings.save(request)
        yield from self.others.tell(request, self._turns)


def _first(*instants: float | None) -> float | None:
    return min((at for at in instants if at is not None), default=None)
