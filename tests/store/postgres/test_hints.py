"""Hints between nodes: they come soon, seldom, and may be lost: a node that hears none still hears all in its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.turn import Cancel
from dispatcher.store.postgres.hints import HINTS_EVERY_S
from tests.store.postgres.several import Node, close, sql, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database
from tests.support.waiting import eventually

_LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN pagehand' AND datname = current_database()"


class _Heard:
    """What was hinted at."""

    def __init__(self) -> None:
        self.said: list[Hint] = []

    @property
    def hints(self) -> int:
        return len(self.said)

    def hint(self, hint: Hint) -> None:
        self.said.append(hint)

    def more_than(self, hints: int) -> Callable[[], bool]:
        return lambda: self.hints > hints


async def _listening(node: Node, url: str) -> _Heard:
    heard = _Heard()
    node.store.listen(heard.hint)
    await eventually(heard.more_than(0), what="it listens, and looks at once")
    return heard


def test_a_turn_that_tells_something_is_hinted_at_and_another_one_is_not() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        heard, own = await _listening(two, url), await _listening(one, url)
        before = heard.hints
        await one.turn()
        await one.turn(submissions=[spec()])
        await eventually(heard.more_than(before), what="the hint", timeout_s=5.0)
        assert (heard.hints, own.hints) == (before + 1, 1), "nobody hints at himself"
        assert heard.said[-1] == Hint(["echo"], [])
        await close(one, two)

    asyncio.run(run())


def test_a_hint_says_which_jobs_have_settled_but_no_more_than_it_can_carry() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        heard = await _listening(two, url)
        for jobs in (2, 1_000):
            before = heard.hints
            taken = await one.turn(submissions=[spec() for _ in range(jobs)])
            ids = [accepted.job.id for accepted in taken.accepted if accepted.job is not None]
            await eventually(heard.more_than(before), what="the hint of new jobs")
            await one.turn(commands=[Cancel(job, "") for job in ids])
            await eventually(heard.more_than(before + 1), what="the hint of their end")
            assert heard.said[-1].settled == (ids if jobs == 2 else [])
        await close(one, two)

    asyncio.run(run())


@pytest.mark.parametrize("payload", ["", "a", "{}", '["b", 1]'])
def test_what_is_not_understood_is_a_hint_that_there_is_something(payload: str) -> None:
    url = new_database()

    async def run() -> None:
        _, two = nodes = await two_nodes(url)
        heard = await _listening(two, url)
        sql(url, f"SELECT pg_notify('pagehand', '{payload}')")
        await eventually(heard.more_than(1), what="the hint")
        assert heard.said[-1] == Hint()
        await close(*nodes)

    asyncio.run(run())


def test_many_turns_at_once_are_hinted_at_some_times_in_a_second() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        heard = await _listening(two, url)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(100):
            await one.turn(submissions=[spec()])
        took_s = loop.time() - begun
        await eventually(heard.more_than(1), what="a hint")
        assert heard.hints <= 22 + took_s / HINTS_EVERY_S
        await close(one, two)

    asyncio.run(run())


def test_a_listener_whose_connection_is_killed_listens_again_and_nothing_is_missed_meanwhile() -> None:
    url = new_database()

    async def run() -> None:
        one, two = await two_nodes(url)
        await one.turn()
        heard = await _listening(two, url)
        before = heard.hints
        assert sql(url, f"SELECT pg_terminate_backend(pid) FROM ({_LISTENERS}) AS l") == [(True,)]
        await one.turn(submissions=[spec()])
        report = await two.turn()
        assert report.heard is not None
        assert [change.type for news in report.heard.news for change in news.changes] == ["echo"]
        await eventually(heard.more_than(before), what="it listens again, and looks")
        await close(one, two)

    asyncio.run(run())
