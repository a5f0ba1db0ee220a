"""The dispatcher's decisions, as the shell calls them: which worker gets a job, when an attempt ends, what comes next.

Theory of operation. Every call takes ``now``, monotonic seconds, and returns effects, in the order in which they must
be carried out. Time never goes back: an earlier ``now`` counts as the latest one seen. Nothing here knows a clock, a
socket, a database or a random source of its own.

The machine puts the parts together, and keeps one thing itself: the pages that wait for verdicts. Each part owns its
own state, calls the parts below it, and gives values back; none calls up:

    machine     what the shell calls: turns, what pages say, what is due
    registry    sessions, boots, newcomers
        reconciler  decides what a registration means for attempts; it keeps nothing
    leases      the attempts
    attendance  whether workers are there and heed their offers
    fleet       the workers, in pools and in lists
        deadlines   what is due when, and what time it is; every part but ``fleet`` and ``reconciler`` sets its own

A node keeps in memory what only a node can know: the workers connected to it and the attempts that it has claimed for
them. The truth about jobs is in the store. An attempt's end becomes a ``Record`` the moment it is known here, and
nothing else can end the attempt any more. The store judges the record under the fence, and the verdict comes back by
``settled``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Attempt, AttemptState, Worker, lane_of_claim
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import (
    Cause,
    Claim,
    Demand,
    Ended,
    LaneReady,
    Logged,
    Progressed,
    Report,
    Settled,
    Started,
    Verdict,
)
from dispatcher.core.workers.answering import Answering
from dispatcher.core.workers.attendance import Attendance
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.effects import Answer, CancelOrder, Effect, Go, Record, Refuse
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.movers import Movers
from dispatcher.core.workers.obeying import Obeying
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.registry import Registry
from dispatcher.core.workers.retry import RetryPolicy, after_release, unstorable, without_offer
from dispatcher.core.workers.sharing import WAITS_S, Sharing
from dispatcher.core.workers.standstill import forgive
from dispatcher.core.workers.timings import Timings

__all__ = ["Machine"]


class Machine(Obeying, Answering, Sharing):
    """Workers and attempts of one node; the shell calls it. ``rng`` is seeded if runs must repeat; ``shared``: other
    nodes may have the store, too."""

    def __init__(self, *, timings: Timings, retry: RetryPolicy, rng: random.Random, shared: bool = False) -> None:
        self._timings = timings
        self._deadlines: Deadlines[Due] = Deadlines()
        self._fleet = Fleet(lambda: self._deadlines.now, shared=shared)
        self._attendance = Attendance(self._fleet, self._deadlines, timings)
        self._leases = Leases(self._fleet, self._attendance, self._deadlines, timings, retry, rng)
        #: What operators have said; all may read it.
        self.operators = Operators()
        self._registry = Registry(self._fleet, self._attendance, self._leases, self._deadlines, self.operators)
        self._movers = Movers() if shared else None
        #: Attempt -> session that waits for the verdict on its result or error.
        self._asked: dict[str, str] = {}
        #: Called when a worker's page has come to another node and is not here any more.
        self.moved_away = lambda _: None
        #: All may read them, only the parts change them: workers and attempts by their ids, workers for people
        #: and by the versions of their tasks.
        self.workers = self._fleet.workers
        self.attempts = self._leases.attempts
        self.roster, self.kinds = self._fleet.roster, self._fleet.kinds
        #: Where people look whether a job in doubt was done.
        self.doubt_urls = self._fleet.doubt_urls

    # -- what is due

    def next_deadline(self) -> float | None:
        """When ``tick`` must be called next; None: not before something else happens."""
        return self._deadlines.next()

    def tick(self, now: float) -> list[Effect]:
        """Ends everything that is due. The shell may call it late, never early."""
        effects: list[Effect] = []
        while (ended := self.tick_once(now)) is not None:
            effects += ended
        return effects

    def tick_once(self, now: float) -> list[Effect] | None:
        """Ends what has been due longest; None: nothing is due. If it raises, that deadline is gone all the same."""
        self._deadlines.pass_to(now)
        due = self._deadlines.pop_due()
        if due is None:
            return None
        if self._waits_here(due):
            self._deadlines.start(due, WAITS_S)
            return []
        kind, name = due
        if kind == "lease":
            return self._leases.over(self.attempts[name])
        if kind == "beat":
            return self._leases.silent(self.attempts[name])
        if kind == "reload":
            return self._leases.reload(self.attempts[name])
        if kind == "probe":
            return self._registry.decide(name)
        if kind == "aside":
            self._attendance.try_again(self.workers[name])
            return []
        return self._registry.gone(self.workers[name], "the page went away and did not come back")

    def forgive(self, late_s: float, now: float) -> list[Effect]:
        """The loop stood still for ``late_s``: that counts against no page (S19). Call it before ``tick``."""
        self._deadlines.pass_to(now)
        forgive(late_s, self._deadlines, self.attempts, self._timings)
        return []

    # -- the turn

    def demand(self, most: int, coming: Mapping[str, int] | None = None) -> list[Demand]:
        """Idle workers for the lanes that have ready jobs, least recently used first, for at most ``most`` jobs.

        ``coming``: lane -> how many jobs the same turn puts into it.
        """
        return [] if self.withholds() else self._fleet.pools.demand(most, coming)

    def hungry(self) -> bool:
        """Whether a turn may find takers that the last one did not have."""
        return not self.withholds() and self._fleet.pools.hungry()

    def ready(self, lanes: Iterable[LaneReady], *, claimed: bool) -> None:
        """Takes what a turn has left in the lanes that it touched. Call it when its claims have been given out."""
        self._fleet.pools.reported(lanes, claimed=claimed)

    def claimed(self, claims: Sequence[Claim], now: float) -> list[Effect]:
        """The store has claimed these jobs for us: each goes to the next worker of its pool, or back at no cost."""
        self._deadlines.pass_to(now)
        effects: list[Effect] = []
        promised = Counter(claim.pool for claim in claims)
        for claim in claims:
            promised[claim.pool] -= 1
            effects.append(self._give(claim, promised))
        return effects

    def _give(self, claim: Claim, promised: Mapping[int, int]) -> Effect:
        if self.type_hold(claim.type) is not None:  # by the turn that has claimed it
            return Record(without_offer(claim, "its type was paused"))
        if not self.draining:
            lane = lane_of_claim(claim)
            worker = self._fleet.pools.take(claim.pool, claim.had, lane, promised)
            if worker is not None:
                self._fleet.pools.lanes.served(lane)
                return self._leases.offer(claim, worker)
        return Record(without_offer(claim, "nobody was free"))

    def settled(self, reports: Sequence[Report], verdicts: Sequence[Settled], now: float) -> list[Effect]:
        """The store has judged these reports, durably: pages that wait for the verdict get it."""
        self._deadlines.pass_to(now)
        effects: list[Effect] = []
        for report, settled in zip(reports, verdicts, strict=True):
            if isinstance(report, Started) and settled.verdict is Verdict.RECORDED:
                effects += self._leases.accepted(report.attempt)
            # Only for reports that a page made: the verdict on an accept must not end the repeating of a result.
            if isinstance(report, Ended) and report.cause in _SAID:
                session = self._asked.pop(report.attempt, None)
                if session is not None:
                    effects += _verdict(session, settled)
        return effects

    def awaits(self, report: Report) -> bool:
        """Whether a page waits until this report is durable: for a verdict, for ``go`` or for its next job."""
        if isinstance(report, Started):
            attempt = self.attempts.get(report.attempt)
            return attempt is not None and attempt.claim.terms.once
        return isinstance(report, Ended)

    def cancelled(self, attempt_id: str, reason: str, now: float) -> list[Effect]:
        """The job of this attempt was cancelled, durably: its page is told."""
        self._deadlines.pass_to(now)
        attempt = self.attempts.get(attempt_id)
        return [] if attempt is None or not attempt.live() else self._leases.cancel(attempt, reason)

    def no_room(self, worker_id: str, types: Sequence[str], now: float) -> list[Effect]:
        """The store has no room for these types, which this worker offers: its page is told."""
        self._deadlines.pass_to(now)
        return self._registry.no_room(worker_id, types)

    # -- stopping

    def drain(self, now: float) -> list[Effect]:
        """No more offers; running attempts may end. Pages are told."""
        self._deadlines.pass_to(now)
        return self._registry.drain()

    @property
    def draining(self) -> bool:
        """The node is stopping: no more offers."""
        return self._registry.draining

    def busy(self) -> int:
        """Attempts that a page may be running."""
        return sum(a.state in (AttemptState.OFFERED, AttemptState.RUNNING) for a in self.attempts.values())

    # -- pages come and go

    def worker_of(self, session: str) -> Worker | None:
        """The worker that this session belongs to; None: it has not registered."""
        return self._registry.worker_of(session)

    def heard(self, session: str, now: float) -> list[Effect]:
        """The page of this session made a request."""
        self._deadlines.pass_to(now)
        return self._registry.heard(session)

    def away(self, session: str, now: float, ago_s: float = 0.0) -> list[Effect]:
        """The session's connection closed, so long ago: a sign that the page may be gone. The grace runs (S11)."""
        self._deadlines.pass_to(now)
        self._session_over(session)
        return self._registry.away(session, ago_s)

    def back(self, session: str, now: float) -> list[Effect]:
        """The page polls again on the same session: the grace stops."""
        self._deadlines.pass_to(now)
        self._registry.back(session)
        return []

    def ended(self, session: str, now: float) -> list[Effect]:
        """The page itself left this session (a close, overlapping polls): a sign, as in ``away``."""
        self._deadlines.pass_to(now)
        self._session_over(session)
        return self._registry.ended(session)

    def quiet(self, session: str, now: float) -> list[Effect]:
        """The session timed out, its connection did not close: no offers, but every lease runs on (S8, S11)."""
        self._deadlines.pass_to(now)
        self._session_over(session)
        return self._registry.quiet(session)

    def bye(self, session: str, now: float, why: str = "the page was closed") -> list[Effect]:
        """The page goes away for good, or must."""
        self._deadlines.pass_to(now)
        worker = self._registry.worker_of(session)
        return [] if worker is None else self._registry.gone(worker, why)

    # -- what pages say of attempts

    def written(self, attempts: Sequence[str], now: float) -> list[Effect]:
        """Poll answers carry these offers now: from here on they can lapse."""
        self._deadlines.pass_to(now)
        self._leases.written(attempts)
        return []

    def polled(self, session: str, now: float) -> list[Effect]:
        """The page polls again: all that the last answer carried has arrived. It is a sign of life, too."""
        self._deadlines.pass_to(now)
        worker = self._registry.worker_of(session)
        if worker is not None:
            self._leases.fetched(worker)
        return self._registry.heard(session)

    def received(self, session: str, attempts: Sequence[str], now: float) -> list[Effect]:
        """The page has shown that these offers have arrived, by the answer to a later ping."""
        self._deadlines.pass_to(now)
        worker = self._registry.worker_of(session)
        if worker is not None:
            self._leases.fetched(worker, attempts)
        return []

    def accept(self, session: str, attempt_id: str, now: float, *, answered: bool = True) -> list[Effect]:
        """The page has the job and is about to start it: the timeout runs from here.

        ``answered``: the transport tells the page that this has arrived; otherwise ``go`` does.
        """
        self._deadlines.pass_to(now)
        attempt = self._own(session, attempt_id)
        if attempt is None:
            return [CancelOrder(session, attempt_id, "stale")]
        if attempt.state is AttemptState.REVOKED:
            return [CancelOrder(session, attempt_id, attempt.revoked)]
        told: list[Effect] = [] if answered or attempt.claim.terms.once else [Go(session, attempt_id)]
        if attempt.state is AttemptState.RUNNING:
            return [*self._leases.go(attempt), *told]
        return [*self._leases.accept(attempt), *told]

    def _own(self, session: str, attempt_id: str) -> Attempt | None:
        """The attempt, if it is held by the worker of this session."""
        worker = self._registry.worker_of(session)
        return None if worker is None else worker.attempts.get(attempt_id)

    def progress(
        self, session: str, attempt_id: str, percent: float | None, note: str | None, now: float
    ) -> list[Effect]:
        """The task says how far it has come. Ignored, if the attempt is not running any more."""
        self._deadlines.pass_to(now)
        attempt = self._own(session, attempt_id)
        if attempt is None or attempt.state is not AttemptState.RUNNING:
            return []
        self._leases.beat(attempt)
        return [Record(Progressed(attempt_id, percent, note))]

    def log(self, session: str, attempt_id: str, line: str, now: float, n: int | None = None) -> list[Effect]:
        """The task has written a line. One that is being cancelled may say how far it got, until it is released.

        ``n``: which line of the attempt it is, by its page. The store records one that is said again only once.
        """
        self._deadlines.pass_to(now)
        attempt = self._own(session, attempt_id)
        if attempt is None or attempt.state not in (AttemptState.RUNNING, AttemptState.REVOKED):
            return []
        return [Record(Logged(attempt_id, line, n))]

    def result(self, session: str, attempt_id: str, value: str, now: float) -> list[Effect]:
        """A page brings a task's result. The store judges it by the attempt's id alone, whichever page it is (I6)."""
        self._deadlines.pass_to(now)
        attempt = self.attempts.get(attempt_id)
        repeated = attempt is None and attempt_id in self._asked
        self._asked[attempt_id] = session
        if repeated:
            return []  # the same result is on its way to the store
        holder = None if attempt is None else attempt.holder()
        withdrawn = [] if attempt is None else self._leases.succeed(attempt)
        ended = Ended(
            attempt_id, Cause.SUCCEEDED, Event.SUCCEED, holder,
            value=value, implies_accept=True, job=None if attempt is None else attempt.claim.job,
        )  # fmt: skip
        return [*withdrawn, Record(ended)]

    def error(self, session: str, attempt_id: str, error: str, detail: str, retry: bool, now: float) -> list[Effect]:
        """A page brings a task's error. A late one is always stale (S9)."""
        self._deadlines.pass_to(now)
        attempt = self.attempts.get(attempt_id)
        if attempt is None and attempt_id in self._asked:
            self._asked[attempt_id] = session
            return []
        if attempt is None or not attempt.live():
            if attempt is not None:
                self._leases.forget(attempt)
            return [Answer(session, attempt_id, Verdict.STALE)]
        self._asked[attempt_id] = session
        return self._leases.fail(attempt, error, detail, retry=retry)

    def released(self, session: str, attempt_id: str, reason: str, now: float) -> list[Effect]:
        """The page does not hold the attempt any more: it declined the offer, or it obeyed a cancel."""
        self._deadlines.pass_to(now)
        attempt = self._own(session, attempt_id)
        if attempt is None:
            return []
        if not attempt.live():
            self._leases.forget(attempt)
            return []
        worker = self.workers[attempt.worker]
        if attempt.state is AttemptState.OFFERED and not (worker.wants_none() or self.draining):
            self._attendance.heeds_no_offer(worker)
        detail = f"the page gave it back: {reason}" if reason else "the page gave it back"
        return self._leases.end(attempt, after_release(attempt, detail))


#: Ends that a page reports; it waits for the verdict.
_SAID = (Cause.SUCCEEDED, Cause.ERROR)


def _verdict(session: str, settled: Settled) -> list[Effect]:
    if settled.verdict is not Verdict.REFUSED:
        return [Answer(session, settled.attempt, settled.verdict)]
    detail = "the store cannot hold the text of this result: the job has failed"
    return [Refuse(session, "unstorable", detail, settled.attempt), Record(unstorable(settled.attempt))]
