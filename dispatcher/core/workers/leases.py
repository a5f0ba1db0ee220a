"""Attempts and workers of one node: their deadlines, and every way in which an attempt can end.

The lowest of the machine's three layers (``leases``, ``registry``, ``machine``). It owns the tables and the one heap
of deadlines; it does not know what pages say or what a turn is.
"""

from __future__ import annotations

import math
import random

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause, Ended
from dispatcher.core.workers.deadlines import Deadlines
from dispatcher.core.workers.effects import CancelOrder, Drop, Effect, Go, Offer, Order, Record, Withdraw
from dispatcher.core.workers.pools import Pools
from dispatcher.core.workers.retry import RetryPolicy, after_loss, after_timeout
from dispatcher.core.workers.roster import Roster
from dispatcher.core.workers.timings import Timings
from dispatcher.core.workers.worker import Attempt, AttemptState, Worker, WorkerState

__all__ = ["PROBE_S", "Leases", "lapse"]

#: A key of the deadlines: what is due (``lease``, ``beat``, ``reload``; ``grace``, ``probe``, ``aside``) and
#: whose: an attempt's or a worker's id.
Due = tuple[str, str]


#: Offers in a row that a page may have and not accept before it is set aside.
MOST_LAPSES = 2
#: 60 s x 2^10 is 17 hours; a page that long of no use is looked at by a person.
MOST_DOUBLINGS = 10
#: How long the old boot of a worker has to show that it is still there, when a new one registers (S12).
PROBE_S = 3.0
#: What a deadline that fell into a standstill, or comes right after it, waits for what has arrived.
CATCH_UP_S = 1.0


