"""The board in real browsers: on a wall nobody scrolls, so all of it is in sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from handlers.routes import TaskDirectory
from tests.handlers.test_browsers import Site
from tests.page.browsers import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.browser
ENDS = (JobState.SUCCEEDED, JobState.FAILED, JobState.IN_DOUBT)
#: The lowest line of the page, and the lines of the table with their words.
LOWEST = "document.getElementById('clock').getBoundingClientRect().bottom"
LINES = "document.querySelectorAll('tbody tr').length"
#: Whether a line says less than it has to say: cells with their end cut off, and lines of two rows.
CUT = """[].filter.call(document.querySelectorAll('td:last-child'), function (cell) {
  return cell.scrollWidth > cell.clientWidth || cell.offsetHeight > window.innerHeight / 18;
}).map(function (cell) { return cell.textContent; })"""


async def much_of_each(house: House) -> None:
    for number in range(20):
        tried = await take(house, await submit(house, f"r{number}", type=f"fax-{number}"), f"FRONT-DESK-{number:02}")
        await tried.say("accept")
        await a_job(house, ENDS[number % 3], f"e{number}", summary=f"order {number} " + "and so on " * 20)
        await submit(house, f"w{number}", summary=f"invoice {number}", type="ocr")
    for number in range(100):
        await submit(house, f"s{number}", summary=f"report {number}", type="ocr", delay_s=40.0)


@pytest.fixture
def site(tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(much_of_each, Settings(env_label="PROD"), tasks)
    yield site
    site.stop()


def test_all_of_it_is_in_sight_on_a_wall_and_a_phone_scrolls_down_and_not_to_the_side(
    window: Browser, site: Site
) -> None:
    for width, height in ((1920, 1080), (1280, 800), (960, 640), (1080, 1920)):
        window.resize(width, height)
        window.open(site.url + "/board")
        assert window.run(LINES) == 14 + 4
        assert window.run(LOWEST) <= height, (width, height)
        assert window.run(CUT) == [], (width, height)
    window.resize(360, 640)
    window.open(site.url + "/board")
    assert window.run("document.documentElement.scrollWidth") <= 360
    window.resize(1024, 700)
