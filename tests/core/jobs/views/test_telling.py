"""The events that receivers of webhooks, and followers, can ask for."""

from __future__ import annotations

from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.telling import (
    END_EVENTS,
    EVENTS,
    FOLLOWED,
    MOST_NAMED,
    RollEvent,
    event_of_state,
    roll_event,
)

A, B = MissingWorker("A", 10.0), MissingWorker("B", 20.0)


def test_each_state_is_an_event_and_those_of_an_end_are_told_unless_others_are_asked_for() -> None:
    assert (*map(event_of_state, JobState), "workers.missed", "workers.complete") == EVENTS
    assert END_EVENTS == ("job.in_doubt", "job.succeeded", "job.failed", "job.cancelled", "job.expired")
    assert ("job", *EVENTS[-2:]) == FOLLOWED


def test_who_is_newly_missed_is_named_and_the_end_of_all_missing_is_told_once() -> None:
    nobody, one, both = Roll(3), Roll(3, 1, [A]), Roll(3, 2, [B, A])
    assert roll_event(nobody, one, 5.0) == RollEvent("workers.missed", 5.0, 3, 2, 1, [A])
    assert roll_event(one, both, 6.0) == RollEvent("workers.missed", 6.0, 3, 1, 2, [B])
    assert roll_event(both, one, 7.0) is None, "one is back, and one is still missed"
    assert roll_event(one, nobody, 8.0) == RollEvent("workers.complete", 8.0, 3, 3, 0, [])
    assert roll_event(nobody, nobody, 9.0) is None
    again = Roll(3, 1, [MissingWorker("A", 11.0)])
    assert roll_event(one, again, 9.0) == RollEvent("workers.missed", 9.0, 3, 2, 1, again.some), "it was back meanwhile"


def test_of_very_many_all_are_counted_and_some_named() -> None:
    many = [MissingWorker(f"DESK-{number}", 1.0) for number in range(MOST_NAMED + 1)]
    event = roll_event(Roll(), Roll(200, len(many), many), 5.0)
    assert event is not None
    assert (event.missed, event.workers) == (MOST_NAMED + 1, many[:MOST_NAMED])
