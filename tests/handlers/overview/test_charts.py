"""How jobs have ended over time: charts, their words, and the same as numbers."""

from __future__ import annotations

import re

import pytest

from dispatcher.core.jobs.views.endings import Endings, Summary, steps_of, summary_of
from dispatcher.core.jobs.views.histograms import count
from handlers.overview.charts import DAY_S, history_of
from tests.handlers.conftest import Browser
from tests.support.house import House, run_one
from tests.support.jobs import NOW

HOURS, DAYS = steps_of(DAY_S, NOW), steps_of(30 * DAY_S, NOW)


def slow(jobs: int, failed: int, run_s: float) -> Endings:
    ended = Endings(jobs - failed, failed)
    for _ in range(jobs):
        count(ended.run, run_s)
    return ended


def test_a_day_is_told_hour_by_hour() -> None:
    points = [(HOURS.first, slow(10, 0, 1.0)), (HOURS.last - 3_600, slow(40, 4, 20.0))]
    told = history_of(summary_of("", HOURS, points), 3_600)
    assert (told.title, told.unit, len(told.periods)) == ("The last 24 hours", "hour", 25)
    assert [(one.name, one.ended.jobs) for one in told.periods if one.ended.jobs] == [("21:00", 10), ("20:00", 40)]
    ended, wait, run = told.charts
    assert (ended.most, wait.most) == ("40", "–")
    assert ended.bars.label == "0 to 40 jobs ended in each hour, most of them at 20:00 UTC; 4 failed"
    assert wait.bars.label == "Wait, 95 % of them: no job of which it is known"
    assert run.bars.label.replace("\u00a0", " ") == "Run, 95 % of them: 981 ms to 20.3 s"
    assert ended.bars.good.count("M") == 2
    assert ended.bars.bad.count("M") == 1


def test_thirty_days_are_told_day_by_day() -> None:
    points = [(DAYS.last, Endings(1)), (DAYS.last - 3_600, Endings(2)), (DAYS.first, Endings(5))]
    told = history_of(summary_of("", DAYS, points), DAY_S)
    assert (told.title, told.unit, len(told.periods)) == ("The last 30 days", "day", 31)
    assert [(one.name, one.ended.jobs) for one in told.periods if one.ended.jobs] == [
        ("2026-10-24", 5), ("2026-11-23", 3),
    ]  # fmt: skip


def test_a_time_without_jobs_says_so() -> None:
    empty: Summary = summary_of("", HOURS, [])
    assert history_of(empty, 3_600).charts[0].bars.label == "no job ended"


@pytest.mark.gen_test
async def test_the_page_has_charts_in_words_and_rows_for_one_type_or_all(browser: Browser, house: House) -> None:
    assert (await browser.page("/history")).count("No job ended in this time.") == 2
    await house.register("s1", "sum")
    await house.submit("sum")
    await run_one(house)
    for address in ("/history", "/history?type=sum"):
        page = await browser.page(address)
        assert len(re.findall(r'<svg class="bars" role="img"', page)) == 6
        assert "0 to 1 job ended in each hour, most of them at 21:00 UTC; 0 failed" in page
        assert page.count('<td data-label="Ended">1</td>') == 2
    page = await browser.page("/history?type=other")
    assert page.count("No job of this type ended in this time.") == 2
    assert 'value="other"' in page


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["window=1h", "typ=sum"])
async def test_what_the_page_does_not_know_is_refused(browser: Browser, query: str) -> None:
    assert (await browser.get(f"/history?{query}")).code == 400
