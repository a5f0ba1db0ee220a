"""Every screen, in real browsers: it is in the list, fits its window, meets its own policy, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.web import RequestHandler

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, WorkerAction
from dispatcher.core.jobs.model import JobFilter, WorkerFilter
from dispatcher.core.jobs.states import JobState
from handlers.console.page import PageHandler
from handlers.routes import TaskDirectory, routes
from handlers.worker.files import WorkerPageHandler
from tests.handlers.conftest import nothing
from tests.handlers.rich import WAITING, rich
from tests.handlers.test_browsers import Site
from tests.page.axe import violations
from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.support.house import House
from tests.support.scenes import submit
from tests.support.screens import SCREENS, Screen, Sites, faults, filled, show

ANNA = Actor("anna")
#: What the farm of these tests has, and the one of ``make demo`` has not.
MORE = {
    "job-offered": Screen("/jobs/offered-1"),
    "job-log-found": Screen("/jobs/running-1?q=page&refresh=0"),
    "job-long": Screen("/jobs/big-1"),
    "job-with-demands": Screen("/jobs/needs-1?refresh=0"),
    "jobs-with-demands": Screen("/jobs?requires=site:berlin&requires=printer:zebra"),
    "jobs-with-a-wrong-demand": Screen("/jobs?requires=site:berlin&requires=a-printer", status=400),
    "jobs-badly-placed": Screen("/jobs?cursor=x", status=400),
    "try-refused": Screen("/jobs/running-1/try"),
    "submit-with-demands": Screen("/submit?like=needs-1"),
    "worker-refused": Screen("/workers/nobody", status=404),
    "workers-refused": Screen("/workers?label=berlin", status=400),
    "type-not-loaded": Screen("/types/host-call"),
    "types-refused": Screen("/types?q=%FF", status=400),
    "order-of-many-counted": Screen("/operations/{counted_many}"),
    "rollout-running": Screen("/rollout", {"at_a_time": "1"}, "form[action='/rollout/begin']"),
}
JOBS = {
    **{state: f"{state}-1" for state in ("failed", "running", "scheduled", "cancelled", "expired")},
    **{"queued": WAITING, "succeeded": "done-1", "in_doubt": "doubt-1", "type": "thumbnail"},
}
#: What is looked up in the farm.
FOUND = ("worker", "gone", "counted", "counted_many", "counted_workers", "ordered")


async def everything(house: House) -> None:
    """Besides what is there: a paused worker, one that has gone, and orders for many."""
    await rich(house)
    await house.dispatcher.orders.pause(_worker(house), "new <printers>", actor=ANNA)
    await house.register("gone", "echo", name="DESK-9")
    await house.say("gone", op="bye")
    house.pages.ended("gone", house.clock.monotonic())
    for number in range(101):
        await submit(house, f"many-{number}", type="many")
    failed, many = JobFilter(states=(JobState.FAILED,)), JobFilter(type="many")
    for order in (
        OperationOrder(action=OperationAction.RETRY, wanted=failed, dry_run=True, actor=ANNA),
        OperationOrder(action=OperationAction.DELETE, wanted=many, dry_run=True, actor=ANNA),
        OperationOrder(action=WorkerAction.BLOCK, wanted=WorkerFilter(name="KIOSK"), dry_run=True, actor=ANNA),
        OperationOrder(action=OperationAction.CANCEL, wanted=many, reason="<twice>", actor=ANNA),
    ):
        await house.dispatcher.operations.wait(house.dispatcher.operations.begin(order).id, 10.0)


def _worker(house: House) -> str:
    """One that lacks a task and has labels."""
    return next(one.id for one in house.dispatcher.workers(WorkerFilter(name="KIOSK")).items if one.unloaded)


def screens_of(house: House) -> dict[str, Screen]:
    orders = [order.id for order in reversed(house.dispatcher.operations.all())]
    found = dict(zip(FOUND, (_worker(house), "name%3ADESK-9", *orders), strict=True))
    return filled(SCREENS | MORE, JOBS | found)


def test_every_page_that_a_route_answers_with_is_among_the_screens(tasks: TaskDirectory) -> None:
    specs = routes(House().dispatcher, Settings(), tasks)
    pages = {
        spec.name
        for spec in specs
        if issubclass(spec.handler_class, (PageHandler, WorkerPageHandler))
        and spec.handler_class.get is not RequestHandler.get
    }
    screens = filled(SCREENS | MORE, JOBS | dict.fromkeys(FOUND, "x")).values()
    paths = [screen.path.partition("?")[0] for screen in screens if not screen.typed]
    shown = [next(spec.name for spec in specs if spec.regex.match(path)) for path in paths]
    assert pages - set(shown) == set()
    assert set(shown) - pages == {"not-found"}


@pytest.fixture
def sites(tasks: TaskDirectory) -> Iterator[tuple[Sites, dict[str, Screen]]]:
    """A farm with something of everything, and its screens; the last one begins a rollout."""
    farm, locked = Site(everything, Settings(), tasks), Site(nothing, Settings(token="s3cret"), tasks)
    yield Sites(farm.url, locked.url), screens_of(farm.house)
    farm.stop()
    locked.stop()


@pytest.fixture(scope="module")
def phantom() -> Iterator[PhantomJS]:
    with browsing(PhantomJS()) as browser:
        yield browser


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["chromium", "phantom"])
def test_each_screen_fits_its_window_and_meets_its_own_policy(
    request: pytest.FixtureRequest, kind: str, sites: tuple[Sites, dict[str, Screen]], tmp_path: Path
) -> None:
    """The browser's console shows what CSP blocks, and scripts' errors."""
    browser: Browser = request.getfixturevalue(kind)
    wrong: list[tuple[str, object]] = []
    for name, screen in sites[1].items():
        show(browser, sites[0], screen, tmp_path)
        # These tests have no server for pages of workers.
        wrong += [(name, one) for one in faults(browser, screen) if "/engine.io/" not in one]
        for width in (1280, 1100, 360, 320):
            browser.resize(width, 800)
            wide = browser.run("document.documentElement.scrollWidth")
            wrong += [(name, wide)] if wide > width else []
    assert wrong == []


@pytest.mark.browser
@pytest.mark.parametrize("part", range(3))
def test_axe_finds_nothing_wide_or_narrow_light_or_dark(
    chromium: Chromium, sites: tuple[Sites, dict[str, Screen]], tmp_path: Path, part: int
) -> None:
    """On each third screen: all of them would be long for one test."""
    wrong: list[tuple[str, str, int, str]] = []
    for name, screen in list(sites[1].items())[part::3]:
        show(chromium, sites[0], screen, tmp_path)
        for colours in ("light", "dark"):
            chromium.prefer(colours)
            for width in (1280, 360):
                chromium.resize(width, 800)
                wrong += [(name, colours, width, one) for one in violations(chromium)]
    chromium.prefer("")
    assert wrong == []
