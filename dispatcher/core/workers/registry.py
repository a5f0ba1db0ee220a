"""Who is there: sessions come and go, pages register, old boots end, leases of an earlier run are adopted.

The middle of the machine's three layers.
"""

from __future__ import annotations

import random

from msgspec.structs import replace

from dispatcher.core.fleet.worker import Attempt, AttemptState, Registration, Worker, WorkerState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Claim, OfferedTypes
from dispatcher.core.workers.effects import CancelOrder, Drop, Effect, Order, Probe, Refuse, Request, Welcome
from dispatcher.core.workers.leases import PROBE_S, Leases, lapse
from dispatcher.core.workers.retry import RetryPolicy, after_loss
from dispatcher.core.workers.timings import Timings

__all__ = ["MOST_TYPES_BROUGHT", "PROBE_S", "Registry"]

#: Types that a page may name and no other offers, over all that it registers: each is kept in the store.
MOST_TYPES_BROUGHT = 1_000


class Registry(Leases):
    """Workers and their sessions."""

    def __init__(self, *, timings: Timings, retry: RetryPolicy, rng: random.Random) -> None:
        super().__init__(timings=timings, retry=retry, rng=rng)
        #: Worker -> (session, registration) of a new boot that waits until it is clear whether the old one lives.
        self._newcomers: dict[str, tuple[str, Registration]] = {}
        #: Boot -> worker, for every worker.
        self._boots: dict[str, str] = {}

    def worker_of(self, session: str) -> Worker | None:
        """The worker that this session belongs to; None: it has not registered."""
        return self._by_session.get(session)

    def away(self, session: str, now: float) -> list[Effect]:
        """The session's connection closed: evidence that the page may be gone. The grace runs (S11)."""
        now = self._at(now)
        self._forget_newcomer(session)
        worker = self._by_session.get(session)
        if worker is None or worker.state is WorkerState.AWAY:
            return []
        worker.state = WorkerState.AWAY
        self._deadlines.set(("grace", worker.id), now + self._timings.reconnect_grace_s)
        self._changed(worker)
        return self._take_back(worker) + self._decide(worker.id)

    def back(self, session: str, now: float) -> list[Effect]:
        """The page polls again on the same session: the grace stops."""
        self._at(now)
        worker = self._by_session.get(session)
        if worker is not None and worker.state is not WorkerState.CONNECTED:
            worker.state = WorkerState.CONNECTED
            self._deadlines.clear(("grace", worker.id))
            self._changed(worker)
        return []

    def ended(self, session: str, now: float) -> list[Effect]:
        """The page left this session by its own doing (a close, overlapping polls): evidence, as in ``away``."""
        effects = self.away(session, now)
        self._unbind(session)
        return effects

    def quiet(self, session: str, now: float) -> list[Effect]:
        """The session timed out, its connection did not close: no offers, but every lease runs on (S8, S11)."""
        self._at(now)
        self._forget_newcomer(session)
        worker = self._unbind(session)
        if worker is None:
            return []
        if worker.state is WorkerState.CONNECTED:
            worker.state = WorkerState.QUIET
            self._changed(worker)
        effects = self._take_back(worker)
        self._forget_quiet(worker)
        return effects + self._decide(worker.id)

    def _forget_newcomer(self, session: str) -> None:
        """A newcomer that went away while it waited must not be bound to a session that is no more.

        If its page is still there, it registers again.
        """
        waiting = [name for name, (waits, _) in self._newcomers.items() if waits == session]
        for worker_id in waiting:
            del self._newcomers[worker_id]
            self._deadlines.clear(("probe", worker_id))

    def _unbind(self, session: str) -> Worker | None:
        worker = self._by_session.pop(session, None)
        if worker is not None:
            worker.session = None
            self._changed(worker)
        return worker

    def _gone(self, worker: Worker, detail: str) -> list[Effect]:
        self._boots.pop(worker.boot, None)
        return super()._gone(worker, detail) + self._decide(worker.id)

    # -- registering

    def register(self, session: str, registration: Registration, now: float) -> list[Effect]:
        """A page says who it is. A new boot ends the old page's attempts; the same boot goes on with its own."""
        self._at(now)
        if self._brings_too_many(session, registration):
            return [Refuse(session, "too_many_types", _TOO_MANY_TYPES)]
        known = self._admitted(session, registration)
        if known is not None:
            return self._admit(session, replace(registration, worker=known))
        worker = self.workers.get(registration.worker)
        if worker is None or worker.boot == registration.boot:
            return self._admit(session, registration)
        self._newcomers[worker.id] = (session, registration)
        alone = registration.after == worker.boot or worker.state is not WorkerState.CONNECTED
        if alone or worker.session is None or worker.session == session:
            return self._decide(worker.id)
        if self._deadlines.get(("probe", worker.id)) is not None:
            return []  # repeated while the old boot is being probed: it gets no more time for that
        self._deadlines.set(("probe", worker.id), self._now + PROBE_S)
        return [Probe(worker.session, self._now)]

    def _brings_too_many(self, session: str, registration: Registration) -> bool:
        """Whether it would have named more types that are new here than one page may, under all its identities."""
        known = (
            self.workers.get(self._boots.get(registration.boot, registration.worker)),
            self._by_session.get(session),
        )
        new = self._unoffered(registration)
        return len(new.union(*(worker.brought for worker in known if worker is not None))) > MOST_TYPES_BROUGHT

    def _unoffered(self, registration: Registration) -> frozenset[str]:
        """The types of these that no worker here offers."""
        return frozenset(name for name in registration.types if not self.roster.offering(name))

    def _admitted(self, session: str, registration: Registration) -> str | None:
        """The worker that this boot has become before; it may not know: our answer was crossed, or was lost."""
        return self._boots.get(registration.boot)

    def heard(self, session: str, now: float) -> list[Effect]:
        """The page of this session made a request. If it is the old boot of a newcomer, there are two windows."""
        now = self._at(now)
        worker = self._by_session.get(session)
        if worker is None:
            return []
        worker.heard = now
        newcomer = self._newcomers.pop(worker.id, None) if self._newcomers else None
        if newcomer is None:
            return []
        self._deadlines.clear(("probe", worker.id))
        other_session, registration = newcomer
        return self._admit(other_session, replace(registration, worker=registration.spare, holding=(), finished=()))

    def _decide(self, worker_id: str) -> list[Effect]:
        """The old boot gave no sign of life: the newcomer is the same window, loaded anew (S12)."""
        self._deadlines.clear(("probe", worker_id))
        newcomer = self._newcomers.pop(worker_id, None)
        return [] if newcomer is None else self._admit(*newcomer)

    def _admit(self, session: str, registration: Registration) -> list[Effect]:
        effects: list[Effect] = []
        new = self._unoffered(registration)
        worker = self.workers.get(registration.worker)
        if worker is not None and worker.boot == registration.boot and registration.opened < worker.opened:
            # It was long on its way: the page has left this session for a newer one.
            return [*self.ended(session, self._now), Drop(session)]
        if worker is not None and worker.boot != registration.boot:
            effects += self._end_old_boot(worker, registration)
        # The same page says again what it has said in this session, or the network says it for it, perhaps late.
        repeated = worker is not None and (worker.session, worker.boot) == (session, registration.boot)
        worker = self._bind(worker, session, registration, effects)
        worker.registered = worker.heard = self._now
        effects.append(Welcome(session, worker.id, worker.name))
        if self.draining:
            effects.append(Order(session, "drain"))
        effects += self._reconcile(worker, registration, repeated)
        self._changed(worker)
        if new:
            worker.brought |= new
            effects.append(Request(OfferedTypes(tuple(sorted(new)))))
        return effects

    def _bind(self, worker: Worker | None, session: str, registration: Registration, effects: list[Effect]) -> Worker:
        other, brought = self._by_session.get(session), frozenset[str]()
        if other is not None and other is not worker:
            self._unbind(session)  # so that this session is not dropped with it
            effects += self._gone(other, "its page became another worker")
            brought = other.brought
        if worker is None:
            worker = Worker(registration.worker, registration.boot, "", (), 1, None, attempts={})
            self.workers[worker.id] = worker
        worker.brought |= brought
        if worker.session is not None and worker.session != session:
            del self._by_session[worker.session]
            effects.append(Drop(worker.session))
        self._by_session[session] = worker
        worker.session, worker.opened = session, registration.opened
        self._boots.pop(worker.boot, None)
        worker.boot = registration.boot
        self._boots[worker.boot] = worker.id
        worker.name = registration.name or worker.name or f"page-{worker.id[:6]}"
        worker.types = tuple(sorted(set(registration.types)))
        worker.labels = registration.labels
        worker.slots = registration.slots
        worker.state = WorkerState.CONNECTED
        self._deadlines.clear(("grace", worker.id))
        return worker

    def _end_old_boot(self, worker: Worker, registration: Registration) -> list[Effect]:
        """The old page's memory is gone; only results that were in its stash can still come (S12)."""
        effects: list[Effect] = []
        for attempt in list(worker.attempts.values()):
            if attempt.state is AttemptState.REVOKED:
                self._forget(attempt)
            elif attempt.id in registration.finished:
                effects += self._await_stash(attempt)
            elif attempt.state is AttemptState.OFFERED:
                effects += self._end(attempt, lapse(attempt, "the page was loaded anew"))
            else:
                effects += self._end(attempt, after_loss(attempt, "the page was loaded anew"))
        return effects

    def _await_stash(self, attempt: Attempt) -> list[Effect]:
        """Its result lies in the page's stash: the attempt stays current until it can have arrived."""
        attempt.finished = True
        attempt.state = AttemptState.RUNNING
        self._deadlines.clear(("beat", attempt.id))
        self._deadlines.set(("lease", attempt.id), self._now + self._timings.offer_ttl_s)
        return self._withdraw(attempt)

    def _reconcile(self, worker: Worker, registration: Registration, repeated: bool) -> list[Effect]:
        """Brings what the page has and what we think it has together.

        What is said again may be older than what has happened since: it ends nothing, and brings what is pending.
        """
        effects: list[Effect] = []
        named = {*registration.finished, *(name for name, _ in registration.holding)}
        if not repeated:
            for attempt in self._adrift(worker, registration):
                effects += self._adopt(attempt, worker, registration)
            effects += self._let_go(worker, named)
            effects += self._take_for_over(worker, registration)
            effects += self._make_room(worker, named)
        for attempt in list(worker.attempts.values()):
            effects += self._pending(attempt, worker, attempt.id in named)
        return effects

    def _let_go(self, worker: Worker, named: set[str]) -> list[Effect]:
        """What the page had and does not name any more."""
        effects: list[Effect] = []
        for attempt in [a for a in worker.attempts.values() if a.id not in named]:
            if attempt.state is AttemptState.REVOKED:
                self._forget(attempt)
            elif attempt.state is AttemptState.RUNNING:
                effects += self._end(attempt, after_loss(attempt, "the page does not have it any more"))
        return effects

    def _take_for_over(self, worker: Worker, registration: Registration) -> list[Effect]:
        """What the page holds and we do not know is over, of an earlier run perhaps; the page may be busy with it.

        It holds a slot until the page lets go of it, as all that was revoked; no more are kept than there are slots.
        """
        strangers = [name for name in dict(registration.holding) if name not in self.attempts]
        for name in strangers[: worker.slots]:
            attempt = self.attempts[name] = Attempt(_unknown(name), AttemptState.REVOKED, "", "", "")
            self._hand(attempt, worker)
            self._deadlines.set(("reload", name), self._now + self._timings.reload_after_s)
        return [CancelOrder(worker.session or "", name, "stale") for name in strangers[worker.slots :]]

    def _make_room(self, worker: Worker, named: set[str]) -> list[Effect]:
        """Offers that the page does not have, and would have to decline: its slots are taken by something else."""
        effects: list[Effect] = []
        for attempt in [a for a in worker.attempts.values() if a.state is AttemptState.OFFERED and a.id not in named]:
            if len(worker.attempts) > worker.slots:
                effects += self._end(attempt, lapse(attempt, "its page was busy with something else"))
        return effects

    def _adrift(self, worker: Worker, registration: Registration) -> list[Attempt]:
        """Attempts of an earlier run that this page decides about: its own worker's, and those it holds."""
        named = [self.attempts.get(name) for name, _ in registration.holding]
        named += [self.attempts.get(name) for name in registration.finished]
        own = [self.attempts.get(name) for name in self._adrift_of.get(worker.id, ())]
        found = {a.id: a for a in [*named, *own] if a is not None and a.state is AttemptState.ADRIFT}
        return list(found.values())

    def _adopt(self, attempt: Attempt, worker: Worker, registration: Registration) -> list[Effect]:
        """A page came back after a restart of the server."""
        holding = dict(registration.holding)
        self._not_adrift(attempt)
        if attempt.id in registration.finished:
            self._hand(attempt, worker)
            return self._await_stash(attempt)
        if attempt.id not in holding:
            return self._end(attempt, after_loss(attempt, "the page came back without it"))
        self._hand(attempt, worker)
        attempt.state = AttemptState.RUNNING
        attempt.restarted = False
        timeout_s = attempt.claim.terms.timeout_s
        left_s = timeout_s - min(max(holding[attempt.id], 0.0), timeout_s)
        self._deadlines.set(
            ("lease", attempt.id), self._now + max(left_s, min(timeout_s, self._timings.restart_grace_s))
        )
        self._beat(attempt)
        return []

    def _hand(self, attempt: Attempt, worker: Worker) -> None:
        attempt.worker, attempt.boot, attempt.name = worker.id, worker.boot, worker.name
        worker.attempts[attempt.id] = attempt

    def _pending(self, attempt: Attempt, worker: Worker, named: bool) -> list[Effect]:
        """What the page may not have heard. ``named``: it says that it has the attempt."""
        session = worker.session or ""
        if attempt.state is AttemptState.REVOKED:
            return [CancelOrder(session, attempt.id, "stale")]
        if attempt.state is not AttemptState.OFFERED:
            return [] if attempt.finished else self._go(attempt)
        withdrawn = self._withdraw(attempt)
        if named:
            self._has_offer(attempt)
            return withdrawn
        attempt.written = attempt.fetched = False
        self._deadlines.clear(("lease", attempt.id))
        return [*withdrawn, self._offer(attempt, session)]

    def _has_offer(self, attempt: Attempt) -> None:
        """The page has the offer, so its accept or its result is on its way; if neither comes, it lapses."""
        attempt.written = True
        if self._deadlines.get(("lease", attempt.id)) is None:
            self._deadlines.set(("lease", attempt.id), self._now + self._timings.offer_ttl_s)


_TOO_MANY_TYPES = (
    f"a page may name {MOST_TYPES_BROUGHT:,} types that no other page offers, over all its registrations, "
    "and this one would have named more: let it offer fewer"
)


#: Such an attempt is at its end, whatever ends it.
_NOTHING_KNOWN = Terms(timeout_s=0.0, max_attempts=0, max_crashes=0)


def _unknown(attempt_id: str) -> Claim:
    """Of an attempt of which a page has told us the id, and nothing more is known."""
    return Claim(
        pool=0, attempt=attempt_id, job="", type="", data="null", number=0, terms=_NOTHING_KNOWN,
        errors=0, crashes=0,
    )  # fmt: skip
