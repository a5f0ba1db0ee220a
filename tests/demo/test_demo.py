"""The farm to look at has something to look at on every screen, and the screens can be photographed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.demo.__main__ import demo
from tests.demo.screens import a_locked_server, photograph, screens_of
from tests.support.screens import Sites

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_farm_has_a_day_of_history_and_works_and_its_screens_fit(tmp_path: Path) -> None:
    async def look() -> tuple[int, list[str], list[str]]:
        async with demo(tmp_path) as server, a_locked_server(tmp_path / "locked") as locked:
            screens = await screens_of(server)  # jobs in every state
            day = await server.get("/api/v1/stats?window=24h")
            overview = await server.get("/api/v1/overview")
            newest = (await server.get("/api/v1/jobs?limit=1"))["items"][0]["created_at"]
            assert newest <= overview["at"], "nothing of it lies ahead"
            some = {name: screens[name] for name in ("order-done", "record", "login", "no-page")}
            sites = Sites(server.url, locked.url)
            wrong = await asyncio.to_thread(photograph, sites, some, tmp_path / "screens")
            return day["ended"]["succeeded"], [concern["code"] for concern in overview["problems"]], wrong

    ended, concerns, wrong = asyncio.run(look())
    assert ended > 1_000
    assert {"never_offered", "type_paused", "in_doubt"} <= set(concerns)
    assert wrong == []
    assert len(list((tmp_path / "screens").glob("*.png"))) == 4 * 5
