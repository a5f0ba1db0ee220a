"""The whole list of jobs in one answer: as lines of JSON, and as CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest
from msgspec.structs import replace
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from handlers.api.jobjson import LINE_FIELDS, job_line
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test

JOBS = "/api/v1/jobs"


async def many(house: House, count: int) -> list[str]:
    """So many jobs of two types in turn; their ids, newest first."""
    taken = await house.dispatcher.submit_batch([spec(("echo", "print-label")[n % 2]) for n in range(count)])
    return [one.job.id for one in reversed(taken) if one.job is not None]


def lines_of(response: HTTPResponse) -> list[dict[str, object]]:
    assert response.code == 200, response.body
    assert not response.body or response.body.endswith(b"\n")
    return [json.loads(line) for line in response.body.splitlines()]


def rows_of(response: HTTPResponse) -> list[dict[str, str]]:
    assert response.code == 200, response.body
    assert response.body.startswith(b"\xef\xbb\xbfid,type,state,")
    return list(csv.DictReader(io.StringIO(response.body.decode("utf-8-sig"), newline="")))


async def test_all_jobs_come_newest_first_each_on_its_line_as_in_a_page(ask: Ask, house: House) -> None:
    ids = await many(house, 250)
    response = await ask(f"{JOBS}?format=ndjson")
    assert response.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="jobs.ndjson"'
    assert "Link" not in response.headers
    told = lines_of(response)
    assert [job["id"] for job in told] == ids
    assert told[:100] == body_of(await ask(f"{JOBS}?limit=100"))["items"]


async def test_a_filter_and_a_cursor_say_what_is_among_them(ask: Ask, house: House) -> None:
    ids = await many(house, 230)
    page = body_of(await ask(f"{JOBS}?type=echo&limit=3"))
    rest = lines_of(await ask(f"{JOBS}?type=echo&format=ndjson&cursor={page['next_cursor']}"))
    assert [job["id"] for job in page["items"] + rest] == ids[1::2]


async def test_an_empty_list_is_an_empty_answer_or_the_names_of_the_columns(ask: Ask) -> None:
    response = await ask(f"{JOBS}?format=ndjson")
    assert (response.code, response.body) == (200, b"")
    assert rows_of(await ask(f"{JOBS}?format=csv")) == []


async def test_csv_has_a_row_for_each_job_and_no_formula(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "c1", because="=HYPERLINK(1)")
    await (await take(house, await submit(house, "f1", priority=-5))).error("-1 tray", code="paper", retry=False)
    response = await ask(f"{JOBS}?format=csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["Content-Disposition"] == 'attachment; filename="jobs.csv"'
    failed, cancelled = rows_of(response)
    assert cancelled["detail"] == "'=HYPERLINK(1)"
    assert (failed["id"], failed["state"], failed["priority"]) == ("f1", "failed", "-5")
    assert (failed["error_code"], failed["error_message"]) == ("paper", "'-1 tray")


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("", "text/csv, */*;q=0.1", "text/csv"),
        ("format=csv", "application/json", "text/csv"),
        ("format=json", "text/csv", "application/json"),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ],
)
async def test_the_query_says_the_format_before_the_accept_header_does(
    ask: Ask, query: str, accept: str, kind: str
) -> None:
    response = await ask(f"{JOBS}?{query}", headers={"Accept": accept})
    assert response.headers["Content-Type"].partition(";")[0] == kind
    assert response.headers["Vary"] == "Origin, Accept"


@pytest.mark.parametrize("chosen", ["ndjson", "csv"])
async def test_a_head_has_what_the_head_of_the_answer_has_and_no_more(ask: Ask, house: House, chosen: str) -> None:
    await many(house, 3)
    got, asked = [await ask(f"{JOBS}?format={chosen}", method) for method in ("GET", "HEAD")]
    assert (asked.code, asked.body) == (200, b"")
    own = {"Date", "X-Request-Id", "Transfer-Encoding"}
    assert {name: text for name, text in asked.headers.items() if name not in own} == {
        name: text for name, text in got.headers.items() if name not in own
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("format=xlsx", "format must be one of json, ndjson, csv."),
        ("format=csv&limit=5", "limit is for pages: a whole list has none. Stop reading when you have enough, "),
        ("format=csv&cursor=odd", "cursor: take it unchanged from an earlier answer's next_cursor"),
        ("format=csv&state=done", "state must be one of "),
        ("format=csv&format=ndjson", "format stands there 2 times; it can be given once."),
    ],
)
async def test_what_cannot_be_is_refused_in_words_before_anything_is_written(ask: Ask, query: str, words: str) -> None:
    for method in ("GET", "HEAD"):
        response = await ask(f"{JOBS}?{query}", method)
        assert response.code == 400
        assert response.headers["Content-Type"].startswith("application/problem+json")
        assert method == "HEAD" or body_of(response)["detail"].startswith(words)


@pytest.mark.parametrize("settings", [Settings(public_url="https://intranet.example/office/")])
async def test_links_lead_through_the_proxy(ask: Ask, house: House) -> None:
    [job_id] = await many(house, 1)
    [job] = lines_of(await ask(f"{JOBS}?format=ndjson", headers={"Host": "intranet.example"}))
    links = job["links"]
    assert isinstance(links, dict)
    assert links["self"] == f"/office/api/v1/jobs/{job_id}"


async def test_the_fields_of_a_list_are_those_of_a_line(house: House) -> None:
    job = await submit(house)
    assert tuple(job_line(replace(job), None)) == LINE_FIELDS
