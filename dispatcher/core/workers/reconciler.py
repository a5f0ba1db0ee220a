"""Compares the attempts that a registering page names with those of its worker, and decides about each.

Theory of operation. A new boot has lost the old page's attempts, but for results in its stash. The same boot goes on:
it takes up what an earlier run of the server left open, lets go of what it does not name, and is told again what may
not have reached it. The reconciler decides this for each attempt, and ``leases`` carries it out.

It keeps nothing. It does not know whether the page may register, and changes no worker: ``registry`` does both.
"""

from __future__ import annotations

from collections.abc import Collection

from dispatcher.core.fleet.worker import Attempt, AttemptState, Worker
from dispatcher.core.workers.effects import CancelOrder, Effect
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.registration import Registration

__all__ = ["Reconciler"]


class Reconciler:
    """Decides what a registration means for attempts."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def end_old_boot(self, worker: Worker, registration: Registration) -> list[Effect]:
        """The old page's memory is gone; only results that were in its stash can still come (S12)."""
        effects: list[Effect] = []
        for attempt in list(worker.attempts.values()):
            if attempt.live() and attempt.id in registration.finished:
                effects += self._leases.await_stash(attempt)
            else:
                effects += self._leases.abandoned(attempt, "the page was reloaded")
        return effects

    def reconcile(self, worker: Worker, registration: Registration, repeated: bool) -> list[Effect]:
        """Brings the page's own list of attempts and ours together.

        A repeated registration may be older than what has happened since: it ends nothing, and brings what is pending.
        """
        effects: list[Effect] = []
        named = {*registration.finished, *(name for name, _ in registration.holding)}
        if not repeated:
            for attempt in self._adrift(worker, registration):
                effects += self._take_up(attempt, worker, registration)
            effects += self._let_go(worker, named)
            effects += self._take_for_over(worker, registration)
            effects += self._make_room(worker, named)
        for attempt in list(worker.attempts.values()):
            effects += self._pending(attempt, worker, attempt.id in named)
        return effects

    def _adrift(self, worker: Worker, registration: Registration) -> list[Attempt]:
        """Attempts of an earlier run that this page decides about: its own worker's, and those it holds."""
        held = [name for name, _ in registration.holding]
        names = [*held, *registration.finished, *self._leases.adrift_of(worker.id)]
        found = [self._leases.attempts.get(name) for name in dict.fromkeys(names)]
        return [attempt for attempt in found if attempt is not None and attempt.state is AttemptState.ADRIFT]

    def _take_up(self, attempt: Attempt, worker: Worker, registration: Registration) -> list[Effect]:
        """A page came back after a restart of the server."""
        if attempt.id in registration.finished:
            return self._leases.take_up_finished(attempt, worker)
        elapsed_s = dict(registration.holding).get(attempt.id)
        if elapsed_s is None:
            return self._leases.abandoned(attempt, "the page came back without it")
        return self._leases.take_up(attempt, worker, elapsed_s)

    def _let_go(self, worker: Worker, named: Collection[str]) -> list[Effect]:
        """Ends attempts that the page does not name any more. An offer may not have reached it: it is sent again."""
        effects: list[Effect] = []
        for attempt in list(worker.attempts.values()):
            if attempt.id not in named and attempt.state is not AttemptState.OFFERED:
                effects += self._leases.abandoned(attempt, "the page does not have it any more")
        return effects

    def _take_for_over(self, worker: Worker, registration: Registration) -> list[Effect]:
        """An attempt that the page holds and we do not know is over. The page may still be busy with it.

        It holds a slot until the page lets go of it, like any revoked one. At most one is kept for each slot.
        """
        unknown = [name for name in dict(registration.holding) if name not in self._leases.attempts]
        for name in unknown[: worker.slots]:
            self._leases.hold_unknown(name, worker)
        return [CancelOrder(worker.session or "", name, "stale") for name in unknown[worker.slots :]]

    def _make_room(self, worker: Worker, named: Collection[str]) -> list[Effect]:
        """Takes back offers that the page does not have and would have to decline: other attempts fill its slots."""
        effects: list[Effect] = []
        for attempt in [a for a in worker.attempts.values() if a.state is AttemptState.OFFERED and a.id not in named]:
            if len(worker.attempts) > worker.slots:
                effects += self._leases.lapse(attempt, "its page was busy with something else")
        return effects

    def _pending(self, attempt: Attempt, worker: Worker, named: bool) -> list[Effect]:
        """Says again what the page may not have heard. ``named``: it says that it has the attempt."""
        session = worker.session or ""
        if attempt.state is AttemptState.REVOKED:
            return [CancelOrder(session, attempt.id, attempt.revoked)]
        if attempt.state is AttemptState.OFFERED:
            return self._leases.has_offer(attempt) if named else self._leases.offer_again(attempt, session)
        return [] if attempt.finished else self._leases.go(attempt)
