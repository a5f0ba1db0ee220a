"""Checks what must hold across the nodes that share a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cause, Ended, MoveAttempts, Turn, TurnReport, Verdict
from tests.sim.several.database import Database
from tests.sim.several.store import NodeStore
from tests.sim.several.tables import Told

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

__all__ = ["Across"]

_decode = msgspec.json.Decoder(News).decode
#: How far a node's time may be from the true one, for a turn: half of one that was read back, and a standby's clock.
_CLOCK_S = 12.0
#: So long a node that is buried has had no turn: 10 s, but for one that was slow.
_SILENT_S = 7.0
#: The words with which an attempt is given up because its page came, or went elsewhere, without it.
_WITHOUT = ("the page does not have it any more", "the page came back without it", "its page went to another node")


class Across:
    """Of a single node there is nothing to check."""

    def __init__(self, world: World) -> None:
        self.world = world
        #: Attempt -> when it went to another node, with its page or without.
        self.went_at: dict[str, float] = {}
        #: The farthest that the queue clock has been behind the time.
        self.lag_s = 0.0
        #: Job -> when it became durable, and first.
        self._made_at: dict[str, float] = {}
        #: Of each node: how much of what was ever told it has heard, or need not hear; and of whom it knows.
        self._heard: dict[str, int] = {}
        self._known: dict[str, set[str]] = {}
        #: What those have told whom it has met in its last turn: it hears that in the next one.
        self._next: dict[str, list[Told]] = {}
        #: When the last turn of each node began.
        self._turn_at: dict[str, float] = {}
        if isinstance(world.disk, Database):
            world.disk.rows.buried = self._buried

    def begun(self, store: NodeStore) -> None:
        """A life of a node has begun."""
        self._heard[store.node], self._next[store.node] = len(store.tables.ever_told), []
        self._known[store.node] = set(store.tables.nodes)
        self._turn_at[store.node] = self.world.now

    def committed(self, node: Node, turn: Turn, report: TurnReport) -> None:
        """A transaction is durable."""
        store = node.store
        if not isinstance(store, NodeStore):
            return
        if store.is_over():
            self.world.broken(f"I31: {node.name} writes in its life {store.epoch}, and that is over")
        self._turn_at[store.node] = self.world.now - store.late_s
        self._hears_all(store, report)
        self._moves(turn, report)
        self._loses(turn, report)
        for attempt in report.heard.adopted if report.heard is not None else ():
            self.world.count("attempts that were adopted")
            self.went_at[attempt.attempt] = self.world.now
        self._dates(store)
        self._clock(store)
        rows = store.tables
        left = [name for seq, name in rows.running.items() if rows.nodes[rows.node_of[seq]].gone]
        if left:
            self.world.broken(f"S26: nobody has taken over {left} from nodes that are gone")

    def _hears_all(self, store: NodeStore, report: TurnReport) -> None:
        """S25: a node hears what others have told, all of it, once and in their order."""
        told, node, heard = store.tables.ever_told, store.node, [] if report.heard is None else report.heard.news
        new = self._next[node] + [one for one in told[self._heard[node] :] if one.node != node]
        now = sorted((one for one in new if one.node in self._known[node]), key=lambda one: (one.node, one.turn))
        self._heard[node], self._next[node] = len(told), [one for one in new if one.node not in self._known[node]]
        self._known[node] = set(store.tables.nodes)
        if heard != [_decode(one.text) for one in now]:
            self.world.broken(f"S25: {node} has heard {len(heard)} news, and {len(now)} were told")
        self.world.count("turns that heard of others") if heard else None

    def _moves(self, turn: Turn, report: TurnReport) -> None:
        """A page that comes to another node has left its session; the node that had it, if it hears so, drops that."""
        for page in (page for news in (report.heard.news if report.heard is not None else ()) for page in news.came):
            self.world.history.evidence[page.boot] = self.world.now
        for command, done in zip(turn.commands, report.commands, strict=True):
            if not isinstance(command, MoveAttempts):
                continue
            self.world.count("registers that came late") if not done.done else None
            for moved in done.moved:
                self.world.count("attempts that moved")
                self.went_at[moved.attempt] = self.world.history.evidence[command.page.boot] = self.world.now
                self.world.checks.beats.moves(moved.attempt)
                # The page has said that it has it: its timeout counts from here.
                self.world.history.accepted_at.setdefault(moved.attempt, self.world.now)

    def _loses(self, turn: Turn, report: TurnReport) -> None:
        """S25: no attempt is given up for which its page works, because of something that this page has said."""
        for said, settled in zip(turn.reports, report.verdicts, strict=True):
            lost = isinstance(said, Ended) and said.cause is Cause.LOST and settled.verdict is Verdict.RECORDED
            if lost and isinstance(said, Ended) and said.detail in _WITHOUT and self._has(said):
                self.world.broken(f"S25: {said.attempt} is given up ({said.detail}), and its page has it")

    def _has(self, said: Ended) -> bool:
        boot, history = said.holder.boot if said.holder is not None else "", self.world.history
        if said.attempt in history.lied or history.has_rivals(boot):
            return False
        return any(w.page.boot == boot and not w.gone and said.attempt in w.mine for w in self.world.windows)

    def _dates(self, store: NodeStore) -> None:
        """I13, I16: a job waits for its time, and expires at its time, whatever the clocks of the nodes show."""
        for seq, before in store.tables.changed.items():
            job = store.tables.by_seq[seq]
            spec = self.world.history.submitted.get(self.world.checks.created.get(job.id, ""))
            made_at = self._made_at.setdefault(job.id, self.world.now)
            if spec is None or before is None or before.state is job.state:
                continue
            early_s = made_at + _waits_s(job, before, spec.delay_s, spec.expires_s) - self.world.now
            if early_s > _CLOCK_S:
                self.world.broken(f"I16: {job.id} is {job.state} after {before.state}, {early_s:.1f} s too early")

    def _clock(self, store: NodeStore) -> None:
        """S32: the queue clock began with the world; it stands still while nobody is there, and never runs ahead."""
        behind_s = self.world.now - store.tables.queue_clock
        self.lag_s = max(self.lag_s, behind_s)
        if behind_s < -1.0:
            self.world.broken(f"S32: the queue clock is {-behind_s:.1f} s ahead of the time")

    def _buried(self, gone: str, by: str) -> None:
        """S26: only a node is taken for gone that was silent, and not because nobody could reach the database."""
        self.world.count("nodes that were buried")
        silent_s = self.world.now - self._turn_at[gone]
        if silent_s < _SILENT_S:
            self.world.broken(f"S26: {gone} is buried by {by}, and had a turn {silent_s:.1f} s ago")
        well = [node for node in self.world.nodes() if node.name == gone and node.listening and not node.stalled]
        if any(self.world.now - max(node.started_at, node.resumed_at) > 2 * _SILENT_S for node in well):
            self.world.broken(f"S26: {gone} is buried by {by}, and was well")

    def left(self, node: Node) -> list[str]:
        """What is kept of pages although all have left."""
        if not isinstance(node.store, NodeStore):
            return []
        waiting = node.machine._movers._waiting if node.machine._movers is not None else {}
        return [*waiting, *node.store.tables.seen]


def _waits_s(job: JobRow, before: JobRow, delay_s: float, expires_s: float | None) -> float:
    """How long the job must have been there before this may have become of it."""
    if job.state is JobState.EXPIRED:
        return expires_s or 0.0
    first = before.state is JobState.SCHEDULED and before.claims == 0 and job.state is JobState.QUEUED
    return delay_s if first else 0.0
