"""Faults of the clocks (G1 to G4), on real servers whose clocks are set while they run.

Time zones and daylight saving are no fault here: nothing reads local time (G7 starts a server in odd ones). By design
the wait after an error is an instant of the wall clock, like every ``run_at``: a step moves it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from dispatcher.clock import SystemClock
from dispatcher.node.timer import Timer
from tests.faults.clocks import Clocks, KeptPage, served
from tests.support.house import House
from tests.support.http import JSON
from tests.support.server import Live
from tests.support.waiting import PATIENCE_S, until

#: Frequent pings soon show that a session goes on; a short grace would soon show one that was given up.
QUICK = ("--ping-interval-s", "0.25", "--ping-timeout-s", "30", "--reconnect-grace-s", "2")
#: And so rarely that no ping makes the server look at its clocks.
CALM = ("--ping-interval-s", "10", "--ping-timeout-s", "30")
#: What a loaded machine may add to a second.
LOAD_S = 1.0
STEPS = {"+1 h": "+1h", "-1 h": "-1h", "+10 years": "+10y", "1970": "@1970-01-02 00:00:00"}


Pages = Callable[[Live, int], list[KeptPage]]


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Makes pages; at the end their connections are closed."""
    made: list[KeptPage] = []

    def make(server: Live, count: int) -> list[KeptPage]:
        made.extend(KeptPage(server) for _ in range(count))
        return made[-count:]

    yield make
    for page in made:
        page.close()


def submit(server: Live, job_type: str, **fields: object) -> str:
    reply = server.ask("POST", "/api/v1/jobs", json.dumps({"type": job_type, **fields}), JSON)
    assert reply.status == 201, reply
    return str(reply.json()["id"])


def shown(server: Live, job: str) -> dict:
    return dict(server.ask("GET", f"/api/v1/jobs/{job}").json())


def run(server: Live, page: KeptPage, job_type: str, **fields: object) -> tuple[str, str]:
    """A job that the page has accepted: its id, its attempt."""
    job = submit(server, job_type, **fields)
    attempt = page.hear("job")["attempt"]
    page.say("accept", attempt=attempt)
    until(lambda: shown(server, job)["started_at"], PATIENCE_S, "the accept")
    return job, attempt


def finish(page: KeptPage, attempt: str) -> None:
    page.say("result", attempt=attempt, value="done")
    assert page.hear("recorded")["verdict"] == "recorded"


def workers(server: Live) -> list[str]:
    """The workers that are not gone."""
    return sorted(worker["id"] for worker in server.ask("GET", "/api/v1/workers").json()["items"])


# G1


@pytest.mark.parametrize("words", STEPS.values(), ids=STEPS)
def test_fault_G01_a_step_of_the_wall_clock_changes_no_lease_and_ends_no_session(
    tmp_path: Path, pages: Pages, words: str
) -> None:
    clocks = Clocks(tmp_path)
    with served(tmp_path, clocks, *QUICK) as server:
        page, other = pages(server, 2)
        known = sorted([page.register("long")["worker"], other.register("timed")["worker"]])
        job, attempt = run(server, page, "long", timeout_s=600)
        began = time.monotonic()
        run(server, other, "timed", timeout_s=2, max_attempts=1)
        clocks.step(server, words)
        page.answer_pings(2)
        # A timeout follows the monotonic clock: it never comes early, nor an hour or ten years late.
        assert other.hear("cancel")["reason"] == "timed_out"
        assert time.monotonic() - began >= 2.0
        clocks.step(server, "+0")
        page.answer_pings(1)
        assert workers(server) == known
        now = shown(server, job)
        assert (now["state"], now["number"], [each["state"] for each in now["attempts"]]) == ("running", 1, ["running"])
        finish(page, attempt)
        now = shown(server, job)
        assert (now["state"], [each["state"] for each in now["attempts"]]) == ("succeeded", ["succeeded"])
        assert b"the server did nothing for" not in server.log_so_far()


# G2


def seconds_late(server: Live, job: str, delay_s: float) -> float:
    """How long after its time the job was offered, by the server's wall clock."""
    now = until(lambda: (seen := shown(server, job))["offered_at"] and seen, PATIENCE_S, "the offer")
    made, offered = (datetime.fromisoformat(now[name]) for name in ("created_at", "offered_at"))
    return (offered - made).total_seconds() - delay_s


@pytest.mark.parametrize("rate", [0.5, 3.0])
def test_fault_G02_by_a_wall_clock_that_runs_slow_or_fast_a_job_starts_within_a_second_of_its_time(
    tmp_path: Path, pages: Pages, rate: float
) -> None:
    """Far more than NTP slews a clock (0.05 %)."""
    clocks = Clocks(tmp_path, first=f"+0 x{rate}")
    with served(tmp_path, clocks, *CALM) as server:
        (page,) = pages(server, 1)
        page.register("x")
        delay_s = 4 * min(1.0, rate)
        job = submit(server, "x", delay_s=delay_s)
        page.hear("job")
        # A second of the machine is `rate` seconds of this clock.
        assert 0 <= seconds_late(server, job, delay_s) <= (1.0 + LOAD_S) * rate


