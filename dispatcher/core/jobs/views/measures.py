"""What a node measures of itself, as values for those who show it: counts and sums, no rates.

Counts that only grow begin at 0 when the server starts. Durations are seconds, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dispatcher.core.jobs.states import JobState

__all__ = ["OTHER_TYPES", "Measures", "TurnTimes"]

#: Stands for the types that have no name of their own here. No type can be called so.
OTHER_TYPES = "(other)"


class TurnTimes(Struct, frozen=True, kw_only=True):
    """How long turns took: a histogram."""

    #: Upper bounds, rising.
    bounds_s: tuple[float, ...]
    #: Turns up to each bound and over the one before; the last are those over all bounds.
    turns: tuple[int, ...]
    took_s: float


class Measures(Struct, frozen=True, kw_only=True):
    """One look at a node."""

    #: Jobs in the store now, by type and state; the types without a name are added up under ``OTHER_TYPES``.
    jobs: Mapping[tuple[str, str], int]
    #: Since the start, by type.
    submitted: Mapping[str, int]
    offered: Mapping[str, int]
    #: The same by type and state: jobs that ended or came to be in doubt.
    settled: Mapping[tuple[str, JobState], int]
    turns: TurnTimes
    #: Workers by state, without those that have gone.
    workers: Mapping[str, int]
    #: Attempts that pages have now.
    busy: int
    #: What happened on the transport since the start, by name: ``dispatcher/transport/counts.py``.
    transport: Mapping[str, int]
    #: Sessions of pages now, by what carries them.
    sessions: Mapping[str, int]
    #: Requests that wait for results.
    waiting_requests: int
    #: Jobs that wait to be stored, and the bytes of their data.
    intake_jobs: int
    intake_bytes: int
    #: Messages of webhooks now, by ``pending`` and ``dead``; attempts to send them since the start, by their outcome.
    webhook_messages: Mapping[str, int]
    webhook_attempts: Mapping[str, int]
    #: How long the oldest message has waited.
    webhook_oldest_s: float
    #: Changes of jobs that were told since the start, who follows them now, and how often somebody was told of a gap.
    changes: int
    followers: int
    gaps: int
    takes_jobs: bool
    draining: bool
    has_space: bool
