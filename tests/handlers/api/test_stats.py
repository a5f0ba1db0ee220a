"""``/api/v1/stats?type=&window=``: how jobs have ended."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from dispatcher.core.jobs.views.endings import LONGEST_WINDOW_S, SHORTEST_WINDOW_S
from handlers.times import WINDOW_PATTERN
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House, run_one

pytestmark = pytest.mark.gen_test(timeout=30)


async def test_without_a_type_or_a_window_nothing_is_said_of_it(ask: Ask) -> None:
    assert set(body_of(await ask("/api/v1/stats"))) == {"jobs", "workers", "draining"}


async def one_end(house: House) -> None:
    await house.register("s1", "sum")
    await house.submit("sum")
    await run_one(house)


async def test_a_type_is_told_of_the_last_hour(ask: Ask, house: House) -> None:
    await one_end(house)
    ended = body_of(await ask("/api/v1/stats?type=sum"))["ended"]
    [point] = ended.pop("points")
    durations = {"n": 1, "p50_ms": 1, "p95_ms": 1}
    counts = {"succeeded": 1, "failed": 0, "cancelled": 0, "expired": 0, "wait": durations, "run": durations}
    rate = ended.pop("per_hour")
    assert 0.9 < rate <= 1.0
    assert ended == counts | {
        "type": "sum", "window_ms": 3_600_000, "step_ms": 60_000, "failed_percent": 0.0,
        "from": "2026-11-23T20:24:00.000Z", "until": ended["until"],
    }  # fmt: skip
    assert point == counts | {"at": "2026-11-23T21:24:00.000Z"}


async def test_a_window_alone_is_about_all_types(ask: Ask, house: House) -> None:
    await one_end(house)
    ended = body_of(await ask("/api/v1/stats?window=2d"))["ended"]
    assert (ended["type"], ended["step_ms"], ended["succeeded"]) == (None, 3_600_000, 1)
    assert body_of(await ask("/api/v1/stats?type=none&window=2d"))["ended"]["points"] == []


@pytest.mark.parametrize("window", ["0m", "59s", "31d", "1", "h", "1.5h", "-1h", "\u0661h"])
async def test_other_windows_are_refused(ask: Ask, window: str) -> None:
    refused = await ask(f"/api/v1/stats?{urlencode({'window': window})}")
    words = "window must be a length of time from 1m to 30d, as in 15m, 1h or 7d."
    assert (refused.code, body_of(refused)["code"], body_of(refused)["detail"]) == (400, "bad_parameter", words)


@pytest.mark.parametrize(("unit", "unit_s"), [("m", 60), ("h", 3_600), ("d", 86_400)])
def test_the_pattern_of_a_window_is_exact_because_the_description_has_it(unit: str, unit_s: int) -> None:
    fit = {number for number in range(50_000) if re.fullmatch(WINDOW_PATTERN, f"{number}{unit}")}
    assert fit == {number for number in range(50_000) if SHORTEST_WINDOW_S <= number * unit_s <= LONGEST_WINDOW_S}


@pytest.mark.parametrize("window", ["1m", "90m", "24h", "30d"])
async def test_windows_go_from_a_minute_to_thirty_days(ask: Ask, window: str) -> None:
    assert (await ask(f"/api/v1/stats?window={window}")).code == 200


async def test_the_page_of_a_type_tells_it_too(browser: Browser, house: House) -> None:
    await one_end(house)
    page = (await browser.page("/types/sum")).replace("\u00a0", " ")
    assert "How its jobs have ended" in page
    assert '<td data-label="Failed">0.0 %</td>' in page
    assert "few (n = 1)" in page
    for _ in range(19):
        await house.submit("sum")
        await run_one(house)
    page = (await browser.page("/types/sum")).replace("\u00a0", " ")
    assert "few" not in page.split("<tbody>")[-1].split("</tbody>")[0]
    assert '<td data-label="Run, 95 %">1 ms</td>' in page
