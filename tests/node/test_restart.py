"""The dispatcher after a restart obeys the times that a page sends, in the units of the wire (S18)."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import LiveAttempt
from dispatcher.store.memory import MemoryStore
from tests.support.house import House, memory_store
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)


class Kept(MemoryStore):
    """A store in memory that outlives its server."""

    async def live_attempts(self) -> list[LiveAttempt]:
        live = []
        for job in self.rows.by_seq.values():
            row = self.rows.all_attempts.get(job.attempt or "")
            if job.state is JobState.RUNNING and row is not None:
                live.append(
                    LiveAttempt(
                        attempt=row.id,
                        job=job.id,
                        type=job.type,
                        number=job.number,
                        started_at=row.started_at,
                        terms=job.terms,
                        errors=0,
                        crashes=0,
                        worker=row.worker or "",
                        boot=row.boot or "",
                    )
                )
        return live


async def test_after_a_restart_a_lease_is_what_the_page_has_left_of_its_timeout():
    store = memory_store(Kept)
    before = await House(store=store, restart_grace_s=1.0).start()
    who = await before.register("s1", boot="b1")
    job = await before.submit(timeout_s=60.0, max_attempts=1)
    [offer] = await before.hear("s1")
    await before.say("s1", op="accept", attempt=offer["attempt"])

    house = await House(store=store, restart_grace_s=1.0).start()
    holding = [{"attempt": offer["attempt"], "elapsed_ms": 40_000}]
    await house.register("s2", boot="b1", worker=who["worker"], secret=who["secret"], holding=holding)
    await house.pass_time(19.9)
    assert await house.state(job) == "running"
    await house.pass_time(0.2)
    assert await house.state(job) == "failed", "it has had its 60 s"


@pytest.mark.expect_log("the server did nothing for 5.5 s")
async def test_a_machine_that_is_suspended_as_soon_as_pages_may_come_takes_nothing_of_the_grace(caplog):
    store = memory_store(Kept)
    before = await House(store=store, restart_grace_s=3.0).start()
    who = await before.register("s1", boot="b1")
    job = await before.submit(max_attempts=1)
    [offer] = await before.hear("s1")
    await before.say("s1", op="accept", attempt=offer["attempt"])

    house = await House(store=store, restart_grace_s=3.0).start()
    house.dispatcher.let_in()
    house.clock.advance(6.5)  # before the loop runs again
    await eventually(lambda: "did nothing for" in caplog.text, what="the timer sees the standstill")
    holding = [{"attempt": offer["attempt"], "elapsed_ms": 100}]
    await house.register("s2", boot="b1", worker=who["worker"], secret=who["secret"], holding=holding)
    assert await house.state(job) == "running"
