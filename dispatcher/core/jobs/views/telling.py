"""The events that receivers of webhooks can ask for: what a job can become. Pure."""

from __future__ import annotations

from dispatcher.core.jobs.states import SETTLED, JobState

__all__ = ["END_EVENTS", "EVENTS", "PING", "event_of_state"]


def event_of_state(state: JobState) -> str:
    """``job.succeeded`` and so on."""
    return f"job.{state.value}"


#: All events, and those of a job that has ended or waits for a person's decision.
EVENTS = tuple(event_of_state(state) for state in JobState)
END_EVENTS = tuple(event_of_state(state) for state in JobState if state in SETTLED)
#: Asked for by an administrator, to see whether messages arrive.
PING = "ping"
