"""A job that waits is changed: its priority, its delay, its expiry, what it requires, its tags."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.acts.amending import amend, event_of
from dispatcher.core.jobs.ledger import DECIDED, RANK_STEP_S
from dispatcher.core.jobs.rows import WriteSet
from dispatcher.core.jobs.states import Event, JobState, next_state
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Amend, Objection
from dispatcher.core.jobs.validate import change_faults
from dispatcher.store.applier.admission import new_job
from tests.support.jobs import spec

CLOCK, NOW = 50.0, 1_000.0
ZEBRA = (("printer", ("zebra",)),)


def waiting(**fields: Any):
    return new_job(spec(**fields), 1, "j1", NOW, CLOCK)


def change(job, *, clock: float = CLOCK, **wanted: Any):
    writes = WriteSet()
    fault = amend(job, Amend(job=job.id, **wanted), NOW + 5.0, clock, writes)
    assert (writes.jobs, writes.amended) == (({}, {}) if fault else ({1: job}, {1: job}))
    return fault


@pytest.mark.parametrize(
    ("state", "wanted", "event"),
    [
        (JobState.QUEUED, {"priority": 1}, Event.AMEND),
        (JobState.SCHEDULED, {"expires_s": None}, Event.AMEND),
        (JobState.QUEUED, {"delay_s": 1.0}, Event.PUT_OFF),
        (JobState.SCHEDULED, {"delay_s": 1.0}, Event.PUT_OFF),
        (JobState.SCHEDULED, {"delay_s": 0.0}, Event.DUE),
        (JobState.QUEUED, {"delay_s": 0.0}, Event.AMEND),
        (JobState.RUNNING, {"delay_s": 0.0}, Event.AMEND),
    ],
)
def test_a_change_is_one_event_of_the_table(state: JobState, wanted: Any, event: Event) -> None:
    assert event_of(Amend(job="j1", **wanted), state) is event


@pytest.mark.parametrize("event", [Event.AMEND, Event.PUT_OFF])
def test_only_a_job_that_waits_can_be_changed(event: Event) -> None:
    assert [state for state in JobState if next_state(state, event)] == [JobState.SCHEDULED, JobState.QUEUED]


def test_a_new_priority_moves_a_job_and_keeps_the_time_that_it_has_waited() -> None:
    job = waiting(priority=2)
    assert change(job, priority=5, clock=CLOCK + 30.0) is None
    assert (job.state, job.terms.priority) == (JobState.QUEUED, 5)
    assert job.rank == CLOCK - 5 * RANK_STEP_S


def test_what_is_unset_stays_as_it_is() -> None:
    job = waiting(priority=2, delay_s=60.0, expires_s=90.0, requires=ZEBRA)
    assert change(job, priority=1) is None
    assert (job.run_at, job.expires_at, job.rank, job.terms.requires) == (NOW + 60.0, NOW + 90.0, None, ZEBRA)


def test_a_queued_job_that_is_put_off_is_scheduled_and_loses_its_place() -> None:
    job = waiting()
    assert change(job, delay_s=10.0) is None
    assert (job.state, job.run_at, job.rank) == (JobState.SCHEDULED, NOW + 15.0, None)


def test_a_scheduled_job_may_start_at_once_and_begins_to_wait_now() -> None:
    job = waiting(delay_s=60.0, priority=1)
    assert change(job, delay_s=0.0, clock=CLOCK + 7.0) is None
    assert (job.state, job.run_at, job.rank) == (JobState.QUEUED, None, CLOCK + 7.0 - RANK_STEP_S)


def test_a_backoff_ends_if_somebody_sets_a_delay_and_goes_on_if_not() -> None:
    job = waiting(delay_s=60.0)
    job.backoff_until = CLOCK + 60.0
    assert change(job, priority=1) is None
    assert (job.run_at, job.backoff_until) == (NOW + 60.0, CLOCK + 60.0)
    assert change(job, delay_s=5.0) is None
    assert (job.run_at, job.backoff_until) == (NOW + 10.0, None)


def test_an_expiry_counts_from_now_and_may_be_taken_away() -> None:
    job = waiting(expires_s=3.0)
    assert change(job, expires_s=20.0) is None
    assert job.expires_at == NOW + 25.0
    assert change(job, expires_s=None) is None
    assert job.expires_at is None


def test_other_tags_are_noted_with_those_that_the_job_had() -> None:
    job = waiting(tags=("old", "north"), summary="order 7")
    writes = WriteSet()
    for tags in (("old", "north"), ("new",), ("newest",)):
        assert amend(job, Amend(job=job.id, tags=tags), NOW, CLOCK, writes) is None
    assert (job.about.tags, job.about.summary) == (("newest",), "order 7")
    assert writes.retagged == {1: ("old", "north")}
    writes.remove(job)
    assert writes.retagged == {}


def test_tags_that_are_as_they_were_change_nothing() -> None:
    job, writes = waiting(tags=("a",)), WriteSet()
    amend(job, Amend(job=job.id, tags=("a",)), NOW, CLOCK, writes)
    assert writes.retagged == {}


def test_another_requirement_is_another_lane() -> None:
    job = waiting()
    assert change(job, requires=ZEBRA) is None
    assert (job.terms.requires, job.rank) == (ZEBRA, CLOCK)


@pytest.mark.parametrize(
    "wanted",
    [{"delay_s": 30.0}, {"delay_s": 20.0, "expires_s": 20.0}, {"delay_s": 15.0}],
    ids=["later", "both", "same"],
)
def test_a_job_that_would_never_start_stays_as_it_was(wanted: dict[str, float]) -> None:
    job = waiting(expires_s=20.0)
    assert change(job, **wanted) is Objection.NEVER_STARTS
    assert (job.state, job.run_at, job.expires_at, job.rank) == (JobState.QUEUED, None, NOW + 20.0, CLOCK)


def test_a_job_that_expires_before_its_backoff_is_over_can_still_have_another_priority() -> None:
    job = waiting(delay_s=60.0)
    job.expires_at = NOW + 20.0
    assert change(job, priority=1) is None
    assert change(job, expires_s=30.0) is Objection.NEVER_STARTS


@pytest.mark.parametrize(("wanted", "reason"), [({"delay_s": 9.0}, None), ({"priority": 1}, DECIDED)])
def test_a_job_that_is_put_off_after_a_decision_about_its_doubt_is_not_had_back_any_more(
    wanted: Any, reason: str | None
) -> None:
    job = waiting()
    job.reason = DECIDED
    assert change(job, **wanted) is None
    assert job.reason == reason


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("priority", {"terms": Terms(priority=9)}),
        ("requires", {"terms": Terms(requires=ZEBRA)}),
        ("expires_at", {"expires_at": 500.0}),
    ],
)
def test_only_a_person_may_change_the_priority_the_requirement_and_the_expiry(field: str, change: Any) -> None:
    before = waiting()
    after = replace(before, **change)
    assert change_faults(before, after, by_hand=True) == []
    assert change_faults(before, after, by_hand=False) == [f"I1: {field} of j1 is not as it was submitted"]
