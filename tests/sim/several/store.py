"""One node's store over the shared database: what ``PostgresStore`` does in its thread, in virtual time.

A turn is a transaction that begins, and commits a while later. If the connection is lost in its COMMIT the node does
not know what has become of it, and reads back the count of its turns, as the program does.
"""

from __future__ import annotations

import random
from asyncio import Future
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.news import Hint, News
from dispatcher.core.jobs.turn import LiveAttempt, Turn, TurnReport
from dispatcher.errors import StorageAway, StorageTrouble
from dispatcher.store.columns import live_attempt
from dispatcher.store.driving import StaleLife, refuse_stale, stale_words
from dispatcher.store.postgres import hints
from dispatcher.store.postgres.clock import DatabaseClock, QueueClock
from dispatcher.store.postgres.hints import Hints
from dispatcher.store.postgres.lives import BEAT_S
from dispatcher.store.postgres.others import Others
from tests.sim.disk import SimStore
from tests.sim.several.knobs import SeveralKnobs

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.several.database import Database

__all__ = ["NodeStore"]

#: As in ``PostgresStore``: for how long it asks what has become of a COMMIT. Here it asks less often.
_UNKNOWN_S, _PAUSE_S = 20.0, 0.5
_AWAY = "simulated: the database does not answer"
_UNKNOWN = "simulated: the database was lost in a COMMIT and does not come back"

_decode = msgspec.json.Decoder(News).decode


class _ConnectionLost(Exception):
    """The connection is lost: in the COMMIT of the turn of this number, or before it (0)."""

    def __init__(self, turns: int) -> None:
        super().__init__(turns)
        self.turns = turns


