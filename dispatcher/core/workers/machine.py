"""The dispatcher's decisions: who gets which job, when an attempt has ended, what happens next.

Rule 1: everything that affects workers, attempts and their deadlines lives in this file and its neighbours in
``core``; the shell only carries messages in and effects out.
Rule 2: nothing here knows a clock, a socket, a database or a random source of its own. Every call takes ``now``,
monotonic seconds, and returns effects in the order in which they must be carried out. Time never goes back:
an earlier ``now`` counts as the latest one seen.

What a node keeps in memory is what only a node can know: the workers connected to it and the attempts that it has
claimed for them. The truth about jobs is in the store. An attempt's end becomes a ``Record`` the moment it is
known here, and whoever could have ended it otherwise is disarmed; the store judges it under the fence and the
verdict comes back by ``settled``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import (
    Cause,
    Claim,
    Demand,
    Ended,
    LaneReady,
    LiveAttempt,
    Logged,
    Progressed,
    Report,
    Settled,
    Started,
    Verdict,
)
from dispatcher.core.workers.effects import Answer, CancelOrder, Effect, Order, Record, Refuse
from dispatcher.core.workers.misses import Miss, nearest
from dispatcher.core.workers.registry import Registry
from dispatcher.core.workers.retry import RetryPolicy, after_error, after_release
from dispatcher.core.workers.timings import Timings
from dispatcher.core.workers.worker import Attempt, AttemptState, Standing, lane_of_claim

__all__ = ["Machine"]


class Machine(Registry):
    """Workers and attempts of one node: what the shell calls. ``rng`` is seeded where runs must repeat."""

    def __init__(self, *, timings: Timings, retry: RetryPolicy, rng: random.Random) -> None:
        super().__init__(timings=timings, retry=retry, rng=rng)
        #: Attempt -> session that waits for the verdict on its result or error.
        self._asked: dict[str, str] = {}

    def tick(self, now: float) -> list[Effect]:
        """Ends everything that is due. The shell may call it late, never early."""
        effects: list[Effect] = []
        while (ended := self.tick_once(now)) is not None:
            effects += ended
        return effects

    def tick_once(self, now: float) -> list[Effect] | None:
        """Ends what has been due longest; None: nothing is. What raises here is due no more and holds up no other."""
        due = self._deadlines.pop_due(self._at(now))
        if due is None:
            return None
        kind, name = due
        if kind == "lease":
            return self._lease_over(self.attempts[name])
        if kind == "beat":
            return self._silent(self.attempts[name])
        if kind == "reload":
            return self._order_reload(self.attempts[name])
        if kind == "probe":
            return self._decide(name)
        if kind == "aside":
            return self._try_again(self.workers[name])
        return self._gone(self.workers[name], "the page went away and did not come back")

    # -- the turn

    def demand(self, most: int, coming: Mapping[str, int] | None = None) -> list[Demand]:
        """Idle workers for the lanes that have ready jobs, least recently used first, for at most ``most`` jobs.

        ``coming``: how many jobs the same turn puts into which lanes.
        """
        return [] if self.draining else self._pools.demand(most, coming)

    def hungry(self) -> bool:
        """Whether a turn may find takers that the last one did not have."""
        return not self.draining and self._pools.hungry()

    def ready(self, lanes: Iterable[LaneReady], *, claimed: bool) -> None:
        """What a turn has left in the lanes that it touched, when its claims have been given out."""
        self._pools.reported(lanes, claimed=claimed)

    def standing(self, lane: str) -> Counter[Standing]:
        """How the workers that match a lane stand: so many in each way."""
        return Counter(self._pools.standing(lane))

    def offering(self, type_name: str) -> int:
        """How many workers offer a type."""
        return self.roster.offering(type_name)

    def unserved(self, most: int) -> list[str]:
        """The first of the types that ready jobs wait for and no worker offers, by name."""
        return self._pools.lanes.unserved.names[:most]

    def nearest(self, lane: str) -> Miss:
        """What is missing where no worker matches a lane, though some offer its type."""
        return nearest(self._pools, lane)

    def claimed(self, claims: Sequence[Claim], now: float) -> list[Effect]:
        """The store has claimed these jobs for us: each goes to the next worker of its pool.

        A claim that nobody can take any more is given back at no cost.
        """
        self._at(now)
        effects: list[Effect] = []
        promised = Counter(claim.pool for claim in claims)
        for claim in claims:
            lane = lane_of_claim(claim)
            promised[claim.pool] -= 1
            worker = None if self.draining else self._pools.take(claim.pool, claim.had, lane, promised)
            if worker is None:
                free = Ended(claim.attempt, Cause.LAPSED, Event.REQUEUE, detail="nobody was free", lane=lane)
                effects.append(Record(free))
                continue
            attempt = Attempt(claim, AttemptState.OFFERED, worker.id, worker.boot, worker.name)
            self.attempts[claim.attempt] = worker.attempts[claim.attempt] = attempt
            self._pools.used(worker)
            assert worker.session is not None, "a worker without a session has no room"
            effects.append(self._offer(attempt, worker.session))
        return effects

    def settled(self, reports: Sequence[Report], verdicts: Sequence[Settled], now: float) -> list[Effect]:
        """The store has judged these reports, durably: pages that wait for the verdict get it."""
        self._at(now)
        effects: list[Effect] = []
        for report, settled in zip(reports, verdicts, strict=True):
            if isinstance(report, Started) and settled.verdict is Verdict.RECORDED:
                effects += self._start_once(report.attempt)
            # Only what a page said: the verdict on an accept must not end the repeating of a result.
            if isinstance(report, Ended) and report.cause in _SAID:
                session = self._asked.pop(report.attempt, None)
                if session is not None:
                    effects += _verdict(session, settled)
        return effects

    def _start_once(self, attempt_id: str) -> list[Effect]:
        """The accept is durable: a job with effects ``once`` may start, and from here on it is in doubt if lost."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or not attempt.claim.terms.once or attempt.state is not AttemptState.RUNNING:
            return []
        attempt.went = True
        return self._go(attempt)

    def cancelled(self, attempt_id: str, reason: str, now: float) -> list[Effect]:
        """The job of this attempt was cancelled, durably: its page is told."""
        self._at(now)
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is AttemptState.REVOKED:
            return []
        self._deadlines.clear(("lease", attempt.id))
        if attempt.state is AttemptState.ADRIFT or (attempt.state is AttemptState.OFFERED and not attempt.written):
            withdrawn = self._withdraw(attempt)
            self._forget(attempt)
            return withdrawn  # no page that could be told has heard of it
        return self._revoke(attempt, reason)

    def restore(self, live: Iterable[LiveAttempt], now: float) -> list[Effect]:
        """Attempts that an earlier run left open: accepted ones wait for their page, the others lapse (S18)."""
        now = self._at(now)
        effects: list[Effect] = []
        for left in live:
            if left.started_at is None:
                again = Event.REQUEUE
                ended = Ended(
                    left.attempt, Cause.LAPSED, again, detail="the server was restarted", lane=lane_of_claim(left)
                )
                effects.append(Record(ended))
                continue
            attempt = Attempt(
                _claim_of(left), AttemptState.ADRIFT, left.worker, left.boot, "", written=True, restarted=True
            )
            attempt.went = left.terms.once
            self.attempts[left.attempt] = attempt
            self._adrift_of.setdefault(left.worker, set()).add(left.attempt)
            self._deadlines.set(("lease", left.attempt), now + self._timings.restart_grace_s)
        return effects

    def begin_grace(self, now: float) -> list[Effect]:
        """Pages can come from now on: the grace of what waits for them begins (promise S31)."""
        now = self._at(now)
        for names in self._adrift_of.values():
            for name in names:
                self._deadlines.set(("lease", name), now + self._timings.restart_grace_s)
        return []

    # -- what pages say

    def written(self, attempts: Sequence[str], now: float) -> list[Effect]:
        """Poll answers carry these offers now: from here on they can lapse."""
        now = self._at(now)
        for name in attempts:
            attempt = self.attempts.get(name)
            if attempt is not None and attempt.state is AttemptState.OFFERED and not attempt.written:
                attempt.written, attempt.waits_in = True, None
                self._deadlines.set(("lease", name), now + self._timings.offer_ttl_s)
        return []

    def polled(self, session: str, now: float) -> list[Effect]:
        """The page polls again: whatever the answer before carried has arrived. A sign of life, too."""
        worker = self._by_session.get(session)
        if worker is not None:
            for attempt in worker.attempts.values():
                attempt.fetched = attempt.fetched or attempt.written
        return self.heard(session, now)

    def accept(self, session: str, attempt_id: str, now: float) -> list[Effect]:
        """The page has the job and is about to start it: the timeout runs from here."""
        now = self._at(now)
        attempt = self._own(session, attempt_id)
        if attempt is None or attempt.state in (AttemptState.REVOKED, AttemptState.ADRIFT):
            return [CancelOrder(session, attempt_id, "stale")]
        if attempt.state is AttemptState.RUNNING:
            return self._go(attempt)
        attempt.state = AttemptState.RUNNING
        self._takes_offers(attempt.worker)
        self._deadlines.set(("lease", attempt_id), now + attempt.claim.terms.timeout_s)
        self._beat(attempt)
        return [*self._withdraw(attempt), Record(Started(attempt_id, attempt.holder()))]

    def _own(self, session: str, attempt_id: str) -> Attempt | None:
        """The attempt, if it is held by the worker of this session."""
        worker = self._by_session.get(session)
        return None if worker is None else worker.attempts.get(attempt_id)

    def progress(
        self, session: str, attempt_id: str, percent: float | None, note: str | None, now: float
    ) -> list[Effect]:
        """How far the task is. What is not running any more is ignored."""
        self._at(now)
        attempt = self._own(session, attempt_id)
        if attempt is None or attempt.state is not AttemptState.RUNNING:
            return []
        self._beat(attempt)
        return [Record(Progressed(attempt_id, percent, note))]

    def log(self, session: str, attempt_id: str, line: str, now: float) -> list[Effect]:
        """A line that the task wrote."""
        self._at(now)
        attempt = self._own(session, attempt_id)
        if attempt is None or attempt.state is not AttemptState.RUNNING:
            return []
        return [Record(Logged(attempt_id, line))]

    def result(self, session: str, attempt_id: str, value: str, now: float) -> list[Effect]:
        """A task's result. The store judges it by the attempt's id alone, whoever brings it (I6)."""
        self._at(now)
        if attempt_id in self._asked and attempt_id not in self.attempts:
            self._asked[attempt_id] = session
            return []  # the same result is on its way to the store
        attempt = self.attempts.get(attempt_id)
        self._asked[attempt_id] = session
        holder = None
        effects: list[Effect] = []
        if attempt is not None:
            effects = self._withdraw(attempt)
            holder = attempt.holder()
            self._count(attempt.worker, done=1)
            self._takes_offers(attempt.worker)
            self._forget(attempt)
        ended = Ended(attempt_id, Cause.SUCCEEDED, Event.SUCCEED, holder, value=value, implies_accept=True)
        return [*effects, Record(ended)]

    def error(self, session: str, attempt_id: str, error: str, detail: str, retry: bool, now: float) -> list[Effect]:
        """A task's error. A late one is always stale (S9)."""
        self._at(now)
        if attempt_id in self._asked and attempt_id not in self.attempts:
            self._asked[attempt_id] = session
            return []
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is AttemptState.REVOKED:
            if attempt is not None:
                self._forget(attempt)
            return [Answer(session, attempt_id, Verdict.STALE)]
        self._asked[attempt_id] = session
        self._count(attempt.worker, failed=1)
        self._takes_offers(attempt.worker)
        return self._end(attempt, after_error(attempt, error, detail, retry, self._retry, self._rng))

    def _count(self, worker_id: str, *, done: int = 0, failed: int = 0) -> None:
        worker = self.workers.get(worker_id)
        if worker is not None:
            worker.done += done
            worker.failed += failed

    def released(self, session: str, attempt_id: str, reason: str, now: float) -> list[Effect]:
        """The page holds the attempt no more: it declined the offer, or it obeyed a cancel."""
        self._at(now)
        attempt = self._own(session, attempt_id)
        if attempt is None:
            return []
        if attempt.state is AttemptState.REVOKED:
            self._forget(attempt)
            return []
        worker = self.workers[attempt.worker]
        if attempt.state is AttemptState.OFFERED and not (worker.paused or self.draining):
            self._heeds_no_offer(worker)
        detail = f"the page gave it back: {reason}" if reason else "the page gave it back"
        return self._end(attempt, after_release(attempt, detail))

    def pause(self, session: str, paused: bool, now: float) -> list[Effect]:
        """The page wants no offers, or wants them again."""
        self._at(now)
        worker = self._by_session.get(session)
        if worker is not None:
            worker.paused = paused
            self._changed(worker)
        return []

    def bye(self, session: str, now: float) -> list[Effect]:
        """The page goes away for good."""
        self._at(now)
        worker = self._by_session.get(session)
        return [] if worker is None else self._gone(worker, "the page said bye")

    # -- stopping

    def drain(self, now: float) -> list[Effect]:
        """No more offers; what runs may end. Pages are told."""
        self._at(now)
        self.draining = True
        effects: list[Effect] = [Order(session, "drain") for session in self._by_session]
        for worker in self.workers.values():
            effects += self._take_back(worker)
        return effects

    def busy(self) -> int:
        """Attempts that a page may be running."""
        return sum(a.state in (AttemptState.OFFERED, AttemptState.RUNNING) for a in self.attempts.values())


#: Ends that a page reports, and waits for the verdict on.
_SAID = (Cause.SUCCEEDED, Cause.ERROR)


def _verdict(session: str, settled: Settled) -> list[Effect]:
    if settled.verdict is not Verdict.REFUSED:
        return [Answer(session, settled.attempt, settled.verdict)]
    detail = "the store cannot hold the text of this result: the job has failed"
    return [Refuse(session, "unstorable", detail, settled.attempt), Record(_unstorable(settled.attempt))]


def _unstorable(attempt_id: str) -> Ended:
    return Ended(
        attempt_id,
        Cause.ERROR,
        Event.FAIL,
        reason="unstorable",
        detail="the store cannot hold the result's text",
        counts_error=True,
        implies_accept=True,
    )


def _claim_of(left: LiveAttempt) -> Claim:
    return Claim(
        pool=0,
        attempt=left.attempt,
        job=left.job,
        type=left.type,
        data="null",
        number=left.number,
        terms=left.terms,
        errors=left.errors,
        crashes=left.crashes,
        had=(left.worker,),
    )
