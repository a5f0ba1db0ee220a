"""Decides what an attempt's end means for its job: when it is tried again, or that it has failed (promise S13).

Theory of operation. Each way in which an attempt can end has one function here. It makes the report: whether the job
goes back to its lane, waits for a backoff, has failed or is in doubt, and what that uses up. The functions look at the
attempt alone and change nothing; the only thing drawn is the jitter of a backoff.
"""

from __future__ import annotations

import random

from msgspec import Struct

from dispatcher.core.fleet.worker import Attempt, lane_of_claim
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause, Claim, Ended, LiveAttempt

__all__ = [
    "RetryPolicy",
    "after_error",
    "after_lapse",
    "after_loss",
    "after_release",
    "after_timeout",
    "in_doubt",
    "unstorable",
    "without_offer",
]

#: Largest share of a backoff that jitter adds or takes away.
JITTER = 0.2


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """Backoff: ``base_s`` x 2^n, n = errors and timeouts so far, never more than ``max_s``."""

    base_s: float = 1.0
    max_s: float = 300.0

    def without_jitter_s(self, failures: int) -> float:
        """The delay after this many errors and timeouts, before jitter."""
        return min(self.max_s, self.base_s * 2.0 ** min(failures, 60))

    def delay_s(self, failures: int, rng: random.Random) -> float:
        """The delay with jitter: between 80 % and 120 % of the exact one, and never more than ``max_s``."""
        return min(self.max_s, self.without_jitter_s(failures) * rng.uniform(1 - JITTER, 1 + JITTER))


def without_offer(claim: Claim | LiveAttempt, detail: str) -> Ended:
    """No page was offered it, or none that we know: this uses up nothing."""
    return Ended(claim.attempt, Cause.LAPSED, Event.REQUEUE, detail=detail, lane=lane_of_claim(claim))


def after_lapse(attempt: Attempt, detail: str) -> Ended:
    """Its page did not accept the offer: this uses up nothing."""
    return Ended(attempt.id, Cause.LAPSED, Event.REQUEUE, attempt.holder(), detail=detail, lane=attempt.lane)


def after_error(
    attempt: Attempt, error: str, detail: str, retry: bool, policy: RetryPolicy, rng: random.Random
) -> Ended:
    """The task failed. ``retry`` False: trying again cannot help."""
    failures = attempt.claim.errors + 1
    again = retry and failures < attempt.claim.terms.max_attempts and not attempt.claim.terms.once
    return Ended(
        attempt.id,
        Cause.ERROR,
        Event.BACK_OFF if again else Event.FAIL,
        attempt.holder(),
        delay_s=policy.delay_s(failures, rng) if again else 0.0,
        reason="error" if retry else "no_retry",
        detail=detail,
        error=error,
        counts_error=True,
        implies_accept=True,
    )


def unstorable(attempt_id: str) -> Ended:
    """The task has ended, and the store cannot hold its result: trying again cannot help."""
    return Ended(
        attempt_id,
        Cause.ERROR,
        Event.FAIL,
        reason="unstorable",
        detail="the store cannot hold the result's text",
        counts_error=True,
        implies_accept=True,
    )


def after_timeout(attempt: Attempt, policy: RetryPolicy, rng: random.Random) -> Ended:
    """The attempt did not end in time."""
    if attempt.went:
        return in_doubt(attempt, Cause.TIMED_OUT, f"no answer within {attempt.claim.terms.timeout_s:g} s")
    failures = attempt.claim.errors + 1
    again = failures < attempt.claim.terms.max_attempts
    return Ended(
        attempt.id,
        Cause.TIMED_OUT,
        Event.BACK_OFF if again else Event.FAIL,
        attempt.holder(),
        delay_s=policy.delay_s(failures, rng) if again else 0.0,
        reason="timed_out",
        detail=f"no answer within {attempt.claim.terms.timeout_s:g} s",
        counts_error=True,
    )


def in_doubt(attempt: Attempt, cause: Cause, detail: str) -> Ended:
    """A job with effects ``once`` after its ``go``: nobody knows whether the effect has happened (promise S15b)."""
    return Ended(attempt.id, cause, Event.DOUBT, attempt.holder(), reason=str(cause), detail=detail)


def after_release(attempt: Attempt, detail: str) -> Ended:
    """The page gave it back: it goes to another page, unless its effect may have happened."""
    if attempt.went:
        return in_doubt(attempt, Cause.RELEASED, detail)
    return Ended(attempt.id, Cause.RELEASED, Event.REQUEUE, attempt.holder(), detail=detail, lane=attempt.lane)


def after_loss(attempt: Attempt, detail: str) -> Ended:
    """The page went away with the attempt; a loss through the server's own restart uses up nothing."""
    if attempt.went:
        return in_doubt(attempt, Cause.LOST, detail)
    counts = not attempt.restarted
    poison = counts and attempt.claim.crashes + 1 > attempt.claim.terms.max_crashes
    return Ended(
        attempt.id,
        Cause.LOST,
        Event.FAIL if poison else Event.REQUEUE,
        attempt.holder(),
        reason="poison" if poison else None,
        detail=detail if not poison else f"lost {attempt.claim.crashes + 1} times; the last time because {detail}",
        counts_crash=counts,
        lane=None if poison else attempt.lane,
    )
