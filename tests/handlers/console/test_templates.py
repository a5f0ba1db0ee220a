"""Small parts of pages that only some jobs and workers have: the last progress, failed tries, the line of a log."""

from __future__ import annotations

import re

import pytest

from tests.handlers.conftest import Browser
from tests.support.house import House
from tests.support.scenes import submit, take


async def words_of(browser: Browser, path: str) -> str:
    body = (await browser.get(path)).body.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\u00a0", " ")


async def after_progress(house: House, fields: dict[str, object]) -> None:
    """The job "told" has failed, and its task had told of this progress."""
    tried = await take(house, await submit(house, "told"))
    await tried.say("accept")
    await tried.say("progress", **fields)
    await tried.error(retry=False)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"percent": 40, "note": "page 2 of 5"}, "Last progress: 40 %: page 2 of 5"),
        ({"percent": 33.25}, "Last progress: 33.25 %"),
        ({"note": "waits for paper"}, "Last progress: waits for paper"),
    ],
)
async def test_a_job_that_has_ended_shows_its_last_progress(
    browser: Browser, house: House, fields: dict[str, object], shown: str
) -> None:
    await after_progress(house, fields)
    assert shown in await words_of(browser, "/jobs/told")


@pytest.mark.gen_test
async def test_a_job_without_progress_speaks_of_none(browser: Browser, house: House) -> None:
    await (await take(house, await submit(house, "mute"))).error(retry=False)
    assert "progress" not in (await words_of(browser, "/jobs/mute")).lower()


@pytest.mark.gen_test
async def test_a_running_job_shows_its_progress_as_a_bar(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, "runs"))
    await tried.say("accept")
    await tried.say("progress", percent=40, note="page 2 of 5")
    body = (await browser.get("/jobs/runs")).body.decode()
    assert '<progress max="100" value="40">40 %</progress> 40 %: page 2 of 5' in body
    assert "Last progress" not in body


@pytest.mark.gen_test
async def test_a_job_that_waits_for_its_next_try_shows_how_far_the_last_one_came(
    browser: Browser, house: House
) -> None:
    tried = await take(house, await submit(house, "again"))
    await tried.say("accept")
    await tried.say("progress", percent=40)
    await tried.error()
    body = (await browser.get("/jobs/again")).body.decode()
    assert "Last progress: 40 %" in body
    assert "<progress" not in body


@pytest.mark.gen_test
async def test_a_worker_s_failed_tries_are_called_that(browser: Browser, house: House) -> None:
    """One job that failed in two tries is one failed job, and two failed tries."""
    await house.register("s1", "print-label", name="DESK")
    job = await submit(house, "bad", max_attempts=2)
    for _ in range(2):
        [offer] = [said for said in await house.hear("s1") if said["op"] == "job"]
        await house.say("s1", op="error", attempt=offer["attempt"], message="out of paper")
        await house.pass_time(60.0)
    assert await house.state(job) == "failed"
    body = (await browser.get("/workers")).body.decode()
    assert re.findall(r'<td data-label="Failed tries today">(.*?)</td>', body) == ["2"]
    assert '<th scope="col" class="for-number">Failed tries today</th>' in body


@pytest.mark.gen_test
async def test_a_line_of_a_log_stands_under_the_try_that_wrote_it(browser: Browser, house: House) -> None:
    tried = await take(house, await submit(house, "told"))
    await tried.say("accept")
    await tried.say("log", line="tray 2 is empty")
    body = (await browser.get("/jobs/told")).body.decode()
    assert '<td data-label="Line">tray 2 is empty</td>' in body.partition('id="try-1"')[2]


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["effects", "expires_s", "max_crashes", "heartbeat_s"])
async def test_each_rarer_term_stands_among_the_options(browser: Browser, name: str) -> None:
    body = (await browser.get("/submit")).body.decode()
    options = body[body.index("<legend>Options") :]
    assert re.search(rf'<label for="{name}">[^<]+</label>', options)
    assert re.search(rf'<(?:input|select) id="{name}" name="{name}"', options)


@pytest.mark.gen_test
async def test_without_javascript_instants_are_in_utc(browser: Browser, house: House) -> None:
    await submit(house, "told")
    times = re.findall(r"<time [^>]*>(.*?)</time>", (await browser.get("/jobs/told")).body.decode())
    assert times
    assert [time for time in times if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})? UTC", time)] == []