class Leases:
    """The tables, and how attempts end."""

    def __init__(self, *, timings: Timings, retry: RetryPolicy, rng: random.Random) -> None:
        self._timings = timings
        self._retry = retry
        self._rng = rng
        self._now = 0.0
        self._deadlines: Deadlines[Due] = Deadlines()
        self.workers: dict[str, Worker] = {}
        #: All attempts that this node has claimed and not let go.
        self.attempts: dict[str, Attempt] = {}
        #: Worker -> its attempts of an earlier run that wait for its page.
        self._adrift_of: dict[str, set[str]] = {}
        self._by_session: dict[str, Worker] = {}
        self._pools = Pools(self.workers)
        #: The workers for people: by name, by state, by type, by label.
        self.roster = Roster()
        #: The node is stopping: no more offers.
        self.draining = False

    def next_deadline(self) -> float | None:
        """When ``tick`` must be called next; None: not before something else happens."""
        return self._deadlines.next()

    def _at(self, now: float) -> float:
        self._now = max(self._now, now)
        return self._now

    def _changed(self, worker: Worker) -> None:
        """Whatever is kept of workers hears of it: to be called after every change to one."""
        self._pools.update(worker)
        self.roster.update(worker)

    def _lease_over(self, attempt: Attempt) -> list[Effect]:
        """The attempt's own deadline has passed: its offer lapsed, it timed out, or its page did not come back."""
        if attempt.state is AttemptState.OFFERED:
            return self._lapsed(attempt)
        if attempt.state is AttemptState.ADRIFT or attempt.finished:
            return self._end(attempt, after_loss(attempt, "its page did not come back"))
        ended = after_timeout(attempt, self._retry, self._rng)
        return [Record(ended), *self._revoke(attempt, "timed_out")]

    def _lapsed(self, attempt: Attempt) -> list[Effect]:
        """Nobody accepted the offer in time. It counts against the page only if the page fetched it (S7)."""
        if attempt.fetched:
            self._heeds_no_offer(self.workers[attempt.worker])
        return self._end(attempt, lapse(attempt, "nobody accepted the offer in time"))

    def _heeds_no_offer(self, worker: Worker) -> None:
        """It had an offer and did not accept it: it let it lapse, or declined it."""
        worker.lapses += 1
        if worker.lapses >= MOST_LAPSES and not worker.aside:
            self._set_aside(worker)

    def _set_aside(self, worker: Worker) -> None:
        """It takes offers and does nothing with them: it is tried again after a while, each time a longer one."""
        worker.aside = True
        aside_s = self._timings.set_aside_s * 2.0 ** min(worker.times_aside, MOST_DOUBLINGS)
        worker.times_aside += 1
        self._changed(worker)
        self._deadlines.set(("aside", worker.id), self._now + aside_s)

    def _try_again(self, worker: Worker) -> list[Effect]:
        worker.aside = False
        worker.lapses = MOST_LAPSES - 1  # one more, and it is set aside again
        self._changed(worker)
        return []

    def _takes_offers(self, worker_id: str) -> None:
        """It has accepted an offer, or answered one: nothing counts against it."""
        worker = self.workers.get(worker_id)
        if worker is not None:
            worker.lapses = worker.times_aside = 0

    def forgive(self, late_s: float, now: float) -> list[Effect]:
        """The loop stood still for so long (a suspended machine): what the network could not do counts for nobody.

        Deadlines of the network move by the lateness, and whatever has run out meanwhile, or is about to, gets a
        moment, so that what has arrived is processed first (promise S19). To be called before ``tick``.
        """
        now = self._at(now)
        for key, at in self._deadlines.items():
            kind, name = key
            running = kind == "lease" and self.attempts[name].state is AttemptState.RUNNING
            moved = at
            if not running or self.attempts[name].finished:
                moved = min(at + late_s, now + self._rule_s(kind, name))  # what was set since then needs no more
            self._deadlines.set(key, max(moved, now + CATCH_UP_S))
        return []

    def _rule_s(self, kind: str, name: str) -> float:
        """How long such a deadline may lie ahead."""
        timings = self._timings
        if kind == "lease":
            adrift = self.attempts[name].state is AttemptState.ADRIFT
            return timings.restart_grace_s if adrift else timings.offer_ttl_s
        if kind == "beat":
            return self.attempts[name].claim.terms.heartbeat_s or 0.0
        known = {"grace": timings.reconnect_grace_s, "reload": timings.reload_after_s, "probe": PROBE_S}
        return known.get(kind, math.inf)

    def _beat(self, attempt: Attempt) -> None:
        """The page has shown that it works on it: silence counts from here."""
        if attempt.claim.terms.heartbeat_s is not None:
            self._deadlines.set(("beat", attempt.id), self._now + attempt.claim.terms.heartbeat_s)

    def _silent(self, attempt: Attempt) -> list[Effect]:
        """No progress for as long as the job allows (S8): lost, though the page may be busy with it."""
        detail = f"no progress within {attempt.claim.terms.heartbeat_s:g} s"
        return [Record(after_loss(attempt, detail)), *self._revoke(attempt, "no_heartbeat")]

    def _revoke(self, attempt: Attempt, reason: str) -> list[Effect]:
        """The attempt has ended, but its page may be busy with it: it holds its slot until the page answers."""
        attempt.state = AttemptState.REVOKED
        self._deadlines.clear(("lease", attempt.id))
        self._deadlines.clear(("beat", attempt.id))
        self._deadlines.set(("reload", attempt.id), self._now + self._timings.reload_after_s)
        worker = self.workers[attempt.worker]
        self._forget_quiet(worker)
        return [] if worker.session is None else [CancelOrder(worker.session, attempt.id, reason)]

    def _go(self, attempt: Attempt) -> list[Effect]:
        """Tells the page, once more perhaps, to start what waits for it."""
        worker = self.workers.get(attempt.worker)
        if not attempt.went or worker is None or worker.session is None:
            return []
        return [Go(worker.session, attempt.id)]

    def _order_reload(self, attempt: Attempt) -> list[Effect]:
        session = self.workers[attempt.worker].session
        return [] if session is None else [Order(session, "reload")]

    # -- offers

    def _offer(self, attempt: Attempt, session: str) -> Offer:
        """The offer waits in the outbox of this session until a poll carries it away."""
        attempt.waits_in = session
        return Offer(session, attempt.claim)

    def _withdraw(self, attempt: Attempt) -> list[Effect]:
        """An offer that still waits for a poll leaves the outbox: its page must not get what is over (S6)."""
        session, attempt.waits_in = attempt.waits_in, None
        return [] if session is None else [Withdraw(session, attempt.id)]

    # -- the end of an attempt

    def _end(self, attempt: Attempt, ended: Ended) -> list[Effect]:
        """Records the end and forgets the attempt; its slot is free."""
        withdrawn = self._withdraw(attempt)
        self._forget(attempt)
        return [*withdrawn, Record(ended)]

    def _not_adrift(self, attempt: Attempt) -> None:
        left = self._adrift_of.get(attempt.worker)
        if left is not None:
            left.discard(attempt.id)
            if not left:
                del self._adrift_of[attempt.worker]

    def _forget(self, attempt: Attempt) -> None:
        self._not_adrift(attempt)
        for kind in ("lease", "beat", "reload"):
            self._deadlines.clear((kind, attempt.id))
        del self.attempts[attempt.id]
        worker = self.workers.get(attempt.worker)
        if worker is not None and worker.attempts.pop(attempt.id, None) is not None:
            self._pools.update(worker)  # the roster shows nothing that an attempt changes
            self._forget_quiet(worker)

    def _forget_quiet(self, worker: Worker) -> None:
        """A quiet worker that has no lease left to protect is forgotten after the grace, like one that is away."""
        if worker.state is WorkerState.QUIET and not any(attempt.live() for attempt in worker.attempts.values()):
            self._deadlines.set(("grace", worker.id), self._now + self._timings.reconnect_grace_s)

    def _take_back(self, worker: Worker) -> list[Effect]:
        """Offers that no poll has carried away yet go back to their lanes at once."""
        unwritten = [a for a in worker.attempts.values() if a.state is AttemptState.OFFERED and not a.written]
        effects: list[Effect] = []
        for attempt in unwritten:
            effects += self._end(attempt, lapse(attempt, "its page was gone before it could be sent"))
        return effects

    def _gone(self, worker: Worker, detail: str) -> list[Effect]:
        """The worker's page is gone for good, and with it all that it had."""
        effects: list[Effect] = []
        for attempt in list(worker.attempts.values()):
            if attempt.state is AttemptState.OFFERED:
                effects += self._end(attempt, lapse(attempt, detail))
            elif attempt.state is AttemptState.REVOKED:
                self._forget(attempt)
            else:
                effects += self._end(attempt, after_loss(attempt, detail))
        for kind in ("grace", "probe", "aside"):
            self._deadlines.clear((kind, worker.id))
        self._pools.remove(worker)
        self.roster.remove(worker)
        if worker.session is not None:
            del self._by_session[worker.session]
            effects.append(Drop(worker.session))
        del self.workers[worker.id]
        return effects


def lapse(attempt: Attempt, detail: str) -> Ended:
    return Ended(attempt.id, Cause.LAPSED, Event.REQUEUE, attempt.holder(), detail=detail, lane=attempt.lane)
