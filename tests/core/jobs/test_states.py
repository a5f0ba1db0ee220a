"""The table of transitions, and the page that is generated from it."""

from __future__ import annotations

from itertools import product

import pytest

from dispatcher.core.jobs.model import JobStanding
from dispatcher.core.jobs.states import FINAL, OPEN, TRANSITIONS, Event, JobState, next_state
from tests.core.jobs import make_states


@pytest.mark.parametrize(("state", "event"), list(product(JobState, Event)))
def test_an_event_leads_where_the_table_says_and_else_nowhere(state, event):
    assert next_state(state, event) is TRANSITIONS.get((state, event))


def test_every_state_is_either_open_or_final():
    assert set(JobState) == OPEN | FINAL
    assert not OPEN & FINAL


def test_a_final_state_is_left_only_because_a_person_wants_it():
    assert {event for state, event in TRANSITIONS if state in FINAL} == {Event.RETRY, Event.ADOPT, Event.REOPEN}


def test_what_has_succeeded_changes_only_where_a_person_takes_a_decision_back():
    assert [event for state, event in TRANSITIONS if state is JobState.SUCCEEDED] == [Event.REOPEN]


def test_only_a_queued_job_can_be_claimed():
    assert [state for state, event in TRANSITIONS if event is Event.CLAIM] == [JobState.QUEUED]


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_can_reach_an_end(state):
    seen, todo = set(), [state]
    while todo:
        here = todo.pop()
        seen.add(here)
        todo += [to for (start, _), to in TRANSITIONS.items() if start is here and to not in seen]
    assert seen & FINAL


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        TRANSITIONS[JobState.SUCCEEDED, Event.RETRY] = JobState.QUEUED  # type: ignore[index]


def test_the_page_of_states_is_fresh():
    fresh = "run: python -m tests.core.jobs.make_states"
    assert make_states.PAGE.read_text(encoding="utf-8") == make_states.text(), fresh


@pytest.mark.parametrize("state", JobState)
def test_a_job_stands_settled_once_it_has_ended_or_is_in_doubt(state: JobState) -> None:
    assert JobStanding("echo", state).is_settled == (state in FINAL or state is JobState.IN_DOUBT)
