"""A follower gets the changes that it asked for, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.changes import ChangeFilter, ChangePage
from dispatcher.core.jobs.views.telling import WORKERS_COMPLETE, WORKERS_MISSED, RollEvent

FAILED = Change("j1", "print", JobState.RUNNING, JobState.FAILED, 1.0, "a1", "w1", "error")
NEW = Change("j2", "scan", None, JobState.QUEUED, 1.0, None, None, None)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ({}, (True, True)),
        ({"job": {"j1"}}, (True, False)),
        ({"job": {"j1", "j2"}}, (True, True)),
        ({"worker": {"w1"}}, (True, False)),
        ({"type": {"scan"}}, (False, True)),
        ({"state": {JobState.FAILED, JobState.IN_DOUBT}}, (True, False)),
        ({"type": {"print"}, "state": {JobState.QUEUED}}, (False, False)),
    ],
)
def test_a_change_passes_if_each_field_names_what_it_says(
    wanted: dict[str, set[Any]], passes: tuple[bool, bool]
) -> None:
    given: dict[str, Any] = {name: frozenset(values) for name, values in wanted.items()}
    asked = ChangeFilter(**given)
    assert (asked.passes(FAILED), asked.passes(NEW)) == passes


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ({}, (True, False, False)),
        ({"event": {"workers.missed"}}, (False, True, False)),
        ({"event": {"workers.missed", "workers.complete"}, "type": {"scan"}}, (False, True, True)),
        ({"event": {"job", "workers.complete"}, "type": {"scan"}, "job": {"j1"}}, (False, False, True)),
        ({"event": {"job", "workers.complete"}, "type": {"print"}}, (True, False, True)),
    ],
)
def test_a_roll_event_passes_if_it_is_asked_for_and_the_other_fields_are_for_changes_alone(
    wanted: dict[str, set[Any]], passes: tuple[bool, bool, bool]
) -> None:
    asked = ChangeFilter(**{name: frozenset(values) for name, values in wanted.items()})
    missed, complete = RollEvent(WORKERS_MISSED, 1.0, 3, 2, 1), RollEvent(WORKERS_COMPLETE, 2.0, 3, 3, 0)
    assert (asked.passes(FAILED), asked.passes(missed), asked.passes(complete)) == passes


def test_an_id_names_the_life_and_the_number() -> None:
    assert ChangePage([], "0a1b", 7).id_of(8) == "0a1b-8"
