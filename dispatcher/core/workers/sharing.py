"""What a node takes over, from an earlier run of its own or from other nodes of its store, and what it leaves to them.

The ``Machine`` is made of this. An attempt is one node's: the store knows whose, and of the others it heeds only
results. What is said here follows what the store has done already, so no report is made of an attempt that has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.roster import shown_state
from dispatcher.core.fleet.worker import AttemptState, Worker
from dispatcher.core.jobs.acts.seen import SeenWorker, SeeWorkers
from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.turn import LiveAttempt, MoveAttempts
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.effects import Effect, Request
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.movers import Movers
from dispatcher.core.workers.registration import Registration
from dispatcher.core.workers.registry import Registry

__all__ = ["WAITS_S", "Sharing"]

#: What would end for want of a page that waits here is looked at again so much later: the store may be away for long.
WAITS_S = 1.0


class Sharing:
    """Attempts and pages that come from elsewhere, or go."""

    _deadlines: Deadlines[Due]
    moved_away: Callable[[str], None]
    _fleet: Fleet
    _leases: Leases
    _registry: Registry
    #: None: no other node has the store.
    _movers: Movers | None

    def restore(self, live: Iterable[LiveAttempt], now: float) -> list[Effect]:
        """Attempts that an earlier run left open, or a node that is gone: accepted ones wait for their page, the others
        lapse (S18, S26).
        """
        self._deadlines.pass_to(now)
        return self._leases.restore(live)

    def begin_grace(self, now: float) -> list[Effect]:
        """Pages can come from now on: the grace of attempts that wait for them begins (promise S31)."""
        self._deadlines.pass_to(now)
        self._leases.begin_grace()
        return []

    def register(self, session: str, registration: Registration, now: float) -> list[Effect]:
        """A page says who it is. A new boot ends the old page's attempts; the same boot goes on with its own.

        If other nodes have the store, what the page may have had there moves here first (S25).
        """
        self._deadlines.pass_to(now)
        if self._movers is None or not self._may_come_from_elsewhere(session, registration):
            return self._registry.register(session, registration)
        command = self._movers.ask(session, registration)
        return [] if command is None else [Request(command)]

    def _may_come_from_elsewhere(self, session: str, registration: Registration) -> bool:
        worker = self._registry.worker_of(session)
        if worker is not None and worker.boot == registration.boot:
            return False  # it says again what it has said here
        return registration.proved or bool(registration.holding or registration.finished)

    def moved(self, command: MoveAttempts, live: Iterable[LiveAttempt], now: float) -> list[Effect]:
        """These attempts of a page are this node's now, durably: the page's registration goes on, if it still waits."""
        self._deadlines.pass_to(now)
        self._leases.move_in(live)
        registration = None if self._movers is None else self._movers.answered(command)
        return [] if registration is None else self._registry.register(command.session, registration)

    def came_late(self, command: MoveAttempts, now: float) -> list[Effect]:
        """The page has gone on at another node since: this registration was long on its way, and nothing has moved."""
        self._deadlines.pass_to(now)
        registration = None if self._movers is None else self._movers.answered(command)
        return [] if registration is None else self._registry.drop(command.session)

    def told(self, news: News, now: float) -> list[Effect]:
        """What another node has done, durably: its attempts, and pages that have come to it, are not ours any more."""
        self._deadlines.pass_to(now)
        effects: list[Effect] = []
        for attempt in news.moved:
            effects += self._leases.move_out(attempt)
        for page in news.came:
            effects += self._registry.came_elsewhere(page)
            if page.worker not in self._fleet.workers:
                self.moved_away(page.worker)
        for change in news.changes:
            effects += self._leases.changed_elsewhere(change)
        for worker, at_once in news.reloads.items():
            effects += self.reload_page(worker, now, at_once=at_once)
        return effects

    def seen(self) -> SeeWorkers | None:
        """What has changed of our workers since the last call, for the other nodes; None: nothing."""
        ids = self._fleet.roster.take_seen()
        if not ids:
            return None
        workers = [worker for name in ids if (worker := self._fleet.workers.get(name)) is not None]
        return SeeWorkers(
            tuple(map(_seen, workers)), tuple(name for name in ids if name not in self._fleet.workers)
        )  # fmt: skip

    def reload_page(self, worker_id: str, now: float, *, at_once: bool) -> list[Effect]:
        """Another node has said that this worker's page is to load anew, if it is here."""
        self._deadlines.pass_to(now)
        worker = self._fleet.workers.get(worker_id)
        return [] if worker is None else self._registry.reload(worker, at_once=at_once)

    def _waits_here(self, due: Due) -> bool:
        """Whether it is the page itself that waits, until the store has told what it had elsewhere: it is not gone."""
        kind, name = due
        if self._movers is None or kind not in ("grace", "lease"):
            return False
        if kind == "grace":
            return self._movers.has(name, self._fleet.workers[name].boot)
        attempt = self._leases.attempts[name]
        return attempt.state is AttemptState.ADRIFT and self._movers.has(attempt.worker, attempt.boot)

    def _session_over(self, session: str) -> None:
        """A page that waits in it registers again, here or elsewhere."""
        if self._movers is not None:
            self._movers.forget(session)


def _seen(worker: Worker) -> SeenWorker:
    return SeenWorker(
        worker=worker.id, boot=worker.boot, sessions=worker.sessions, name=worker.name,
        state=shown_state(worker), paused=worker.paused, types=worker.types,
        labels=worker.labels, slots=worker.slots,
    )  # fmt: skip