class _Transaction:
    """A turn under way; it was gathered at ``begun``."""

    def __init__(self, turn: Turn, begun: float, answer: Future[TurnReport]) -> None:
        self.turn, self.begun, self.answer = turn, begun, answer
        #: It has neither been committed nor rolled back.
        self.is_open = True
        #: What it has come to: durable, whatever the node hears.
        self.report: TurnReport | None = None

    def hear(self, outcome: TurnReport | Exception) -> None:
        """The node hears what has become of it, once."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class NodeStore(SimStore):
    """See port.Store."""

    beat_s = BEAT_S

    def __init__(self, database: Database, node: Node) -> None:
        super().__init__(database, node, limits=node.limits, new_id=node.world.new_id)
        assert isinstance(node.world.knobs, SeveralKnobs)
        self._knobs = node.world.knobs
        self.database, self.tables, self.node = database, database.rows, node.name
        self.others = Others(self.node, self.tables.begin_life(self.node, self.epoch))
        self.queue_clock = QueueClock(self.tables.queue_clock)
        self.began_at, self.late_s = database.clock(), 0.0
        self._draws = random.Random(f"store of {self.node} in its life {self.epoch} of {node.world.seed}")
        self._clock = DatabaseClock(node.clock.utc)
        self._clock.look(database.clock)
        #: The last one: under way, or its answer is on its way.
        self._last: _Transaction | None = None
        self._is_lost = False
        self._trouble = ""
        self._hints = Hints(self.node, node.loop, self._hint)
        self._hinted: Callable[[Hint], None] = lambda hint: None
        node.world.checks.across.begun(self)

    # -- a turn, as the node has it

    def apply(self, turn: Turn) -> Coroutine[Any, Any, TurnReport]:
        """See port.Store. It begins with the call."""
        return self._apply(turn, self._node.world.now)

    async def _apply(self, turn: Turn, begun: float) -> TurnReport:
        """As ``PostgresStore._apply``."""
        refuse_stale(turn, self.epoch)
        if self._trouble:
            raise StorageTrouble(self._trouble)
        try:
            await self._see_to_connection()
            report = self._clock.told(await self._applied(self._clock.dated(replace(turn, shown=())), begun))
        except StaleLife as stale:
            raise StorageTrouble(stale_words(turn.epoch, turn.node, stale.newest)) from stale
        self._clock.seen(self.began_at, turn.now_at)
        self._hints.wanted(self.others.told)
        return report

    async def _applied(self, turn: Turn, begun: float) -> TurnReport:
        transaction = self._begin(turn, begun)
        try:
            return await transaction.answer
        except _ConnectionLost as lost:
            if not (lost.turns and await self._committed(lost.turns)):
                raise StorageAway(_AWAY, retry_after_s=1) from lost
        assert transaction.report is not None, "the count of its turns tells what has become of it"
        return transaction.report

    async def _see_to_connection(self) -> None:
        """Connects again if the connection is lost. Raises StorageAway, StaleLife."""
        if not self._is_lost:
            return
        await self._pass(self._draws.uniform(0.01, 0.5))
        if self.database.is_away:
            raise StorageAway(_AWAY, retry_after_s=1)
        newest = self.tables.nodes[self.node].epoch
        if newest != self.epoch:
            raise StaleLife(newest)
        self._is_lost = False

    async def _committed(self, turns: int) -> bool:
        """Whether the node has had so many turns. Raises StorageTrouble, StaleLife."""
        self._node.world.count("commits that were read back")
        deadline = self._node.world.now + _UNKNOWN_S
        while self._node.world.now < deadline:
            try:
                await self._see_to_connection()
                return self.tables.nodes[self.node].turns >= turns
            except StorageAway:
                await self._pass(_PAUSE_S)
        self._trouble = _UNKNOWN
        raise StorageTrouble(_UNKNOWN)

    async def _pass(self, seconds: float) -> None:
        """Lets time pass."""
        over: Future[None] = self._node.loop.create_future()
        self._node.world.events.later(seconds, lambda: self._node.run("io", lambda: over.set_result(None)))
        await over

    # -- a turn, as the database has it

    def _begin(self, turn: Turn, begun: float) -> _Transaction:
        """A transaction begins: it has the node's row locked until it ends."""
        node, world, draws = self._node, self._node.world, self._draws
        slow = draws.random() < self._knobs.slow_transaction
        world.count("slow transactions") if slow else None
        transaction = self._last = _Transaction(turn, begun, node.loop.create_future())
        self.began_at = self.database.clock()
        self.tables.nodes[self.node].locked = True
        world.events.later(draws.uniform(0.0001, 2.5 if slow else 0.01), lambda: self._is_due(transaction))
        return transaction

    def _is_due(self, transaction: _Transaction) -> None:
        """A process that stands still has sent its COMMIT before, or sends it when it goes on."""
        if self._node.stalled and self._draws.random() < 0.5:
            self._node.world.count("processes that stood still in a turn")
            self._node.run("io", lambda: self._end(transaction))
        else:
            self._end(transaction)

    def _end(self, transaction: _Transaction) -> None:
        if not transaction.is_open:
            return
        knobs, draws, operator = self._knobs, self._draws, self._node.operator
        if draws.random() < knobs.kill_before_commit:
            self._close(transaction)
            operator.kill("before a commit", self._node)
        elif draws.random() < knobs.cut_connection:
            self.lose_connection()
        else:
            self._commit_now(transaction)
            if draws.random() < knobs.kill_after_commit:
                operator.kill("after a commit", self._node)

    def _close(self, transaction: _Transaction) -> None:
        transaction.is_open = self.tables.nodes[self.node].locked = False

    def _commit_now(self, transaction: _Transaction) -> None:
        """It is durable; the node hears so in a moment, if its connection lasts."""
        world = self._node.world
        self._close(transaction)
        outcome: TurnReport | Exception
        try:
            self.late_s = world.now - transaction.begun
            outcome = transaction.report = self.write(transaction.turn)
        except (StaleLife, StorageTrouble) as error:
            outcome = error
        else:
            self.others.end()
            world.checks.committed(self._node, transaction.turn, outcome, transaction.begun)
        way_s = self._draws.uniform(0.0001, 1.0 if self._draws.random() < self._knobs.slow_transaction else 0.01)
        world.events.later(way_s, lambda: self._node.run("io", lambda: transaction.hear(outcome)))

    def write(self, turn: Turn) -> TurnReport:
        """The transaction."""
        self.tables.speaker = self
        self.others.begin()
        return super().write(turn)

    def lose_connection(self, *, sent: bool = True) -> None:
        """It is cut: before the COMMIT of a turn, in it (then the turn has happened, or has not), or behind it.

        ``sent`` False: a COMMIT that is not done yet was not sent either.
        """
        self._is_lost = True
        transaction = self._last
        if transaction is None or transaction.answer.done() or not self._node.alive:
            return
        turns, world = 0, self._node.world
        if transaction.is_open:
            what = self._draws.choice(("before", "in, not done", "in, done")) if sent else "before"
            turns = 0 if what == "before" else self.tables.nodes[self.node].turns + 1
            world.count(f"connections cut {what.partition(',')[0]} a COMMIT")
            self._close(transaction)
            if what == "in, done":
                self._commit_now(transaction)
        else:
            world.count("connections cut behind a COMMIT")
            turns = self.tables.nodes[self.node].turns
        self._node.run("io", lambda: transaction.hear(_ConnectionLost(turns)))

    def process_died(self) -> None:
        """Its last COMMIT may have been on its way."""
        transaction = self._last
        if transaction is None or not transaction.is_open:
            return
        self._close(transaction)
        if self._draws.random() < 0.5:
            self._node.world.count("commits of a process that was dead")
            self._commit_now(transaction)

    # -- hints

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        """See port.Store."""
        self._hinted = hinted

    def _hint(self, text: str) -> None:
        """The other nodes hear it, or do not."""
        hint = hints._decode(text).hint
        for other in self.database.stores.values():
            if other is not self and self._draws.random() >= self._knobs.lose_hint:
                self._node.world.events.later(self._draws.uniform(0.001, 0.05), partial(other.hear, hint))

    def hear(self, hint: Hint) -> None:
        """Another node has hinted."""
        self._node.run("io", lambda: self._hinted(hint))

    async def close(self) -> None:
        """See port.Store."""
        self._hints.close()

    # -- reads

    async def live_attempts(self) -> list[LiveAttempt]:
        """See port.Store."""
        rows, mine = self.tables, self.own()
        live = [seq for seq in sorted(rows.running, reverse=True) if rows.running[seq] in mine]
        return [live_attempt(rows.live_row(rows.by_seq[seq])) for seq in live]

    async def job(self, job_id: str) -> JobView | None:
        """See port.Store."""
        try:
            await self._see_to_connection()
        except StaleLife as stale:
            raise StorageTrouble(stale_words(self.epoch, self.node, stale.newest)) from stale
        return await super().job(job_id)

    # -- for the checks

    def own(self) -> set[str]:
        """The live attempts that this node has."""
        return {name for seq, name in self.tables.running.items() if self.tables.node_of[seq] == self.node}

    def is_over(self) -> bool:
        """The life of its node is over."""
        return self.tables.nodes[self.node].epoch != self.epoch

    def may_fail(self, error: StorageTrouble) -> bool:
        """Whether the process is right to end with this."""
        return error.detail == _UNKNOWN or self.is_over()

    def must_hold(self, live: set[str]) -> set[str]:
        """What its node must have as live, if it has these: its own, and what it has not heard of that others have."""
        if self._trouble or self.is_over():
            return live
        own = self.own()
        return own | ((live - own) & self._unheard() if live - own else set())

    def _unheard(self) -> set[str]:
        """The attempts that other nodes have told something of, behind what this node has read."""
        found: set[str] = set()
        for told in self.tables.news:
            place = self.others._places.get(told.node, 0)
            if told.node != self.node and told.turn > place:
                news = _decode(told.text)
                found.update([*news.moved, *(change.attempt for change in news.changes if change.attempt)])
        return found
