"""Hints between nodes: they come soon, seldom, and may be lost: a node that hears none still hears all in its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dispatcher.store.postgres.hints import HINTS_EVERY_S
from tests.store.postgres.several import Node, close, sql, two_nodes
from tests.support.jobs import spec
from tests.support.postgres import new_database
from tests.support.waiting import eventually

_LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN pagehand' AND datname = current_database()"


class _Heard:
    """Counts hints."""

    def __init__(self) -> None:
        self.hints = 0

    def hint(self) -> None:
        self.hints += 1

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
        await close(one, two)

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
