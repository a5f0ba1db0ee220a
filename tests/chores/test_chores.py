"""Nobody needs more clicks for a day's work than it is worth; and neither a mouse nor scripts are needed for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chores.__main__ import did, place_of_work
from tests.chores.admin import ADMIN
from tests.chores.author import AUTHOR
from tests.chores.hands import AtTheKeyboard, WithoutScript
from tests.chores.operator import OPERATOR
from tests.chores.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


#: What an ordinary run does with other hands, too; ``make chores`` does all of it.
OTHER_HANDS: list[tuple[type[Person], tuple[str, ...]]] = [
    (AtTheKeyboard, ("Find order 4711", "Cancel 500 wrong jobs")),
    (WithoutScript, ("Why does this job wait?", "Cancel 500 wrong jobs")),
]


def test_a_day_s_work_comes_about_and_takes_few_clicks(tmp_path: Path) -> None:
    async def work() -> None:
        async with place_of_work(tmp_path) as site:
            for chores in (OPERATOR, AUTHOR, ADMIN):
                for done in await asyncio.to_thread(list, did(site, chores)):
                    assert done.clicks <= done.most, done.name
            for kind, names in OTHER_HANDS:
                some = {name: OPERATOR[name] for name in names}
                assert [one.name for one in await asyncio.to_thread(list, did(site, some, kind))] == list(names)

    asyncio.run(work())
    assert len(OPERATOR) + len(AUTHOR) + len(ADMIN) == 20