def test_fault_G02_a_step_over_the_time_of_a_job_is_noticed_within_a_second(tmp_path: Path, pages: Pages) -> None:
    clocks = Clocks(tmp_path)
    with served(tmp_path, clocks, *CALM) as server:
        (page,) = pages(server, 1)
        page.register("x")
        submitted = time.monotonic()
        job = submit(server, "x", delay_s=3_600)
        assert shown(server, job)["state"] == "scheduled"
        clocks.set("+1h")
        stepped = time.monotonic()
        page.hear("job")
        # It was due an hour after its submission, and the step was an hour: only the time between makes it late.
        assert 0 <= seconds_late(server, job, 3_600) <= 1.0 + LOAD_S + stepped - submitted


def test_fault_G02_a_leap_second_that_is_repeated_starts_nothing_early(tmp_path: Path, pages: Pages) -> None:
    clocks = Clocks(tmp_path)
    with served(tmp_path, clocks, *CALM) as server:
        (page,) = pages(server, 1)
        page.register("x")
        job = submit(server, "x", delay_s=1.5)
        clocks.set("-1s")
        page.hear("job")
        assert 0 <= seconds_late(server, job, 1.5) <= 1.0 + LOAD_S


# G3


def test_fault_G03_a_deadline_of_2_to_the_31_seconds_overflows_nothing_and_does_not_fire() -> None:
    async def scenario() -> None:
        clock, fired = SystemClock(), asyncio.Event()
        instants: list[float] = []

        def fire(now: float, late_s: float) -> None:
            instants.append(now)
            fired.set()

        timer = Timer(clock, fire)
        for exponent in (62, 53, 32, 31):
            timer.arm(clock.monotonic() + 2.0**exponent)
        soon = clock.monotonic() + 0.05
        timer.arm(soon)
        async with asyncio.timeout(PATIENCE_S):
            await fired.wait()
        timer.arm(clock.monotonic() + 2.0**31)
        timer.stop()
        assert len(instants) == 1
        assert instants[0] >= soon

    asyncio.run(scenario())


def test_fault_G03_a_job_that_is_due_in_70_years_holds_nothing_up(tmp_path: Path, pages: Pages) -> None:
    """It was put off by a year in 2040, and then the clock went back to 1970: 2^31 s are 68 years."""
    clocks = Clocks(tmp_path, first="@2040-01-01 00:00:00")
    with served(tmp_path, clocks, *QUICK) as server:
        (page,) = pages(server, 1)
        page.register("later", "now")
        later = submit(server, "later", delay_s=31_536_000)
        clocks.step(server, "@1970-01-02 00:00:00")
        assert datetime.fromisoformat(shown(server, later)["run_at"]).timestamp() > 2**31
        for _ in range(3):
            job = submit(server, "now")
            finish(page, page.hear("job")["attempt"])
            assert shown(server, job)["state"] == "succeeded"
        assert shown(server, later)["state"] == "scheduled"


# G4


def test_fault_G04_a_sleep_in_which_the_monotonic_clock_stands_still_ends_nothing() -> None:
    """CLOCK_MONOTONIC halts while the machine is suspended: only the wall clock shows it."""

    async def scenario() -> None:
        house = await House(retention_s=864_000).start()
        await house.register("s1", "long", "due")
        job = await house.submit("long", timeout_s=60)
        (offer,) = [message for message in await house.hear("s1") if message["op"] == "job"]
        await house.say("s1", op="accept", attempt=offer["attempt"])
        due = await house.submit("due", delay_s=1_800)
        house.clock.step_wall(3_600)
        await house.pass_time(1)
        assert await house.state(job) == "running"
        # What fell due by the wall clock meanwhile is not forgotten: it waits for the worker's one slot.
        assert await house.state(due) == "queued"
        told = await house.say("s1", op="result", attempt=offer["attempt"], value=1)
        assert [message["verdict"] for message in told if message["op"] == "recorded"] == ["recorded"]
        assert [message["id"] for message in told if message["op"] == "job"] == [due.id]
        assert house.ended == []

    asyncio.run(scenario())


def test_fault_G04_after_a_sleep_that_the_monotonic_clock_saw_pages_and_leases_are_as_before(
    tmp_path: Path, pages: Pages
) -> None:
    """Both clocks of a real server jump by an hour, as after a SIGSTOP or on a machine whose clock counts sleep."""
    clocks = Clocks(tmp_path, monotonic=True)
    with served(tmp_path, clocks, *QUICK) as server:
        page, silent = pages(server, 2)
        known = sorted([page.register("long")["worker"], silent.register("silent")["worker"]])
        job, attempt = run(server, page, "long", timeout_s=7_200)
        offered = submit(server, "silent")
        silent.hear("job")
        clocks.step(server, "+1h")
        until(lambda: b"the server did nothing for" in server.log(), PATIENCE_S, "the word on it in the log")
        for each in (page, silent):
            each.answer_pings(1)
        assert workers(server) == known
        now = shown(server, job)
        assert (now["state"], [each["state"] for each in now["attempts"]]) == ("running", ["running"])
        # The offer that its page had read but not accepted has not lapsed, either.
        assert [each["state"] for each in shown(server, offered)["attempts"]] == ["offered"]
        finish(page, attempt)
        assert shown(server, job)["state"] == "succeeded"
