"""The attempts of one node: offered, running, revoked, ended.

Theory of operation. Each attempt that this node has claimed stands here until it is let go. Its worker holds it, too,
for it takes one of the worker's slots. It ends once: the end becomes a ``Record`` at that instant, and its deadlines
are cleared with it, so nothing else can end it. An attempt that ends while its page may be busy with it is *revoked*:
it holds its slot until the page answers. An attempt that an earlier run of the server left open is *adrift*: it waits
for its page, and holds no slot.

Leases own all of that, and three deadlines of each attempt: its ``lease``, its ``beat`` (the heartbeat) and its
``reload``. They know no session's owner and no message. ``machine``, ``registry`` and ``reconciler``, above, decide
which page may speak about an attempt; ``retry`` decides what an end means for the job.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Attempt, AttemptState, Worker
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.news import Change
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Claim, Ended, LiveAttempt, Started
from dispatcher.core.workers.attendance import Attendance
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.effects import CancelOrder, Effect, Go, Offer, Order, Record, Withdraw
from dispatcher.core.workers.retry import (
    RetryPolicy,
    after_error,
    after_lapse,
    after_loss,
    after_timeout,
    without_offer,
)
from dispatcher.core.workers.timings import Timings

__all__ = ["Leases"]


class Leases:
    """The table of attempts, and everything that can happen to one. ``rng`` makes the jitter of backoffs."""

    def __init__(
        self,
        fleet: Fleet,
        attendance: Attendance,
        deadlines: Deadlines[Due],
        timings: Timings,
        retry: RetryPolicy,
        rng: random.Random,
    ) -> None:
        self._fleet = fleet
        self._attendance = attendance
        self._deadlines = deadlines
        self._timings = timings
        self._retry = retry
        self._rng = rng
        #: All attempts that this node has claimed and not let go.
        self.attempts: dict[str, Attempt] = {}
        #: Those of them that are revoked: as a rule few.
        self.revoked: dict[str, Attempt] = {}
        #: Worker -> its attempts of an earlier run that wait for its page.
        self._adrift_of: dict[str, dict[str, None]] = {}

    # -- offers

    def offer(self, claim: Claim, worker: Worker) -> Offer:
        """Makes a new attempt, for a worker that has room."""
        assert worker.session is not None, "a worker without a session has no room"
        attempt = Attempt(
            claim, AttemptState.OFFERED, worker.id, worker.boot, worker.name,
            task_version=worker.versions.get(claim.type), waits_in=worker.session,
        )  # fmt: skip
        self.attempts[claim.attempt] = worker.attempts[claim.attempt] = attempt
        self._fleet.pools.used(worker)
        return Offer(worker.session, claim)

    def offer_again(self, attempt: Attempt, session: str) -> list[Effect]:
        """Offers it once more: its page has a new session, and does not have the offer."""
        withdrawn = self._withdraw(attempt)
        attempt.written = attempt.fetched = False
        attempt.waits_in = session
        self._deadlines.clear(("lease", attempt.id))
        return [*withdrawn, Offer(session, attempt.claim)]

    def has_offer(self, attempt: Attempt) -> list[Effect]:
        """The page has the offer, so its accept or its result is on its way; if neither comes, it lapses."""
        attempt.written = True
        if self._deadlines.get(("lease", attempt.id)) is None:
            self._deadlines.start(("lease", attempt.id), self._timings.offer_ttl_s)
        return self._withdraw(attempt)

    def written(self, names: Iterable[str]) -> None:
        """Poll answers carry these offers now: from here on they can lapse."""
        for name in names:
            attempt = self.attempts.get(name)
            if attempt is not None and attempt.state is AttemptState.OFFERED and not attempt.written:
                attempt.written, attempt.waits_in = True, None
                self._deadlines.start(("lease", name), self._timings.offer_ttl_s)

    def fetched(self, worker: Worker, names: Iterable[str] | None = None) -> None:
        """Its page has shown that it has these offers, or has thrown them away; None: every one that was written."""
        for attempt in worker.attempts.values() if names is None else filter(None, map(worker.attempts.get, names)):
            attempt.fetched = attempt.fetched or attempt.written

    def take_back(self, worker: Worker) -> list[Effect]:
        """Jobs whose offers no poll has carried away yet go back to their lanes at once."""
        effects: list[Effect] = []
        for attempt in [a for a in worker.attempts.values() if a.state is AttemptState.OFFERED and not a.written]:
            effects += self.lapse(attempt, "its page was gone before it could be sent")
        return effects

    def take_back_type(self, type_name: str) -> list[Effect]:
        """The same for all offers of a type, or of EVERY_TYPE. It looks at every attempt: that is seldom."""
        waiting = [a for a in self.attempts.values() if a.state is AttemptState.OFFERED and not a.written]
        effects: list[Effect] = []
        for attempt in waiting:
            if type_name in (attempt.claim.type, EVERY_TYPE):
                effects += self.end(attempt, without_offer(attempt.claim, "its type was paused"))
        return effects

    def _withdraw(self, attempt: Attempt) -> list[Effect]:
        """An offer that still waits for a poll leaves the outbox: its page must not get what is over (S6)."""
        session, attempt.waits_in = attempt.waits_in, None
        return [] if session is None else [Withdraw(session, attempt.id)]

    # -- it runs

    def accept(self, attempt: Attempt) -> list[Effect]:
        """The page has the job and is about to start it: the timeout runs from here."""
        attempt.state = AttemptState.RUNNING
        self._attendance.takes_offers(self._fleet.workers[attempt.worker])
        self._deadlines.start(("lease", attempt.id), attempt.claim.terms.timeout_s)
        self.beat(attempt)
        return [*self._withdraw(attempt), Record(Started(attempt.id, attempt.holder()))]

    def accepted(self, attempt_id: str) -> list[Effect]:
        """The accept is durable: a job with effects ``once`` may start; if it is lost from here on, it is in doubt."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or not attempt.claim.terms.once or attempt.state is not AttemptState.RUNNING:
            return []
        attempt.went = True
        return self.go(attempt)

    def go(self, attempt: Attempt) -> list[Effect]:
        """Tells the page, perhaps once more, to start the job that waits for ``go``."""
        worker = self._fleet.workers.get(attempt.worker)
        if not attempt.went or worker is None or worker.session is None:
            return []
        return [Go(worker.session, attempt.id)]

    def beat(self, attempt: Attempt) -> None:
        """The page has shown that it works on it: silence counts from here."""
        heartbeat_s = attempt.claim.terms.heartbeat_s
        if heartbeat_s is not None:
            self._deadlines.start(("beat", attempt.id), heartbeat_s)

    # -- what is due

    def over(self, attempt: Attempt) -> list[Effect]:
        """The attempt's own deadline has passed: its offer lapsed, it timed out, or its page did not come back."""
        if attempt.state is AttemptState.OFFERED:
            return self._lapsed(attempt)
        if attempt.state is AttemptState.ADRIFT or attempt.finished:
            return self.end(attempt, after_loss(attempt, "its page did not come back"))
        self._attendance.tried(attempt.worker, failed=1)
        ended = after_timeout(attempt, self._retry, self._rng)
        return [Record(ended), *self._revoke(attempt, "timed_out")]

    def _lapsed(self, attempt: Attempt) -> list[Effect]:
        """Nobody accepted the offer in time. It counts against the page only if the page fetched it (S7)."""
        if attempt.fetched:
            self._attendance.heeds_no_offer(self._fleet.workers[attempt.worker])
        return self.lapse(attempt, "nobody accepted the offer in time")

    def silent(self, attempt: Attempt) -> list[Effect]:
        """No progress for as long as the job allows (S8): lost, though the page may be busy with it."""
        self._attendance.tried(attempt.worker, failed=1)
        detail = f"no progress within {attempt.claim.terms.heartbeat_s:g} s"
        return [Record(after_loss(attempt, detail)), *self._revoke(attempt, "no_heartbeat")]

    def reload(self, attempt: Attempt) -> list[Effect]:
        """Asks the page to load itself anew: it has not answered a cancel for too long."""
        session = self._fleet.workers[attempt.worker].session
        return [] if session is None else [Order(session, "reload")]

    # -- it ends

    def end(self, attempt: Attempt, ended: Ended) -> list[Effect]:
        """Records the end and forgets the attempt; its slot is free."""
        withdrawn = self._withdraw(attempt)
        self.forget(attempt)
        return [*withdrawn, Record(ended)]

    def lapse(self, attempt: Attempt, detail: str) -> list[Effect]:
        """Ends an offer that nobody can accept any more."""
        return self.end(attempt, after_lapse(attempt, detail))

    def succeed(self, attempt: Attempt) -> list[Effect]:
        """Some page has brought its result. The caller records it: the store judges unknown attempts, too."""
        withdrawn = self._withdraw(attempt)
        self._attendance.answered(attempt.worker)
        if attempt.live():  # one that timed out has been counted, whatever the store makes of its late result
            self._attendance.tried(attempt.worker, done=1)
        self.forget(attempt)
        return withdrawn

    def fail(self, attempt: Attempt, error: str, detail: str, *, retry: bool) -> list[Effect]:
        """The task failed."""
        self._attendance.answered(attempt.worker)
        self._attendance.tried(attempt.worker, failed=1)
        return self.end(attempt, after_error(attempt, error, detail, retry, self._retry, self._rng))

    def cancel(self, attempt: Attempt, reason: str) -> list[Effect]:
        """Its job was cancelled."""
        if attempt.state is AttemptState.ADRIFT or (attempt.state is AttemptState.OFFERED and not attempt.written):
            withdrawn = self._withdraw(attempt)
            self.forget(attempt)
            return withdrawn  # no page to be told: none that is here has heard of it
        return self._revoke(attempt, reason)

    def abandoned(self, attempt: Attempt, detail: str) -> list[Effect]:
        """No page has it any more: an offer lapses, a running attempt is lost, a revoked one frees its slot."""
        if attempt.state is AttemptState.OFFERED:
            return self.lapse(attempt, detail)
        if attempt.state is AttemptState.REVOKED:
            self.forget(attempt)
            return []
        return self.end(attempt, after_loss(attempt, detail))

    def _revoke(self, attempt: Attempt, reason: str) -> list[Effect]:
        """The attempt has ended, but its page may be busy with it: it holds its slot until the page answers."""
        attempt.state, attempt.revoked = AttemptState.REVOKED, reason
        self.revoked[attempt.id] = attempt
        self._deadlines.clear(("lease", attempt.id), ("beat", attempt.id))
        self._deadlines.start(("reload", attempt.id), self._timings.reload_after_s)
        worker = self._fleet.workers[attempt.worker]
        self._attendance.let_quiet_go(worker)
        return [] if worker.session is None else [CancelOrder(worker.session, attempt.id, reason)]

    def forget(self, attempt: Attempt) -> None:
        """It is over for everybody: it holds no slot, and has no deadline."""
        if attempt.state is AttemptState.ADRIFT:
            self._not_adrift(attempt)
        name = attempt.id
        self._deadlines.clear(("lease", name), ("beat", name), ("reload", name))
        del self.attempts[name]
        self.revoked.pop(name, None)
        worker = self._fleet.workers.get(attempt.worker)
        if worker is not None and worker.attempts.pop(name, None) is not None:
            self._fleet.pools.freed(worker)  # the roster shows nothing that an attempt changes
            self._attendance.let_quiet_go(worker)

    # -- attempts of an earlier run, and what pages alone know

    def restore(self, live: Iterable[LiveAttempt]) -> list[Effect]:
        """Attempts that an earlier run left open: accepted ones wait for their page, the others lapse (S18)."""
        effects: list[Effect] = []
        for left in live:
            if left.started_at is None:
                effects.append(Record(without_offer(left, "the server was restarted")))
                continue
            self._leave_adrift(left, restarted=True)
        return effects

    def _leave_adrift(self, left: LiveAttempt, *, restarted: bool) -> None:
        """It waits for its page."""
        claim, accepted = _claim_of(left), left.started_at is not None
        attempt = Attempt(
            claim, AttemptState.ADRIFT, left.worker, left.boot, "", written=True, restarted=restarted,
            unwritten=not accepted,
        )  # fmt: skip
        attempt.went = accepted and left.terms.once
        self.attempts[left.attempt] = attempt
        self._adrift_of.setdefault(left.worker, {})[left.attempt] = None
        self._deadlines.start(("lease", left.attempt), self._timings.restart_grace_s)

    def begin_grace(self) -> None:
        """Pages can come from now on: the grace of attempts that wait for them begins (promise S31)."""
        for names in self._adrift_of.values():
            for name in names:
                self._deadlines.start(("lease", name), self._timings.restart_grace_s)

    def adrift_of(self, worker_id: str) -> Collection[str]:
        """The attempts of an earlier run that wait for this worker's page."""
        return self._adrift_of.get(worker_id, {}).keys()

    def take_up(self, attempt: Attempt, worker: Worker, elapsed_s: float) -> list[Effect]:
        """A page holds an attempt of an earlier run, ``elapsed_s`` after its accept: it goes on with the time left."""
        self._not_adrift(attempt)
        self._hand(attempt, worker)
        attempt.state = AttemptState.RUNNING
        attempt.restarted = False
        timeout_s = attempt.claim.terms.timeout_s
        left_s = timeout_s - min(max(elapsed_s, 0.0), timeout_s)
        self._deadlines.start(("lease", attempt.id), max(left_s, min(timeout_s, self._timings.restart_grace_s)))
        self.beat(attempt)
        return [Record(Started(attempt.id, attempt.holder()))] if attempt.unwritten else []

    def take_up_finished(self, attempt: Attempt, worker: Worker) -> list[Effect]:
        """A page has the result of an attempt of an earlier run in its stash."""
        self._not_adrift(attempt)
        self._hand(attempt, worker)
        return self.await_stash(attempt)

    def move_in(self, live: Iterable[LiveAttempt]) -> None:
        """Attempts of another node are this one's now: they wait for their page, which is about to register."""
        for left in live:
            known = self.attempts.get(left.attempt)
            if known is not None and not known.live():  # its page has named it before, and nobody here knew it
                self.forget(known)
            if left.attempt not in self.attempts:
                self._leave_adrift(left, restarted=False)

    def move_out(self, attempt_id: str) -> list[Effect]:
        """The attempt is another node's now: nothing here ends it any more."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None:
            return []
        withdrawn = self._withdraw(attempt)
        self.forget(attempt)
        return withdrawn

    def changed_elsewhere(self, change: Change) -> list[Effect]:
        """Another node has cancelled the job of a running attempt, or recorded its result."""
        attempt = None if change.attempt is None else self.attempts.get(change.attempt)
        if attempt is None or not attempt.live() or change.old is not JobState.RUNNING:
            return []
        if change.new is JobState.CANCELLED:
            return self.cancel(attempt, change.reason or "cancelled")
        return self.move_out(attempt.id)

    def await_stash(self, attempt: Attempt) -> list[Effect]:
        """Its result lies in the page's stash: the attempt stays current until it can have arrived."""
        attempt.finished = True
        attempt.state = AttemptState.RUNNING
        self._deadlines.clear(("beat", attempt.id))
        self._deadlines.start(("lease", attempt.id), self._timings.offer_ttl_s)
        return self._withdraw(attempt)

    def hold_unknown(self, attempt_id: str, worker: Worker) -> None:
        """A page holds an attempt that nobody here knows: it is over, and holds a slot like any revoked one."""
        attempt = Attempt(_unknown(attempt_id), AttemptState.REVOKED, "", "", "")
        self.attempts[attempt_id] = self.revoked[attempt_id] = attempt
        self._hand(attempt, worker)
        self._deadlines.start(("reload", attempt_id), self._timings.reload_after_s)

    def _hand(self, attempt: Attempt, worker: Worker) -> None:
        attempt.worker, attempt.boot, attempt.name = worker.id, worker.boot, worker.name
        attempt.task_version = worker.versions.get(attempt.claim.type)
        worker.attempts[attempt.id] = attempt

    def _not_adrift(self, attempt: Attempt) -> None:
        left = self._adrift_of[attempt.worker]
        del left[attempt.id]
        if not left:
            del self._adrift_of[attempt.worker]


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


#: Such an attempt has no further try, whatever ends it.
_NOTHING_KNOWN = Terms(timeout_s=0.0, max_attempts=0, max_crashes=0)


def _unknown(attempt_id: str) -> Claim:
    """A claim for an attempt of which only the id is known, from a page."""
    return Claim(
        pool=0, attempt=attempt_id, job="", type="", data="null", number=0, terms=_NOTHING_KNOWN,
        errors=0, crashes=0,
    )  # fmt: skip
