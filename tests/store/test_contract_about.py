"""The contract of a store: what a job carries for people and programs is kept as it came, and goes with each offer."""

from __future__ import annotations

from dispatcher.core.jobs.about import NOTHING_SAID, About
from tests.store.contract import Desk, result
from tests.support.jobs import spec

ABOUT = About(
    tags=("b", "Ärger & Co"),
    summary="order 4711",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    owner="office",
)
FIELDS = {name: getattr(ABOUT, name) for name in ABOUT.__struct_fields__}


def test_a_job_carries_what_was_said_of_it_to_its_end(desk: Desk) -> None:
    told, plain = desk.submit(spec(**FIELDS), spec())
    assert (told.about, plain.about) == (ABOUT, NOTHING_SAID)
    claims = desk.claim(2)
    assert [claim.about for claim in claims] == [ABOUT, NOTHING_SAID]
    desk.turn(reports=[result(claim.attempt) for claim in claims])
    assert [desk.job(job.id).about for job in (told, plain)] == [ABOUT, NOTHING_SAID]
    assert [job.about for job in desk.listed()] == [NOTHING_SAID, ABOUT]


def test_it_outlives_the_server(durable: Desk) -> None:
    told, plain = durable.submit(spec(**FIELDS), spec())
    durable.reopen()
    assert [durable.job(job.id).about for job in (told, plain)] == [ABOUT, NOTHING_SAID]
    assert [claim.about for claim in durable.claim(2)] == [ABOUT, NOTHING_SAID]


def test_a_submission_that_is_replayed_changes_nothing_of_it(desk: Desk) -> None:
    [first] = desk.submit(spec(key="k", fingerprint="f", **FIELDS))
    [again] = desk.turn(submissions=[spec(key="k", fingerprint="f", summary="another")]).accepted
    assert again.replayed
    assert desk.taken(again).about == first.about == ABOUT
