"""Why a job waits: counts for programs, words for the person who asks."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from dispatcher.core.fleet.misses import Miss
from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.matching import lane_of, requirement_of
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.unloaded import Unloaded
from dispatcher.node.views import waiting
from dispatcher.node.views.waiting import Waiting
from tests.support.house import House
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=60)

IDLE, BUSY, PAUSED, AWAY, ASIDE = Standing.IDLE, Standing.BUSY, Standing.PAUSED, Standing.AWAY, Standing.ASIDE


class Workers:
    """A fleet that knows only counts."""

    def __init__(
        self,
        offer: int,
        miss: Miss | None = None,
        *,
        draining: bool = False,
        hold: Hold | None = None,
        type_hold: Hold | None = None,
        stuck: int = 0,
        **standing: Any,
    ) -> None:
        self.draining, self._type_hold, self._stuck = draining, type_hold, stuck
        self._offer, self._miss, self._hold = offer, miss, hold
        self._standing = Counter({Standing(name): count for name, count in standing.items()})

    def offering(self, type_name: str) -> int:
        assert type_name == "print"
        return self._offer

    def standing(self, lane: str) -> Counter[Standing]:
        return self._standing

    def stuck_at(self, lane: str) -> int:
        return self._stuck

    def unloaded(self, type_name: str) -> Unloaded | None:
        return None

    def type_hold(self, type_name: str) -> Hold | None:
        return self._type_hold

    def held(self, lane: str) -> Hold | None:
        return self._hold

    def nearest(self, lane: str) -> Miss:
        assert self._miss is not None
        return self._miss


async def queued(house: House, **fields: Any) -> JobView:
    job = await house.submit("print", **fields)
    return await house.dispatcher.job(job.id)


async def told(workers: Workers, **wanted: Any) -> tuple[str, str]:
    """The code and the words, for a job that requires this."""
    house = await House().start()
    job, lane = await queued(house), lane_of("print", requirement_of(wanted))
    found = waiting.waiting(job, lane, workers)
    assert found is not None
    return found.code, waiting.words(found, job, lane)


@pytest.mark.parametrize(
    ("standing", "code", "words"),
    [
        ({"idle": 1, "busy": 13}, "next", "it is about to be offered"),
        ({"away": 9, "paused": 4, "busy": 1}, "busy", "9 are away, 4 are paused, 1 is busy"),
        ({"away": 9, "paused": 5}, "paused", "9 are away, 5 are paused"),
        ({"aside": 1, "away": 13}, "set_aside", "13 are away, 1 is skipped"),
        ({"away": 14}, "away", "14 are away"),
    ],
)
async def test_where_those_are_that_match_is_counted(standing: dict[str, Any], code: str, words: str):
    prefix = "" if code == "next" else "0 of 14 workers that match are free: "
    assert await told(Workers(20, **standing), site="berlin") == (code, prefix + words)


@pytest.mark.parametrize(
    ("standing", "words"),
    [("away", "is away"), ("busy", "is busy"), ("aside", "is skipped"), ("paused", "is paused")],
)
async def test_of_one_that_matches_it_is_said_where_it_is(standing: str, words: str):
    one: dict[str, Any] = {standing: 1}
    assert (await told(Workers(3, **one), name="DESK"))[1] == f"the only worker that matches {words}"


ZEBRA = requirement_of({"printer": "zebra"})
BOTH = requirement_of({"printer": ["zebra", "epson"], "site": "berlin"})


@pytest.mark.parametrize(
    ("offer", "miss", "words"),
    [
        (3, Miss(ZEBRA), "3 workers offer print, but none has printer:zebra"),
        (1, Miss(ZEBRA), "1 worker offers print, but does not have printer:zebra"),
        (1_234, Miss(BOTH), "1,234 workers offer print, but none has printer:epson or zebra, site:berlin"),
        (
            3,
            Miss(BOTH, together=True),
            "3 workers offer print, but none has printer:epson or zebra, site:berlin together",
        ),
        (0, Miss(ZEBRA), "no connected worker offers the type print"),
        (3, Miss((("name", ("A", "B")),), 0), "no connected worker is called A or B"),
        (0, Miss((("name", ("A", "B")),), 0), "no connected worker is called A or B"),
        (3, Miss((), 1, offered=False), "1 worker is called A or B, but does not offer print"),
        (0, Miss((), 2, offered=False), "2 workers are called A or B, but none offers print"),
        (3, Miss(ZEBRA, 1), "1 worker is called A or B, but does not have printer:zebra"),
        (3, Miss(ZEBRA, 2), "2 workers are called A or B, but none has printer:zebra"),
    ],
)
async def test_where_nobody_matches_the_nearest_miss_is_named(offer: int, miss: Miss, words: str):
    code = "no_match" if offer else "no_worker"
    assert await told(Workers(offer, miss), name=["A", "B"], printer="zebra") == (code, words)


async def test_what_is_missing_is_said_in_short():
    many = {f"l{label}": [f"{label}-{value}" for value in range(20)] for label in range(20)}
    _, words = await told(Workers(3, Miss(requirement_of(many))), **many)
    assert (len(words), words[:53], words[-1]) == (300, "3 workers offer print, but none has l0:0-0 or 0-1 or ", "…")


async def test_a_job_that_requires_nothing_is_told_of_as_before():
    assert await told(Workers(0)) == ("no_worker", "no connected worker offers the type print")
    assert await told(Workers(2, away=2)) == (
        "away", "2 workers offer the type print, but none can be reached just now",
    )  # fmt: skip
    assert await told(Workers(2, paused=1, away=1)) == (
        "paused", "1 worker offers the type print, but it is paused",
    )  # fmt: skip
    assert await told(Workers(1, away=1)) == (
        "away", "1 worker offers the type print, but it cannot be reached just now",
    )  # fmt: skip
    assert await told(Workers(2, paused=2)) == (
        "paused", "2 workers offer the type print, but all are paused",
    )  # fmt: skip
    assert await told(Workers(1, busy=1)) == (
        "busy", "1 worker offers the type print, and it is busy",
    )  # fmt: skip
    assert await told(Workers(2, aside=2)) == (
        "set_aside",
        "2 workers offer the type print, but they ignored their last jobs and are skipped for a while",
    )
    assert await told(Workers(3, paused=1, busy=2)) == (
        "busy", "2 workers offer the type print, and all are busy",
    )  # fmt: skip
    assert await told(Workers(1, aside=1)) == (
        "set_aside",
        "1 worker offers the type print, but it ignored its last jobs and is skipped for a while",
    )


async def test_of_busy_workers_it_is_said_which_have_tasks_that_do_not_stop():
    one, many = "the only worker that matches is busy", "0 of 3 workers that match are free: 1 is away, 2 are busy"
    assert await told(Workers(3, busy=1, stuck=1), site="berlin") == ("busy", f"{one} with a task that does not stop")
    assert (await told(Workers(3, away=1, busy=2, stuck=1), site="berlin"))[1] == (
        f"{many}, 1 of them with a task that does not stop"
    )
    assert (await told(Workers(1, busy=1, stuck=1)))[1] == (
        "1 worker offers the type print, and it is busy with a task that does not stop"
    )
    assert (await told(Workers(2, busy=2, stuck=2)))[1] == (
        "2 workers offer the type print, and all are busy, 2 of them with tasks that do not stop"
    )


async def test_a_program_gets_all_the_counts():
    house = await House().start()
    job = await queued(house)
    found = waiting.waiting(job, lane_of("print", ZEBRA), Workers(20, busy=2, stuck=1, paused=2, away=3, aside=4))
    assert found == Waiting(
        code="busy", offer=20, match=11, connected=8, busy=2, stuck=1, paused=2, away=3, aside=4,
        nearest=(
            "0 of 11 workers that match are free: 3 are away, 2 are paused, 4 are skipped, 2 are busy, "
            "1 of them with a task that does not stop"
        ),
    )  # fmt: skip


async def test_what_waits_for_no_worker_has_no_counts():
    house = await House().start()
    lane = lane_of("print", ZEBRA)
    delayed = await queued(house, delay_s=60.0)
    assert waiting.waiting(delayed, lane, Workers(3)) == Waiting(code="delayed")
    ready = await queued(house)
    assert waiting.waiting(ready, lane, Workers(3, draining=True)) == Waiting(code="stopping")
    await house.dispatcher.cancel(ready.id, "")
    ended = await house.dispatcher.job(ready.id)
    assert (ended.state, waiting.waiting(ended, lane, Workers(3))) == (JobState.CANCELLED, None)


async def test_the_machine_is_asked_for_names_and_labels():
    house = await House().start()
    await house.register("s1", "print", name="DESK-1", labels={"site": "berlin", "printer": "brother"})
    await house.register("s2", "print", "scan", name="DESK-2", labels={"site": "berlin"})
    await house.say("s2", op="pause")
    await queued(house)  # DESK-1 has it
    job = await queued(house)

    def said(type_name: str = "print", **wanted: str) -> str:
        lane = lane_of(type_name, requirement_of(wanted))
        found = waiting.waiting(job, lane, house.dispatcher.machine)
        assert found is not None
        return waiting.words(found, job, lane)

    assert said(site="berlin", printer="zebra") == "2 workers offer print, but none has printer:zebra"
    assert said(name="FRONT-DESK-07") == "no connected worker is called FRONT-DESK-07"
    assert said("scan", name="DESK-1") == "1 worker is called DESK-1, but does not offer scan"
    assert said("scan", site="berlin") == said(name="DESK-2") == "the only worker that matches is paused"
    assert said(site="berlin") == "0 of 2 workers that match are free: 1 is paused, 1 is busy"


async def test_why_a_job_waits_for_a_label_costs_the_same_beside_100_and_3_000_pages():
    costs = []
    for pages in (100, 3_000):
        house = await House().start()
        for number in range(pages):
            await house.register(f"a{number}", "print", labels={"asset": f"{number}", "site": "berlin"})
        job, machine = await queued(house), house.dispatcher.machine
        wanted: list[dict[str, Any]] = [
            {"asset": "none"}, {"asset": "7"}, {"name": "none"}, {"asset": "7", "site": ["berlin", "bonn"]},
        ]  # fmt: skip
        lanes = [lane_of("print", requirement_of(one)) for one in wanted]
        costs.append([operations(partial(waiting.waiting, job, lane, machine)) for lane in lanes])
    assert costs[0] == costs[1]


async def test_a_job_whose_only_worker_an_operator_has_paused_is_told_by_whom_and_why():
    house = await House().start()
    hold = Hold(1.0, "ann", "lunch")
    plain = waiting.why(await queued(house), Workers(1, paused=1, hold=hold))
    assert plain is not None
    assert plain.words == "1 worker offers the type print, but it is paused by ann: lunch"
    picky = waiting.why(await queued(house, requires=ZEBRA), Workers(1, paused=1, hold=hold))
    assert picky is not None
    assert picky.words == "the only worker that matches is paused by ann: lunch"


async def test_the_rate_of_its_type_is_asked_for_only_where_it_tells_when_a_job_starts():
    house = await House().start()
    await house.register("s1", "print", name="DESK-1")
    plain, wants = await house.submit("print"), await house.submit("print", requires=requirement_of({"name": "DESK-1"}))
    behind = await house.submit("print")
    assert await samples(house, plain) == "no outlook", "it is offered"
    assert (await samples(house, behind), await samples(house, wants)) == (0, None)
    await house.say("s1", op="bye")
    assert await samples(house, behind) is None


async def samples(house: House, job: JobView) -> object:
    why = await house.dispatcher.why_exactly(await house.dispatcher.job(job.id))
    return "no outlook" if why is None or why.waiting.outlook is None else why.waiting.outlook.samples
