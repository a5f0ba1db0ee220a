"""Nobody needs more clicks for a day's work than it is worth."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chores.__main__ import did, place_of_work
from tests.chores.admin import ADMIN
from tests.chores.author import AUTHOR
from tests.chores.operator import OPERATOR

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_day_s_work_comes_about_and_takes_few_clicks(tmp_path: Path) -> None:
    async def work() -> None:
        async with place_of_work(tmp_path) as site:
            for chores in (OPERATOR, AUTHOR, ADMIN):
                for done in await asyncio.to_thread(list, did(site, chores)):
                    assert done.clicks <= done.most, done.name

    asyncio.run(work())
    assert len(OPERATOR) + len(AUTHOR) + len(ADMIN) == 20
