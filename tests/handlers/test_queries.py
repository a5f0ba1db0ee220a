"""A field of an address that nobody knows is refused: a list that overlooked its filter would list everything."""

from __future__ import annotations

from html import unescape

import pytest

from dispatcher.config.settings import Settings
from handlers import queries
from handlers.base import ApiHandler
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask, Browser, Scene, body_of
from tests.handlers.rich import rich
from tests.support.house import House

pytestmark = pytest.mark.gen_test

#: The API alone has the first ones.
INSTANTS = "key, owner, error, q, created_after, created_before, ended_after, ended_before, snippets, "
SHAPE = ", format, fields"
OF_JOBS = f"It takes state, type, requires, worker, tag, batch, {INSTANTS}limit, cursor{SHAPE}."
#: What the pages take besides.
OF_PAGES = {"jobs": "clock, tick, ", "workers": "tick, ", "types": ""}
#: (list, its query, what is said)
MISTYPED = [
    ("jobs", "status=failed", f"status is not a field of this address; did you mean state? {OF_JOBS}"),
    ("jobs", "State=failed", f"State is not a field of this address; did you mean state? {OF_JOBS}"),
    ("jobs", "state=failed&text=4711", f"text is not a field of this address. {OF_JOBS}"),
    ("jobs", "require=name:A", f"require is not a field of this address; did you mean requires? {OF_JOBS}"),
    ("jobs", "broken", f"broken is not a field of this address. {OF_JOBS}"),
    ("jobs", "status=", f"status is not a field of this address; did you mean state? {OF_JOBS}"),
    ("jobs", "a%0D%0Ab%FF=1", f"a\\r\\nb\ufffd is not a field of this address. {OF_JOBS}"),
    (
        "workers",
        "labels=site:berlin",
        "labels is not a field of this address; did you mean label? It takes name, type, state, label, limit, cursor.",
    ),
    ("types", "prefix=print", "prefix is not a field of this address. It takes q, limit, cursor."),
]


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.mark.parametrize(("path", "query", "words"), MISTYPED)
async def test_a_field_that_no_list_has_is_refused_with_the_one_that_was_meant(
    ask: Ask, browser: Browser, path: str, query: str, words: str
) -> None:
    refused = await ask(f"/api/v1/{path}?{query}")
    assert (refused.code, body_of(refused)["code"], body_of(refused)["detail"]) == (400, "bad_parameter", words)
    words = (
        words.replace(SHAPE, "")
        .replace("cursor.", f"cursor, {OF_PAGES[path]}refresh.")
        .replace(f"batch, {INSTANTS}", "owner, batch, q, created_after, created_before, ended_after, ended_before, ")
    )
    page = await browser.get(f"/{path}?{query}")
    assert page.code == 400
    assert f"<strong>Nothing is listed.</strong> {words} <a" in unescape(page.body.decode())
    text = await ask(f"/{path}?{query}")
    assert (text.code, text.body.decode()) == (400, f"400 Bad Request: {words}\n")


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        (
            "GET",
            "jobs/done-1?waits=5",
            "waits is not a field of this address; did you mean wait? It takes wait, fields.",
        ),
        ("HEAD", "jobs/done-1?waits=5", ""),
        ("GET", "jobs/done-1/result?full=1", "full is not a field of this address. It takes wait."),
        (
            "GET",
            "stats?typ=echo",
            "typ is not a field of this address; did you mean type? It takes type, window, marks.",
        ),
        ("GET", "nodes?type=echo", "type is not a field of this address: it takes none."),
        ("GET", "backups?type=echo", "type is not a field of this address: it takes none."),
        (
            "POST",
            "jobs?wait=5",
            "wait is not a field of this address: it takes none. A job is submitted and waited for with the header "
            "'Prefer: wait=N'.",
        ),
        (
            "POST",
            "jobs/doubt-1/decide?outcome=failed",
            "outcome is not a field of this address: it takes none. A POST says what it wants in its body.",
        ),
    ],
)
async def test_no_address_of_the_api_overlooks_a_field(ask: Ask, method: str, path: str, words: str) -> None:
    refused = await ask(f"/api/v1/{path}", method, headers={"Content-Type": "application/json"})
    assert refused.code == 400
    assert words == (body_of(refused)["detail"] if refused.body else "")


def test_every_address_of_the_api_says_what_its_query_may_have(
    house: House, settings: Settings, tasks: TaskDirectory
) -> None:
    found = {route.name or "": route.handler_class for route in routes(house.dispatcher, settings, tasks)}
    told = {name: kind.query_fields for name, kind in found.items() if issubclass(kind, ApiHandler)}
    assert {name: fields for name, fields in told.items() if fields} == {
        "api-audit": queries.ACTS,
        "api-jobs": queries.JOBS,
        "api-job": ("wait", "fields"),
        "api-result": ("wait",),
        "api-job-log": ("q",),
        "api-batch-view": ("wait",),
        "api-operation": ("wait",),
        "api-webhook-dead": ("cursor",),
        "api-webhook-deliveries": ("failed", "cursor"),
        "api-events": queries.CHANGES,
        "api-changes": (*queries.CHANGES, "wait"),
        "api-workers": queries.WORKERS,
        "api-types": queries.TYPES,
        "api-stats": queries.STATS,
        "api-quarter": queries.QUARTER,
        "api-failures": queries.FAILURES,
    }


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/jobs"])
async def test_a_field_that_is_given_twice_is_refused_and_not_half_obeyed(ask: Ask, path: str) -> None:
    refused = await ask(f"{path}?type=a&type=b")
    assert refused.code == 400
    assert b"type stands there 2 times; it can be given once." in refused.body
    assert (await ask(f"{path}?state=failed&state=")).code == 200, "an empty one does not count"
    assert (await ask(f"{path}?requires=site:berlin&requires=name:A")).code == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("jobs", "state"),
        ("jobs", "type"),
        ("jobs", "worker"),
        ("jobs", "requires"),
        ("workers", "name"),
        ("workers", "label"),
        ("types", "q"),
    ],
)
@pytest.mark.parametrize("blank", ["%20", "+", "%00", "%09%0A"])
async def test_a_filter_of_blanks_does_not_list_everything(
    ask: Ask, browser: Browser, path: str, field: str, blank: str
) -> None:
    words = f"{field} holds nothing but blanks: leave it out, or say what is meant."
    refused = await ask(f"/api/v1/{path}?{field}={blank}")
    assert (refused.code, body_of(refused)["detail"]) == (400, words)
    assert words in (await browser.get(f"/{path}?{field}={blank}")).body.decode()


@pytest.mark.parametrize("path", ["/jobs", "/workers", "/types"])
async def test_every_list_of_the_console_may_load_itself_anew(browser: Browser, path: str) -> None:
    assert (await browser.get(f"{path}?refresh=5&limit=2")).code == 200


async def test_asking_what_an_address_takes_is_no_query(ask: Ask) -> None:
    assert (await ask("/api/v1/stats?x=1", "OPTIONS")).code == 204
