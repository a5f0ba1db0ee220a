"""How the console looks and behaves in real browsers: long names, refreshes, local time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from dispatcher.config.settings import Settings
from handlers.routes import TaskDirectory
from tests.handlers.conftest import Scene
from tests.handlers.rich import WAITING, rich
from tests.handlers.test_browsers import Site
from tests.page.browsers import Browser, Chromium
from tests.support.house import House
from tests.support.scenes import submit, take
from tests.support.waiting import until

pytestmark = pytest.mark.browser

LISTS = ["/", "/jobs", "/workers", "/types"]
HEIGHTS = "[].map.call(document.querySelectorAll('.list tbody tr'), function (row) { return row.offsetHeight; })"
#: Names that are on more than one line.
BROKEN_NAMES = """[].filter.call(document.querySelectorAll('.name, .age, .list .id'), function (name) {
  return name.getClientRects().length > 1 || name.offsetHeight > 32;
}).map(function (name) { return name.textContent; })"""


#: Headings that reach into the next column, and instants on more than two lines.
SQUEEZED = """[].filter.call(document.querySelectorAll('.list th, td[data-label=Offered] time'), function (cell) {
  var words = document.createRange();
  words.selectNodeContents(cell);
  return cell.tagName === 'TH' ? words.getBoundingClientRect().width > cell.clientWidth :
    cell.getClientRects().length > 2;
}).map(function (cell) { return cell.textContent; })"""


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.fixture
def site(scene: Scene, tasks: TaskDirectory) -> Iterator[Site]:
    site = Site(scene, Settings(), tasks)
    yield site
    site.stop()


async def long_names(house: House) -> None:
    """The longest names that there are, and reasons of 500 characters."""
    types = [f"{n:03d}-{'print-label-'}{'x' * 84}" for n in range(100)]
    for number in range(3):
        labels = {f"label-{n:02d}-{'y' * 40}"[:50]: "z" * 200 for n in range(20)}
        await house.register(f"s{number}", *types, name=f"{number}{'FRONT DESK ' * 9}"[:100], labels=labels)
    await house.dispatcher.idle(housekeeping=True)
    for number in range(3):
        await submit(house, f"0199c3a1-7d52-7c3e-9a41-5be0c0ffee{number:02d}", type=types[number])
    tried = await take(house, await submit(house, "failed", type="echo"), "x" * 40)
    await tried.error(message="W" * 500, retry=False)
    job = await submit(house, "cancelled", type=types[9])
    await house.dispatcher.cancel(job.id, "reason" * 80)


@pytest.mark.parametrize("scene", [long_names])
@pytest.mark.parametrize(("width", "tallest"), [(1280, 240), (380, 520)])
def test_the_longest_names_leave_rows_low_and_pages_narrow(
    window: Browser, site: Site, width: int, tallest: int
) -> None:
    window.resize(width, 800)
    for path in [*LISTS, "/jobs/failed", "/jobs/cancelled"]:
        window.open(site.url + path)
        assert window.run("document.documentElement.scrollWidth") <= width, path
        assert window.run(BROKEN_NAMES) == [], path
        assert path.startswith("/jobs/") or max(window.run(HEIGHTS)) < tallest, path
    window.resize(1024, 700)


LONG_TYPE, LONG_ID = "W" * 96, "0" * 64
PIXELS = "(function (e) { return [e.scrollWidth, e.scrollHeight]; }(document.documentElement))"


async def long_errors(house: House) -> None:
    """Jobs of a type of 96 letters that fail, end in doubt and succeed with as much to say as there can be."""
    version = f"{'3c52e1d0aa17'}-1764514200"
    for name, options in (("failed", {}), ("doubt", {"effects": "once"}), ("waits", {"priority": -9})):
        job = await submit(house, name, type=LONG_TYPE, summary="S" * 200, **options)
        if name != "waits":
            tried = await take(house, job, "N" * 40, versions={LONG_TYPE: version})
            await tried.say("accept")
            await tried.say("progress", percent=40.0, note="n" * 2_000)
            for _ in range(40):
                await tried.say("log", line="L" * 500)
            if name == "failed":
                await tried.error("E" * 10_000, stack="at W:1\n" * 2_000, retry=False)
            else:
                await tried.leave()


@pytest.mark.parametrize("scene", [long_errors])
@pytest.mark.parametrize("width", [640, 320])
def test_the_longest_error_and_type_make_no_page_wide_and_none_endless(window: Browser, site: Site, width: int) -> None:
    window.resize(width, 800)
    worker = site.do(site.house.dispatcher.job("failed")).worker
    jobs = [f"/jobs/failed{more}" for more in ("", "?q=L", "?full=1", "/try")]
    for path in [*jobs, "/jobs/doubt", "/jobs/waits", f"/jobs/{LONG_ID}", "/doubts", "/failures", f"/workers/{worker}"]:
        window.open(site.url + path)
        wide, high = window.run(PIXELS)
        assert (wide <= width, high < 9_000) == (True, True), (path, wide, high)
    window.resize(1024, 700)


@pytest.mark.parametrize("width", [1280, 1024, 940])
def test_every_column_has_room_for_its_heading_and_its_instants(window: Browser, site: Site, width: int) -> None:
    window.resize(width, 800)
    for path in [*LISTS, "/jobs/failed-1"]:
        window.open(site.url + path)
        assert window.run(SQUEEZED) == [], path
    window.resize(1024, 700)


async def a_desk(house: House) -> None:
    tried = await take(house, await submit(house, "failed", type="print-label"), "FRONT-DESK-07")
    await tried.error(message="no paper", retry=False)


@pytest.mark.parametrize("scene", [a_desk])
def test_the_name_of_a_desk_is_whole_at_1024_pixels(window: Browser, site: Site) -> None:
    window.resize(1024, 700)
    for path in ["/jobs", "/jobs/failed"]:
        window.open(site.url + path)
        names = window.run(
            "[].filter.call(document.querySelectorAll('.name'), function (name) {"
            " return name.textContent === 'FRONT-DESK-07'; })"
            ".map(function (name) { return name.scrollWidth <= name.offsetWidth; })"
        )
        assert set(names) == {True}, path


@pytest.mark.parametrize("width", [1280, 1200, 1024])
def test_the_counters_of_the_overview_stand_in_one_row(window: Browser, site: Site, width: int) -> None:
    window.resize(width, 800)
    window.open(site.url + "/")
    tops = window.run("[].map.call(document.querySelectorAll('.counter'), function (c) { return c.offsetTop; })")
    assert len(set(tops)) == 1
    window.resize(1024, 700)


def count(window: Browser, selector: str) -> Any:
    return window.run(f"document.querySelectorAll('{selector}').length")


def test_a_refresh_keeps_the_focus_and_a_half_chosen_filter(window: Browser, site: Site) -> None:
    window.open(site.url + "/jobs?refresh=2")
    window.run("(window.before = true)")
    window.run("(document.getElementById('state').value = 'failed')")
    window.run("(document.getElementById('worker').value = 'FRO')")
    window.run("document.querySelector('a[href=\"/jobs/running-1\"]').focus()")
    site.do(submit(site.house, "new", type="brand-new"))
    until(lambda: count(window, "tr[data-key=new]") == 1)
    assert window.run("window.before")
    assert window.run("document.activeElement.getAttribute('href')") == "/jobs/running-1"
    assert window.run("document.getElementById('state').value + document.getElementById('worker').value") == (
        "failedFRO"
    )


def test_a_refresh_waits_while_text_is_selected(window: Browser, site: Site) -> None:
    window.open(site.url + "/jobs?refresh=2")
    window.run("window.getSelection().selectAllChildren(document.querySelector('tr[data-key=failed-1] td'))")
    site.do(submit(site.house, "new", type="brand-new"))
    until(lambda: "text is selected" in window.run("document.getElementById('refresh-note').textContent"))
    assert window.run("String(window.getSelection())").strip() == "Failed"
    assert count(window, "tr[data-key=new]") == 0
    window.run("window.getSelection().removeAllRanges()")
    until(lambda: count(window, "tr[data-key=new]") == 1)
    assert window.run("document.getElementById('refresh-note').textContent") == ""


def test_the_end_of_the_log_is_followed_until_the_reader_scrolls_up(window: Browser, site: Site) -> None:
    below = partial(window.run, "(function (b) { return b.scrollHeight - b.scrollTop - b.clientHeight; }(lines))")
    tried = site.do(take(site.house, site.do(submit(site.house, "talks"))))
    site.do(tried.say("accept"))

    def write(last: int) -> None:
        for number in range(last - 9, last + 1):
            site.do(tried.say("log", line=f"line {number}\n" * 5))

    write(10)
    window.open(site.url + "/jobs/talks")
    window.run("document.querySelector('button.follow').click()")
    assert below() < 2
    write(20)
    until(lambda: count(window, "#line-20") == 1)
    assert below() < 2
    window.run("(lines.scrollTop = 100)")
    write(30)
    until(lambda: count(window, "#line-30") == 1)
    assert window.run("lines.scrollTop") == 100
    assert window.run("document.querySelector('button.follow').getAttribute('aria-pressed')") == "true"
    assert window.run("window.pageYOffset") == 0


def test_a_refresh_survives_links_and_filters_until_it_is_stopped(window: Browser, site: Site) -> None:
    refresh_s = partial(window.run, "document.body.getAttribute('data-refresh-s')")
    window.open(site.url + "/workers?refresh=5")
    for path in ("/jobs?state=failed", "/types", "/"):
        window.open(site.url + path)
        assert refresh_s() == "5", path
    for path in ("/submit", "/nope", "/jobs?state=lost"):
        window.open(site.url + path)
        assert refresh_s() is None, path
        assert "efresh" not in window.run("document.body.textContent"), "nothing to refresh, and no offer"
    window.open(site.url + "/?refresh=0")
    window.open(site.url + "/jobs")
    assert refresh_s() is None


def test_local_time_stands_beside_utc(chromium: Chromium, site: Site) -> None:
    chromium.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    chromium.open(site.url + "/jobs/failed-1")
    utc, local = chromium.run("document.querySelector('td time').textContent").split(" UTC (")
    chromium.open(site.url + "/jobs")
    title = chromium.run("document.querySelector('td time').title")
    chromium.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    assert (utc, local) == (
        "2026-11-23 21:24:11.123".replace("21:24:11", utc[11:19]),
        f"2026-11-24 06{utc[13:19]} local)",
    )
    assert " UTC (2026-11-24 06:" in title


def test_the_form_of_the_jobs_takes_times_by_the_local_clock_and_says_so(chromium: Chromium, site: Site) -> None:
    chromium.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "America/St_Johns"})
    chromium.open(site.url + "/jobs")
    clock = "[document.querySelector('input[name=clock]').value, document.querySelector('.clock-name').textContent]"
    mine = chromium.run(clock)
    chromium.open(site.url + "/jobs?clock=%2B01:00")
    others = chromium.run(clock)
    chromium.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    assert mine[0] in ("-03:30", "-02:30")
    assert (mine[1], others) == (f"UTC{mine[0]}", ["+01:00", "UTC+01:00"])


@pytest.mark.parametrize("path", ["/jobs?tick=1", "/workers?tick=1"])
def test_a_box_in_the_head_ticks_all_rows_and_shows_how_many_are(window: Browser, site: Site, path: str) -> None:
    window.resize(1280, 800)
    window.open(site.url + path)
    ticks = "[].map.call(document.querySelectorAll('tbody [name=id]'), function (box) { return box.checked; })"
    head, row = "document.querySelector('[data-tick-all] input')", "document.querySelectorAll('tbody [name=id]')[1]"
    state = f"[{head}.checked, {head}.indeterminate]"
    assert set(window.run(ticks)) == {False}
    window.run(f"{head}.click()")
    assert (set(window.run(ticks)), window.run(state)) == ({True}, [True, False])
    window.run(f"{row}.click()")
    assert window.run(state) == [False, True]
    window.run(f"{row}.click()")
    window.run(f"{head}.click()")
    assert (set(window.run(ticks)), window.run(state)) == ({False}, [False, False])


def test_a_button_copies_the_whole_id(window: Browser, site: Site) -> None:
    window.open(site.url + f"/jobs/{WAITING}?refresh=0")
    window.run(
        "(document.execCommand = function (what) {"
        " window.copied = [what, document.activeElement.value]; return true; })"
    )
    window.run("document.querySelector('button.copy').click()")
    assert window.run("window.copied") == ["copy", WAITING]
    assert window.run("document.querySelector('button.copy').textContent") == "Copied"
