"""The events that receivers of webhooks can ask for."""

from __future__ import annotations

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.telling import END_EVENTS, EVENTS, event_of_state


def test_each_state_is_an_event_and_those_of_an_end_are_told_unless_others_are_asked_for() -> None:
    assert (*map(event_of_state, JobState), "workers.missed", "workers.complete") == EVENTS
    assert END_EVENTS == ("job.in_doubt", "job.succeeded", "job.failed", "job.cancelled", "job.expired")
