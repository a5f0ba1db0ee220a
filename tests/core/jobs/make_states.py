"""Writes docs/states.md from the table of transitions: ``python -m tests.core.jobs.make_states``."""

from __future__ import annotations

from pathlib import Path

from dispatcher.core.jobs.states import FINAL, OPEN, TRANSITIONS, Event, JobState

PAGE = Path(__file__).resolve().parents[3] / "docs" / "states.md"

#: What an event means, for people.
MEANING = {
    Event.DUE: "its time has come: the delay or the backoff is over",
    Event.CLAIM: "a node claims it for one of its pages and makes an attempt",
    Event.REQUEUE: "its attempt lapsed, was given back or was lost: it goes back to its lane, with its old rank",
    Event.BACK_OFF: "its attempt ended in an error or a timeout, and there are attempts left",
    Event.SUCCEED: "a result is recorded; from any state but `running` it is a late one",
    Event.FAIL: "attempts or crashes are used up, or trying again cannot help; or a person decides so",
    Event.DOUBT: "its effect may or may not have happened",
    Event.CANCEL: "a person or a program cancels it",
    Event.EXPIRE: "it was not started in time",
    Event.RETRY: "a person asks for another round",
    Event.ADOPT: "a person makes a late answer the result",
    Event.REOPEN: "a person takes back, within 24 h, what a person has decided about a job in doubt",
    Event.AMEND: "its priority, its expiry or its requirement is changed; it may be in another lane then",
    Event.PUT_OFF: "somebody wants it to start later",
}


def text() -> str:
    """The page."""
    return "\n".join([*_head(), *_diagram(), "", *_table(), "", *_events(), ""])


def _head() -> list[str]:
    return [
        "# The states of a job",
        "",
        "Generated from `TRANSITIONS` in `dispatcher/core/jobs/states.py` by `python -m tests.core.jobs.make_states`.",
        "A test fails when it is out of date. An event that the table does not list changes nothing.",
        "",
        "A job begins `queued`, or `scheduled` if it was submitted with a delay.",
        f"Open states: {_list(OPEN)}. Final states: {_list(FINAL)}.",
        "",
    ]


def _list(states: frozenset[JobState]) -> str:
    return ", ".join(f"`{state}`" for state in JobState if state in states)


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> queued", "    [*] --> scheduled"]
    lines += [f"    {state} --> {to}: {event}" for (state, event), to in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in JobState if state in FINAL]
    return [*lines, "```"]


def _table() -> list[str]:
    lines = ["| from | " + " | ".join(f"`{event}`" for event in Event) + " |"]
    lines.append("|---" * (len(Event) + 1) + "|")
    for state in JobState:
        cells = [TRANSITIONS.get((state, event)) for event in Event]
        lines.append(f"| **{state}** | " + " | ".join(str(cell) if cell else "·" for cell in cells) + " |")
    return lines


def _events() -> list[str]:
    return ["| event | means |", "|---|---|", *(f"| `{event}` | {MEANING[event]} |" for event in Event)]


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
