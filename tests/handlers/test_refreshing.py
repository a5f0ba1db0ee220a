"""Which pages of the console refresh, and that none of them loses what somebody has typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from handlers.routes import TaskDirectory
from handlers.site import STATIC
from tests.handlers.api.tokens import made, shown
from tests.handlers.conftest import Ask, Scene
from tests.handlers.conftest import Browser as Asking
from tests.handlers.matrix import MATRIX, PAGE
from tests.handlers.rich import rich
from tests.handlers.test_browsers import Site
from tests.page.browsers import Browser
from tests.support.house import House
from tests.support.scenes import a_job, submit
from tests.support.waiting import until

ANNA = Actor("anna")
#: Every page of the console by its route: an address that refreshes, or why it stays as it is. docs/console.md has
#: this list.
REFRESHES = {
    "overview": "/", "jobs": "/jobs", "workers": "/workers", "types": "/types", "doubts": "/doubts",
    "failures": "/failures", "history": "/history", "board": "/board", "operations": "/operations",
    "upkeep": "/upkeep",
    "rollout": "/rollout", "one-type": "/types/thumbnail", "one-worker": "/workers/{worker}", "job": "/jobs/running-1",
}  # fmt: skip
STAYS = {
    "operation": "refreshes by itself until the order is over; then nothing changes",
    "job-record": "is a file to keep",
    "job-try": "runs a task in this tab",
    "submit": "is a form alone",
    "me": "is a form alone",
    "phone": "says what a code means, which does not change",
}
#: As the list has them.
WRITTEN = {
    "one-type": "/types/<type>", "one-worker": "/workers/<id>", "job": "/jobs/<id>", "operation": "/operations/<id>",
    "job-record": "/jobs/<id>/record", "job-try": "/jobs/<id>/try",
}  # fmt: skip
#: A field of a form that is no list's filter: a reason, a name, a number.
FIELD = re.compile(r"<(?:textarea|input(?![^>]*type=\"(?:hidden|checkbox|range)\"))")
FILTERS = re.compile(r'<form class="filter".*?</form>', re.DOTALL)


@pytest.fixture
def scene() -> Scene:
    return rich


async def addresses(house: House) -> dict[str, str]:
    [worker, *_] = house.dispatcher.workers().items
    return {name: path.replace("{worker}", worker.id) for name, path in REFRESHES.items()}


@pytest.mark.gen_test
async def test_each_page_of_the_console_refreshes_or_has_a_reason_to_stay(browser: Asking, house: House) -> None:
    pages = {name for name, (_, methods, kind) in MATRIX.items() if kind == PAGE and "GET" in methods}
    assert pages == set(REFRESHES) | set(STAYS)
    told = (STATIC.parent / "docs" / "console.md").read_text(encoding="utf-8")
    for name in pages:
        assert f"`{WRITTEN.get(name, MATRIX[name][0])}`" in told, name
    for path in (await addresses(house)).values():
        page = await browser.page(f"{path}?refresh=10")
        assert ' data-refresh-s="10"' in page, path
        assert "?refresh=0" in page, path
        assert ' data-refresh-s="10"' not in await browser.page(f"{path}?refresh=0"), path


@pytest.mark.gen_test
async def test_no_page_with_a_field_loads_itself_anew_where_no_script_keeps_what_is_typed(
    browser: Asking, house: House
) -> None:
    for path in (await addresses(house)).values():
        page = await browser.page(f"{path}?refresh=5")
        if FIELD.search(FILTERS.sub("", page)):
            assert 'http-equiv="refresh"' not in page, path
        else:
            assert '<noscript><meta http-equiv="refresh" content="5">' in page, path


@pytest.mark.gen_test
@pytest.mark.parametrize("settings", [Settings(token="s3cret")])
async def test_who_only_reads_has_no_field_so_the_page_loads_itself_anew_without_a_script(ask: Ask) -> None:
    reader = shown(await made(ask, "read")) | {"Accept": "text/html"}
    for path in ("/doubts?refresh=5", "/types/thumbnail?refresh=5", "/rollout?refresh=5"):
        assert '<noscript><meta http-equiv="refresh"' in (await ask(path, headers=reader)).body.decode(), path


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/?at=-1h", "/jobs?tick=1", "/workers?tick=1"])
async def test_a_page_that_must_stay_does_not_offer_to_refresh(browser: Asking, path: str) -> None:
    assert "efresh every" not in await browser.page(f"{path}&refresh=5")


# In a browser


async def two_in_doubt(house: House) -> None:
    await a_job(house, JobState.IN_DOUBT, "doubt-1")
    await a_job(house, JobState.IN_DOUBT, "doubt-2")


@pytest.fixture
def site(scene: Scene, tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(scene, Settings(), tasks)
    yield site
    site.stop()


FIELD_OF = "document.querySelector('form[action=\"/jobs/{}/failed\"] input[name=reason]')"


def said(window: Browser) -> str:
    return str(window.run("document.getElementById('refresh-note').textContent"))


@pytest.mark.browser
@pytest.mark.parametrize("scene", [two_in_doubt])
def test_a_typed_reason_stays_whatever_others_decide_and_whoever_is_signed_out(window: Browser, site: Site) -> None:
    decide = site.house.dispatcher.decide
    mine, other = FIELD_OF.format("doubt-1"), FIELD_OF.format("doubt-2")
    window.open(site.url + "/doubts?refresh=2")
    window.run(f"({mine}.value = 'the printer', {mine}.focus(), {mine}.setSelectionRange(3, 7))")
    site.do(decide("doubt-2", None, ""))
    until(lambda: window.run(f"{other} === null"))
    assert window.run(f"{mine}.value") == "the printer"
    assert window.run(f"document.activeElement === {mine}")
    assert window.run(f"[{mine}.selectionStart, {mine}.selectionEnd]") == [3, 7]
    site.do(decide("doubt-1", None, ""))
    until(lambda: "It stays because you have typed into it." in said(window))
    assert window.run(f"{mine}.value") == "the printer"
    window.run(f"({mine}.value = '')")
    until(lambda: window.run(f"{mine} === null"))
    assert said(window) == ""


@pytest.mark.browser
def test_what_is_typed_stays_where_the_server_shows_another_page(window: Browser, site: Site) -> None:
    window.open(site.url + "/types/ocr?refresh=2")
    window.run("(document.getElementById('reason').value = 'no paper')")
    window.run("document.body.setAttribute('data-page', '/another')")
    until(lambda: "What you have typed is still here." in said(window))
    assert window.run("document.getElementById('reason').value") == "no paper"


#: Timers of the page run twenty times as fast from here on.
FAST = """(window.setTimeout = (function (real) {
  return function (call, ms) { return real.call(window, call, ms / 20); };
}(window.setTimeout)))"""
#: The computer has slept for 25 hours: the clock on the wall has gone on.
SLEEP = """(function (Real) {
  window.Date = function (text) { return text ? new Real(text) : new Real(new Real().getTime() + 90000000); };
}(window.Date))"""
#: Its clock, as people read it.
CLOCK = "new Date().toTimeString().slice(0, 5)"
#: The first and the last line of what has the focus, and the note.
PLACES = """[document.activeElement.getBoundingClientRect().bottom, document.getElementById('refresh-note')
  .getBoundingClientRect().top, document.getElementById('refresh-note').getBoundingClientRect().bottom]"""


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/workers", "/board"])
def test_a_page_that_stands_still_says_so_in_sight_until_the_server_answers_again(
    window: Browser, site: Site, path: str
) -> None:
    window.resize(1024, 300)
    window.open(f"{site.url}{path}?refresh=2")
    title, look = window.run("document.title"), window.run("document.body.className")
    window.run("document.querySelector('.foot a').focus()")
    before = window.run(CLOCK)
    window.run(FAST)
    window.offline(True)
    after = window.run(CLOCK)
    window.run(SLEEP)
    until(lambda: "no-refresh" in window.run("document.body.className"))
    told = re.fullmatch(r"No refresh since \d+ \w+ (\S+): the server does not answer. Trying again.", said(window))
    assert told is not None, said(window)
    assert told[1] in (before, after), "the last answer's time, not that of the first request that failed"
    assert window.run("document.title") == said(window).partition("the server")[0] + title
    focus, top, bottom = window.run(PLACES)
    assert focus <= top < bottom <= 300, "in sight, and not over what has the focus"
    window.offline(False)
    until(lambda: said(window) == "")
    assert [window.run("document.title"), window.run("document.body.className")] == [title, look]
    window.resize(1024, 700)


@pytest.mark.browser
def test_a_server_that_restarts_in_a_few_seconds_leaves_no_sign(chromium: Browser, site: Site) -> None:
    chromium.open(site.url + "/jobs?refresh=2")
    chromium.run("new MutationObserver(function () { window.signs = 1; }).observe(document.body, {attributes: true})")
    chromium.run("(window.XMLHttpRequest.prototype.send = (function (real) { window.asked = 0;"
                 " return function () { window.asked += 1; return real.call(this, null); }; }"
                 "(window.XMLHttpRequest.prototype.send)))")  # fmt: skip
    chromium.run(FAST)
    chromium.offline(True)
    until(lambda: chromium.run("window.asked") == 2)
    chromium.offline(False)
    site.do(submit(site.house, "new", type="brand-new"))
    until(lambda: chromium.run("!!document.querySelector('tr[data-key=new]')"))
    assert chromium.run("window.signs") is None


@pytest.mark.browser
def test_details_that_somebody_has_opened_stay_open(chromium: Browser, site: Site) -> None:
    opened: Callable[[], object] = partial(chromium.run, "document.querySelector('details.defaults').open")
    chromium.open(site.url + "/types/ocr?refresh=2")
    assert opened() is False
    chromium.run("(document.querySelector('details.defaults').open = true)")
    site.do(site.house.dispatcher.types.pause("ocr", "no paper", actor=ANNA))
    until(lambda: "no paper" in chromium.run("document.getElementById('main').textContent"))
    assert opened() is True
