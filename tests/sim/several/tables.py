"""The tables that the nodes of a PostgreSQL share, as a model: rows of jobs behind the rules of a turn, and beside them
``nodes``, ``news``, ``seen`` and ``offered``.

What nodes tell each other goes through the program's own ``Others``: this answers its statements by their names
(``queries/others.sql``), with the same answers and no SQL. A transaction is applied in one go, so they are serial; what
a lock does shows in the row of a node alone: while its turn is under way, nobody buries it. Not modelled: counters of
each node, and ends that are counted later (both are counted in the turn).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dispatcher.core.jobs.acts.seen import SeenWorker, SeeWorkers
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.turn import HeardNews
from dispatcher.store.columns import terms_text
from dispatcher.store.driving import StaleLife
from dispatcher.store.postgres.clock import QueueClock
from dispatcher.store.postgres.link import Asked
from dispatcher.store.postgres.others import Others
from dispatcher.store.requests import Load, Loaded, Save, Saved
from tests.sim.disk import DiskRows

__all__ = ["GONE_AFTER_S", "NEWS_KEPT_S", "NodeRow", "SharedRows", "Speaker", "Told"]

#: As in ``queries/parts.sql`` and ``turn.sql``.
GONE_AFTER_S, NEWS_KEPT_S, AWAY_AFTER_S = 10.0, 30.0, 5.0

_Rows = list[tuple[Any, ...]]


@dataclass
class NodeRow:
    """A row of ``nodes``."""

    epoch: int
    seen_at: float
    since: float
    turns: int = 0
    gone: bool = False
    #: So many turns it had had when its life began; what it told in its turns up to this one is removed.
    began: int = 0
    trimmed: int = 0
    #: A turn of it has begun, and has this row locked.
    locked: bool = False


@dataclass
class Told:
    """A row of ``news``."""

    node: str
    turn: int
    at: float
    text: str = field(repr=False)


class Speaker(Protocol):
    """The node whose turn is applied."""

    node: str
    epoch: int
    others: Others
    queue_clock: QueueClock
    #: How long ago its turn was gathered.
    late_s: float
    #: When its transaction began, by the database's clock.
    began_at: float


class SharedRows(DiskRows):
    """``clock``: the database's. ``end``: ends the connection of a node whose turn does not end."""

    def __init__(self, clock: Callable[[], float], next_life: Callable[[], int], end: Callable[[str], None]) -> None:
        super().__init__()
        self._clock, self._next_life, self._end_connection = clock, next_life, end
        self.nodes: dict[str, NodeRow] = {}
        self.news: list[Told] = []
        #: All that was ever told, for the checks.
        self.ever_told: list[Told] = []
        #: By the number of a job: the node that has it.
        self.node_of: dict[int, str] = {}
        self.seen: dict[str, tuple[str, SeenWorker]] = {}
        self.types_of: dict[str, set[str]] = {}
        #: The workers' names that each node has as here.
        self.here_of: dict[str, set[str]] = {}
        #: Whose turn it is.
        self.speaker: Speaker
        #: Told when one is buried: who, by whom.
        self.buried: Callable[[str, str], None] = lambda gone, by: None

    # -- lives

    def begin_life(self, node: str, epoch: int) -> dict[str, int]:
        """A life of the node begins. Returns the other nodes, and how many turns each has had."""
        now, before = self._clock(), self.nodes.get(node)
        turns = 0 if before is None else before.turns
        trimmed = 0 if before is None else before.trimmed
        self.nodes[node] = NodeRow(epoch, now, now, turns, began=turns, trimmed=trimmed)
        self.offers_nothing(node)
        self.has_nobody(node)
        return {other: row.turns for other, row in self.nodes.items() if other != node}

    def fence(self, speaker: Speaker, elapsed_s: float) -> float:
        """The first statement of each turn. Returns the queue clock. Raises StaleLife."""
        row = self.nodes[speaker.node]
        if row.epoch != speaker.epoch:
            raise StaleLife(row.epoch)
        if row.seen_at < speaker.began_at - AWAY_AFTER_S:
            row.since = speaker.began_at
        row.seen_at, row.turns = speaker.began_at, row.turns + 1
        return max(speaker.queue_clock.own(elapsed_s), self.queue_clock)

    # -- a turn

    def load(self, request: Load) -> Loaded:
        """See requests.Load, and ``PostgresRows.load``."""
        speaker = self.speaker
        self.queue_clock = self.fence(speaker, request.elapsed_s)
        speaker.queue_clock.seen(self.queue_clock, request.elapsed_s, speaker.late_s)
        self._clock_base = self.queue_clock - request.elapsed_s
        found = self.ask(list(speaker.others.asks(request)))
        loaded = super().load(request)
        loaded.elsewhere = frozenset(self._elsewhere(loaded))
        loaded.moved, news = speaker.others.loaded(found)
        loaded.late = speaker.others.late
        if news is not None:
            loaded.heard = HeardNews(news, speaker.others.bury(self.ask), speaker.others.leads)
        return loaded

    def _elsewhere(self, loaded: Loaded) -> list[str]:
        running = (self.running.get(seq) for seq in loaded.jobs if self.node_of[seq] != self.speaker.node)
        return [attempt for attempt in running if attempt is not None]

    def save(self, request: Save) -> Saved:
        """See requests.Save. What this node claims, ends or takes in is its own."""
        node, writes = self.speaker.node, request.writes
        self._of_workers(request)
        saved = super().save(request)
        ended = [seq for seq, job in writes.jobs.items() if job.ended_clock is not None]
        self.node_of |= dict.fromkeys([*writes.new, *writes.claims, *writes.done, *ended], node)
        for command in writes.for_nodes:
            if isinstance(command, SeeWorkers):
                self._see(command)
        self.ask(list(self.speaker.others.tell(request, self.nodes[node].turns)))
        return saved

    def _of_workers(self, request: Save) -> None:
        """Whoever is gone for this node is gone; what other nodes have stays, and so do types that they offer."""
        node, writes = self.speaker.node, request.writes
        here = self.here_of.setdefault(node, set())
        if writes.nobody:
            writes.here, writes.nobody = dict.fromkeys(sorted(here), False) | writes.here, False
        for name, is_here in writes.here.items():
            (here.add if is_here else here.discard)(name)
        offered = self.types_of.setdefault(node, set())
        offered.update(request.offered)
        if request.forget_but is not None:
            self.types_of[node] = {*request.offered, *request.forget_but}
            request.forget_but = frozenset().union(*self.types_of.values())

    def _see(self, command: SeeWorkers) -> None:
        node = self.speaker.node
        for worker in command.gone:
            if self.seen.get(worker, ("",))[0] == node:
                del self.seen[worker]
        for one in command.here:
            before = self.seen.get(one.worker)
            if before is None or before[1].boot != one.boot or not 0 < one.sessions < before[1].sessions:
                self.seen[one.worker] = (node, one)

    # -- the statements of ``Others``

    def ask(self, asked: list[Asked]) -> list[_Rows]:
        """Answers statements, in their order."""
        return [getattr(self, f"_{name}")(**fields) or [] for name, fields in asked]

    def _others(self, node: str) -> _Rows:
        now, own = self._clock(), self.nodes[node]
        found: _Rows = []
        for name, row in sorted(self.nodes.items()):
            silent_s = -1.0 if row.gone else now - max(row.seen_at, own.since)
            silent, stuck = silent_s > GONE_AFTER_S, silent_s > 2 * GONE_AFTER_S
            found += [(name, row.epoch, row.began, row.trimmed, row.gone, silent, stuck)] if name != node else []
        return found

    def _read_news(self, nodes: list[str], turns: str) -> _Rows:
        places = dict(zip(nodes, _numbers(turns), strict=True))
        new = [told for told in self.news if told.node in places and told.turn > places[told.node]]
        return [(told.node, told.turn, told.text) for told in sorted(new, key=lambda told: (told.node, told.turn))]

    def _tell(self, node: str, turn: int, news: str) -> None:
        told = Told(node, turn, self._clock(), news)
        self.news.append(told)
        self.ever_told.append(told)

    def _trim_news(self, node: str) -> None:
        own, before = self.nodes[node], self._clock() - NEWS_KEPT_S
        if own.since >= before:
            return
        gone = {name for name, row in self.nodes.items() if row.gone}
        kept = [told for told in self.news if told.at >= before or told.node not in {node, *gone}]
        own.trimmed = max([own.trimmed, *(told.turn for told in self.news if told.node == node and told.at < before)])
        self.news = kept

    def _move_attempts(
        self, node: str, pages: str, named_by: str, seqs: str, names: list[str], workers: list[str], boots: list[str],
        sessions: str,
    ) -> _Rows:  # fmt: skip
        found: _Rows = []
        named = list(zip(_numbers(named_by), _numbers(seqs), names, strict=True))
        for page, worker, boot, session in zip(_numbers(pages), workers, boots, _numbers(sessions), strict=True):
            seen = self.seen.get(worker)
            if seen is not None and seen[1].boot == boot and 0 < session < seen[1].sessions:
                found.append((page, True))
                continue
            wanted = {seq for by, seq, name in named if by == page and self.running.get(seq) == name}
            wanted |= {seq for seq in self.running if self._has(self.by_seq[seq], worker, boot)}
            for seq in sorted(seq for seq in wanted if self.node_of[seq] != node):
                self.node_of[seq] = node
                found.append((page, False, *self.live_row(self.by_seq[seq])))
        return found

    def _has(self, job: JobRow, worker: str, boot: str) -> bool:
        row = self.all_attempts.get(job.attempt or "")
        return job.worker == worker and row is not None and (row.worker, row.boot) == (worker, boot)

    def live_row(self, job: JobRow) -> tuple[Any, ...]:
        """As ``live_columns`` in ``queries/parts.sql``."""
        row = self.all_attempts.get(job.attempt or "")
        started_at = None if row is None else row.started_at
        worker, boot = ("", "") if row is None else (row.worker or "", row.boot or "")
        number = job.number + (started_at is None)
        terms = terms_text(job.terms)
        return job.attempt, job.id, job.type, number, started_at, terms, job.errors, job.crashes, worker, boot

    def _bury(self, gone: str, epoch: int) -> _Rows:
        row = self.nodes[gone]
        if row.locked or row.gone or row.epoch != epoch or row.seen_at >= self._clock() - GONE_AFTER_S:
            return []
        self.buried(gone, self.speaker.node)
        row.epoch, row.gone = self._next_life(), True
        return [(0.0,)]

    def _cut_off(self, gone: str) -> None:
        self._end_connection(gone)

    def _adopt(self, node: str, gone: str) -> _Rows:
        left = [seq for seq in sorted(self.running, reverse=True) if self.node_of[seq] == gone]
        self.node_of |= dict.fromkeys(left, node)
        return [self.live_row(self.by_seq[seq]) for seq in left]

    def _nobody_there(self, node: str, gone: str) -> None:
        now = self._clock()
        for name in sorted(self.here_of.pop(gone, ())):
            self.names.went(name, now, self.queue_clock)

    def offers_nothing(self, gone: str, node: str = "") -> None:
        """The statement of that name."""
        self.types_of.pop(gone, None)

    def has_nobody(self, gone: str, node: str = "") -> None:
        """The statement of that name."""
        self.seen = {worker: seen for worker, seen in self.seen.items() if seen[0] != gone}

    _offers_nothing, _has_nobody = offers_nothing, has_nobody

    def _ended_behind(self, gone: str, clock: float) -> None:
        """Ends are counted in their turns."""

    def _fold_tallies(self, node: str, gone: str) -> None:
        """Counters are not kept for each node."""

    _fold_amounts = _fold_tallies

    def remove(self, rows: Any) -> None:
        """Their node is forgotten with them."""
        super().remove(rows)
        for row in rows:
            self.node_of.pop(row.seq, None)


def _numbers(text: str) -> list[int]:
    """An array of numbers, as ``link.array`` writes it."""
    return [int(number) for number in text.strip("{}").split(",") if number]
