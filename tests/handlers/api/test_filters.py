"""The JSON API: the filters of the list of jobs, and how its next page keeps them."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.core.jobs.states import JobState
from dispatcher.store.views import SLICE, SLICES
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

JOBS = "/api/v1/jobs"


async def listed(ask: Ask, query: str) -> list[str]:
    response = await ask(f"{JOBS}?{query}")
    assert response.code == 200, response.body
    return [job["id"] for job in body_of(response)["items"]]


@pytest.mark.gen_test
async def test_several_states_may_be_asked_for_and_the_next_page_keeps_them(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "c1")
    await a_job(house, JobState.SUCCEEDED, "s1")
    await a_job(house, JobState.EXPIRED, "e1")
    assert await listed(ask, "state=cancelled&state=expired&state=cancelled") == ["e1", "c1"]
    response = await ask(f"{JOBS}?state=cancelled&state=expired&created_after=-1h&limit=1")
    link = response.headers["Link"].partition(">")[0].lstrip("<")
    assert link.startswith("/api/v1/jobs?state=cancelled&state=expired&created_after=20")
    assert [job["id"] for job in body_of(await ask(link))["items"]] == ["c1"]


@pytest.mark.gen_test
async def test_jobs_are_found_by_the_code_of_their_error(ask: Ask, house: House) -> None:
    for name, code in (("j1", "paper"), ("j2", "ink")):
        await (await take(house, await submit(house, name))).error(code=code, retry=False)
    assert await listed(ask, "error=paper") == ["j1"]
    assert await listed(ask, "error=nothing") == []


@pytest.mark.gen_test
async def test_jobs_are_found_by_the_words_of_their_error_in_every_shape_and_page(ask: Ask, house: House) -> None:
    for name, message in (("j1", "no paper"), ("j2", "no ink"), ("j3", "paper jam")):
        await (await take(house, await submit(house, name))).error(message=message, retry=False)
    assert await listed(ask, "q=PAPER") == ["j3", "j1"]
    assert await listed(ask, "q=%22paper+jam%22&state=failed") == ["j3"]
    response = await ask(f"{JOBS}?q=paper&limit=1")
    link = response.headers["Link"].partition(">")[0].lstrip("<")
    assert (link.partition("&")[0], body_of(response)["items"][0]["id"]) == (f"{JOBS}?q=paper", "j3")
    assert [job["id"] for job in body_of(await ask(link))["items"]] == ["j1"]
    for shape in ("ndjson", "csv"):
        text = (await ask(f"{JOBS}?q=paper&fields=id&format={shape}")).body.decode()
        assert ("j1" in text, "j2" in text, "j3" in text) == (True, False, True)
        refused = await ask(f"{JOBS}?q=-&format={shape}")
        assert (refused.code, body_of(refused)["code"]) == (400, "bad_parameter")


@pytest.mark.gen_test
async def test_jobs_are_found_by_when_they_were_created_and_ended(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "old")
    await house.pass_time(100.0)
    await a_job(house, JobState.CANCELLED, "new")
    await submit(house, "open")
    created = body_of(await ask(f"{JOBS}/new"))["created_at"]
    assert await listed(ask, "created_before=-1m") == ["old"]
    assert await listed(ask, "created_after=-60s&ended_after=-2h") == ["new"]
    assert await listed(ask, f"created_after={created}") == ["open", "new"]
    east = created.replace("Z", "%2B00:00")
    assert await listed(ask, f"created_before={east}&ended_before={east}") == ["old"]
    assert await listed(ask, "ended_after=2020-01-01T00:00:00%2B02:00") == ["new", "old"]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "text", ["yesterday", "-1y", "1h", "2026-11-23", "2026-11-23T21:04:05", "2026-13-01T00:00:00Z"]
)
async def test_an_instant_that_is_none_is_refused_in_words(ask: Ask, text: str) -> None:
    response = await ask(f"{JOBS}?ended_before={text}")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")
    assert body_of(response)["detail"].startswith("ended_before must be an instant as in 2026-11-23T21:04:05Z")


@pytest.mark.gen_test
async def test_the_console_shows_several_states_and_says_which(browser: Browser, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "c1")
    await a_job(house, JobState.EXPIRED, "e1")
    await a_job(house, JobState.SUCCEEDED, "s1")
    page = (await browser.get("/jobs?state=cancelled&state=expired")).body.decode()
    assert [name in page for name in ("/jobs/c1", "/jobs/e1", "/jobs/s1")] == [True, True, False]
    assert [f'value="{state}" checked' in page for state in ("cancelled", "expired", "failed")] == [True, True, False]


@pytest.mark.gen_test
async def test_jobs_are_found_by_their_tags_their_batch_and_their_key(ask: Ask) -> None:
    tagged = [{"type": "echo", "tags": ["a", "Ärger & Co"]}, {"type": "echo", "tags": ["a"]}]
    batch = body_of(await ask(f"{JOBS}/batch", "POST", json=tagged, headers={"Idempotency-Key": "k 1"}))
    alone = body_of(await ask(JOBS, "POST", json={"type": "echo"}, headers={"Idempotency-Key": "k"}))
    first, second = (job["id"] for job in batch["items"])
    assert await listed(ask, "tag=a") == [second, first]
    assert await listed(ask, "tag=a&tag=%C3%84rger+%26+Co") == [first]
    assert await listed(ask, "tag=A") == await listed(ask, "tag=a&state=failed") == []
    assert await listed(ask, f"batch={batch['batch']}") == [second, first]
    assert await listed(ask, f"batch={batch['batch'].upper()}&tag=%C3%84rger+%26+Co") == [first]
    assert await listed(ask, "key=k+1") == [second, first]
    assert await listed(ask, "key=k") == [alone["id"]]


@pytest.mark.gen_test
async def test_the_next_page_keeps_tags_batch_and_key(ask: Ask) -> None:
    tagged = [{"type": "echo", "tags": ["a", "b c"]}] * 2
    batch = body_of(await ask(f"{JOBS}/batch", "POST", json=tagged, headers={"Idempotency-Key": "k"}))
    response = await ask(f"{JOBS}?key=k&batch={batch['batch']}&tag=a&tag=b+c&limit=1")
    link = response.headers["Link"].partition(">")[0].lstrip("<")
    assert link.startswith(f"{JOBS}?tag=a&tag=b+c&batch={batch['batch']}&key=k&limit=1&cursor=")
    assert [job["id"] for job in body_of(await ask(link))["items"]] == [batch["items"][0]["id"]]


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["tag=%20", "batch=a&batch=b", "key=%20", "key=a&key=b"])
async def test_a_name_that_is_blank_or_given_twice_is_refused(ask: Ask, query: str) -> None:
    answer = await ask(f"{JOBS}?{query}")
    assert (answer.code, body_of(answer)["code"]) == (400, "bad_parameter")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "-999999999d", "-9999999h"]
)
async def test_an_instant_outside_of_all_years_is_refused(ask: Ask, house: House, text: str) -> None:
    """The address of the next page could not name it."""
    await submit(house, "j1")
    await submit(house, "j2")
    for field in ("created_after", "created_before", "ended_after", "ended_before"):
        response = await ask(f"{JOBS}?{field}={text}&limit=1")
        assert (response.code, body_of(response)["code"]) == (400, "bad_parameter"), field


@pytest.mark.gen_test
@pytest.mark.parametrize("back", ["999999999s", "99999999m", "999999h", "99999d"])
async def test_the_longest_times_back_are_instants(ask: Ask, house: House, back: str) -> None:
    await submit(house, "j1")
    await submit(house, "j2")
    response = await ask(f"{JOBS}?created_after=-{back}&limit=1")
    link = response.headers["Link"].partition(">")[0].lstrip("<")
    assert [job["id"] for job in body_of(await ask(link))["items"]] == ["j1"]


async def reach(ask: Ask, query: str) -> tuple[int, int | None, str | None]:
    """How many jobs a page has, of how many, and how far back it has looked."""
    page = body_of(await ask(f"{JOBS}?{query}"))
    return len(page["items"]), page["total"], page["looked_back_to"]


def skip_numbers(house: House) -> None:
    """As if more jobs had come and gone than one page looks at."""
    house.store.rows.last_seq += SLICES * SLICE


@pytest.mark.gen_test
async def test_a_page_says_of_how_many_jobs_it_shows_some_and_how_far_back_it_has_looked(
    ask: Ask, house: House
) -> None:
    await a_job(house, JobState.FAILED, "f1", type="paint")
    await house.pass_time(60.0)
    for name in ("f2", "f3"):
        await a_job(house, JobState.FAILED, name, type="paint")
    await submit(house, "q1", type="fax")
    last = body_of(await ask(f"{JOBS}/f3"))["created_at"]
    assert await reach(ask, "") == (4, 4, None)
    assert await reach(ask, "state=failed&limit=1") == (1, 3, last)
    assert await reach(ask, "state=failed&state=queued&limit=2") == (2, 4, last)
    assert await reach(ask, "type=paint&state=queued&limit=1") == (0, 0, None)
    assert await reach(ask, "type=paint&limit=1") == (1, 3, last)
    assert await reach(ask, "q=order&limit=1") == (1, None, last), "who searches is told how far it came"
    assert await reach(ask, "q=nowhere") == (0, 0, None)
    cursor = body_of(await ask(f"{JOBS}?state=failed&limit=2"))["next_cursor"]
    assert await reach(ask, f"state=failed&limit=2&cursor={cursor}") == (1, 3, None)
    skip_numbers(house)
    assert await reach(ask, "type=paint") == (0, 3, last), "the newest one that it has not looked at is q1"
    assert await reach(ask, "worker=nobody") == (0, None, last)


@pytest.mark.gen_test
async def test_a_page_that_has_looked_at_a_part_looks_for_no_more_to_say_so(ask: Ask, house: House) -> None:
    await submit(house, "old", type="paint")
    skip_numbers(house)
    await submit(house, "new", type="fax")
    asked: list[JobFilter] = []
    read = house.store.jobs

    async def noted(wanted: JobFilter) -> JobPage:
        asked.append(wanted)
        return await read(wanted)

    house.store.jobs = noted  # type: ignore[method-assign]
    await reach(ask, "worker=nobody")
    assert [(wanted.worker, wanted.limit) for wanted in asked] == [("nobody", 50), (None, 1)]
    asked.clear()
    await reach(ask, "limit=1")
    await reach(ask, "type=fax&limit=1")
    assert len(asked) == 2
