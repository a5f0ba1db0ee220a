"""What follows from a turn that is durable, for the core: of its commands, and of what other nodes have told.

It brings the core what the store has done and hands on what the core makes of it. It decides nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from dispatcher.core.jobs.acts.kept import ForgetWorker, KeepType, KeepWorker, KeptWorker
from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.turn import (
    Cancel,
    Change,
    Command,
    CommandReport,
    HeardNews,
    MoveAttempts,
    OfferedTypes,
)
from dispatcher.core.workers.effects import Effect
from dispatcher.core.workers.machine import Machine
from dispatcher.core.workers.registry import MOST_TYPES_TOLD
from dispatcher.node.turns.seldom import Seldom

__all__ = ["Asked", "Outcomes", "resolve"]

T = TypeVar("T")

log = logging.getLogger("pagehand.turns")


class Asked(Struct):
    """A command that waits for a turn, and who waits for it."""

    command: Command
    future: asyncio.Future[CommandReport] | None


class Outcomes:
    """``carry_out`` takes the core's effects."""

    def __init__(self, machine: Machine, carry_out: Callable[[Iterable[Effect]], None]) -> None:
        self._machine, self._carry_out = machine, carry_out
        #: Who hears what other nodes have told, besides the core.
        self.hearers: list[Callable[[News], None]] = []
        #: What one node does for all is this node's to do; called when it begins to be.
        self.leads = True
        self.began_to_lead: Callable[[], None] = lambda: None
        #: Types found no room in the store.
        self._crowded = Seldom()

    def commands(self, asked: Iterable[Asked], reports: Iterable[CommandReport], now: float) -> None:
        """What became of each command."""
        for item, report in zip(asked, reports, strict=True):
            self._command(item.command, report, now)
            resolve(item.future, report)

    def _command(self, command: Command, report: CommandReport, now: float) -> None:
        if report.revoked is not None and isinstance(command, Cancel):
            self._carry_out(self._machine.cancelled(report.revoked, command.reason or "cancelled", now))
        if report.done and isinstance(command, KeepWorker):
            self._carry_out(self._machine.keep(command.worker, now))
        if report.done and isinstance(command, ForgetWorker) and command.worker:
            self._carry_out(self._machine.keep(KeptWorker(id=command.worker), now))
        if report.done and isinstance(command, KeepType):
            self._carry_out(self._machine.keep_type(command.kept, now))
        if isinstance(command, MoveAttempts):
            moved = self._machine.moved(command, report.moved, now) if report.done else None
            self._carry_out(self._machine.came_late(command, now) if moved is None else moved)
        if report.no_room:
            self._no_room(command, report.no_room, now)

    def _no_room(self, command: Command, types: Sequence[str], now: float) -> None:
        """The store has no room for more types: the log tells the operator, and the page that named them is told."""
        if count := self._crowded.happened(now):
            named = ", ".join(types[:MOST_TYPES_TOLD])
            message = "no room for types: %s (--most-types; %d since the last such line)"
            log.warning(message, named, count, extra={"action": "types_full"})
        if isinstance(command, OfferedTypes):
            self._carry_out(self._machine.no_room(command.worker, types, now))

    def heard(self, heard: HeardNews | None, now: float) -> list[Change]:
        """What other nodes have done; returns their changes. It comes before what this node's turn has done itself:
        an attempt that has moved away may have come back in it.
        """
        leads = heard is None or heard.leads
        led, self.leads = self.leads, leads
        if leads and not led:
            self.began_to_lead()
        if heard is None:
            return []
        for news in heard.news:
            self._hear(news, now)
        if heard.adopted:
            message = "%d attempts of a node that is gone are taken over; they wait for their pages"
            log.warning(message, len(heard.adopted), extra={"action": "node_gone"})
            self._carry_out(self._machine.restore(heard.adopted, now))
        return [change for news in heard.news for change in news.changes]

    def _hear(self, news: News, now: float) -> None:
        self._carry_out(self._machine.told(news, now))
        for worker in news.workers:
            self._carry_out(self._machine.keep(worker, now))
        for kept in news.types:
            self._carry_out(self._machine.keep_type(kept, now))
        for hear in self.hearers:
            hear(news)


def resolve(future: asyncio.Future[T] | None, value: T) -> None:
    """Tells who waits, if anybody still does."""
    if future is not None and not future.done():
        future.set_result(value)
