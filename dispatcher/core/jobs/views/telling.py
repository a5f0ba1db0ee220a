"""The events that receivers of webhooks can ask for: what a job can become, and who is missed. Pure."""

from __future__ import annotations

from dispatcher.core.jobs.states import SETTLED, JobState

__all__ = ["END_EVENTS", "EVENTS", "PING", "WORKERS_COMPLETE", "WORKERS_MISSED", "event_of_state"]


def event_of_state(state: JobState) -> str:
    """``job.succeeded`` and so on."""
    return f"job.{state.value}"


#: Workers that are usually here at this hour are newly missed; nobody is missed any more.
WORKERS_MISSED, WORKERS_COMPLETE = "workers.missed", "workers.complete"
#: All events, and those of a job that has ended or waits for a person's decision.
EVENTS = (*(event_of_state(state) for state in JobState), WORKERS_MISSED, WORKERS_COMPLETE)
END_EVENTS = tuple(event_of_state(state) for state in JobState if state in SETTLED)
#: Asked for by an administrator, to see whether messages arrive.
PING = "ping"
