"""No page is wider than its window, whatever people and programs call things: names without a blank or a hyphen."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from handlers.routes import TaskDirectory
from tests.handlers.test_browsers import Site, fill, send
from tests.page.browsers import Chromium
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.browser

TYPE, NAME, WHY = "x" * 96, "Wn" * 31, "r" * 400
LABELS = {f"l{n:02d}{'y' * 47}": "z" * 200 for n in range(3)}
SOMEBODY = Actor(f"{'A' * 64} (token {'o' * 60})")
PAGES = [
    "/", "/?at=-1h", "/jobs", "/jobs?tick=1", f"/jobs?worker={NAME}", "/workers", "/workers?tick=1", "/types",
    f"/types/{TYPE}", "/types/*", "/doubts", "/failures", "/history", f"/history?type={TYPE}", "/board", "/operations",
    "/rollout", "/submit?like=waits", f"/submit?type={TYPE}", "/help", "/me", "/docs", f"/jobs?state={quote(TYPE)}",
]  # fmt: skip


async def long_words(house: House) -> None:
    """A type of 96 letters, a worker's name of 62, labels of 50 and 200, reasons, errors and names of people."""
    house.shipped = {TYPE: "bbbbbbbbbbbb-1764493200"}
    await a_job(house, JobState.IN_DOUBT, "doubt", type=TYPE)
    await a_job(house, JobState.IN_DOUBT, "decided", type=TYPE)
    await house.dispatcher.decide("decided", None, WHY, actor=SOMEBODY)
    for number in range(6):
        tried = await take(house, await submit(house, f"failed-{number}", type=TYPE, tags=("t" * 100,)), "f" * 40)
        await tried.error(message="W" * 500, retry=False)
    await house.dispatcher.types.pause(TYPE, WHY, actor=SOMEBODY)
    wanted = requirement_of({"name": [NAME], "l" * 50: "z" * 200})
    await submit(house, "waits", type=TYPE, requires=wanted, summary="s" * 200)
    await submit(house, "nobody", type="q" * 96)
    told = await house.register("s", TYPE, name=NAME, labels=LABELS, versions={TYPE: "aaaaaaaaaaaa-1764489600"})
    await house.dispatcher.orders.pause(told["worker"], WHY, actor=SOMEBODY)
    await house.dispatcher.idle(housekeeping=True)


@pytest.fixture
def site(tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(long_words, Settings(), tasks)
    yield site
    site.stop()


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_is_wider_than_its_window(chromium: Chromium, site: Site, width: int) -> None:
    [worker] = [one for one in site.house.dispatcher.workers().items if one.name == NAME]
    chromium.open(site.url + "/me")
    fill(chromium, person="P" * 64)
    send(chromium)
    chromium.resize(width, 800)
    wide = {}
    for path in [*PAGES, f"/workers/{worker.id}"]:
        chromium.open(site.url + path)
        pixels = chromium.run("document.documentElement.scrollWidth")
        if pixels > width:
            wide[path] = pixels
    chromium.resize(1024, 700)
    assert wide == {}
