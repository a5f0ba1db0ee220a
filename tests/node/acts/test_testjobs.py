"""Test jobs: for one worker alone, or refused."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.errors import WorkerNotFound, WrongState
from tests.support.house import House
from tests.support.jobs import spec

pytestmark = pytest.mark.gen_test(timeout=30)

ANN = Actor("ann", "", "10.0.0.1")
EXAMPLES = (spec("sum", data="1"), spec("echo", data="2"), spec("fax", data="3"))


async def test_the_first_example_that_the_worker_offers_goes_to_it_alone() -> None:
    house = await House().start()
    await house.register("other", "echo", name="other")
    worker = (await house.register("s", "fax", "echo", name="desk"))["worker"]
    accepted = await house.dispatcher.tests.one(worker, EXAMPLES, "a new printer", actor=ANN)
    assert accepted.job is not None
    job = await house.dispatcher.job(accepted.job.id)
    assert (job.type, job.data, job.terms.requires) == ("echo", "2", (("name", ("desk",)),))
    assert job.about.summary == "Test job: a new printer"
    assert [told["id"] for told in await house.hear("s") if told["op"] == "job"] == [job.id]
    [act] = (await house.dispatcher.access.acts(AuditFilter())).items
    assert (act.actor, act.action, act.target, act.detail) == (ANN, "worker.test", worker, "a new printer")


async def test_who_is_not_here_or_offers_nothing_of_it_gets_none_and_nothing_is_noted() -> None:
    house = await House().start()
    house.enlist("other", "other", name="A")
    await house.register("gone", "echo", name="C")
    await house.say("gone", op="bye")
    await house.pass_time(house.settings.store_check_s)
    for worker, why in (("w-other", "no such task"), ("name:C", "is not here")):
        with pytest.raises(WrongState, match=why):
            await house.dispatcher.tests.one(worker, EXAMPLES, "", actor=ANN)
    with pytest.raises(WorkerNotFound):
        await house.dispatcher.tests.one("nobody", EXAMPLES, "", actor=ANN)
    assert (await house.dispatcher.access.acts(AuditFilter())).items == []
