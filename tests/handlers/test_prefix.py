"""Everything under a path of a larger site: ``--public-url https://host/jobs/``."""

from __future__ import annotations

import json
import re

import pytest

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from handlers.prefix import OWN, Prefix
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask, Browser, Scene, body_of
from tests.handlers.rich import rich
from tests.support.house import House
from tests.support.http import JSON

TOKEN = "s3cret"
CONSOLE = (
    "/",
    "/?at=-1h",
    "/docs",
    "/jobs",
    "/jobs/running-1",
    "/jobs/running-1/try",
    "/workers",
    "/types",
    "/submit",
    "/login",
    "/jobs/nope",
    "/nowhere",
)


@pytest.fixture(params=["https://host.example/jobs/", "https://host.example/jobs", "http://host.example/a/b-c"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(public_url=request.param, token=TOKEN)


@pytest.fixture
def prefix(settings: Settings) -> str:
    return settings.public_path


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.mark.parametrize(
    ("prefix", "path", "own"),
    [
        # The proxy has taken it away, or there is none.
        ("/pagehand", "/submit", "/submit"),
        ("/pagehand", "/jobs/01a2", "/jobs/01a2"),
        ("", "/jobs", "/jobs"),
        # The proxy has left it.
        ("/pagehand", "/pagehand", "/"),
        ("/pagehand", "/pagehand/", "/"),
        ("/pagehand", "/pagehand/jobs/01a2/cancel", "/jobs/01a2/cancel"),
        ("/pagehand", "/pagehand/nowhere", "/nowhere"),
        ("/pagehand", "/pagehandy/submit", "/pagehandy/submit"),
        ("/a/b-c", "/a/b-c/submit", "/submit"),
        ("/a/b-c", "/a/submit", "/a/submit"),
        # It is a name of our own: what follows tells.
        ("/jobs", "/jobs/", "/"),
        ("/jobs", "/jobs/submit", "/submit"),
        ("/jobs", "/jobs/jobs", "/jobs"),
        ("/jobs", "/jobs/jobs/01a2", "/jobs/01a2"),
        ("/jobs", "/jobs/api/v1/jobs", "/api/v1/jobs"),
        ("/jobs", "/jobs/01a2", "/jobs/01a2"),
        ("/jobs", "/jobs/01a2/cancel", "/jobs/01a2/cancel"),
        ("/jobs", "/jobs", "/jobs"),
        ("/api", "/api/v1/jobs", "/api/v1/jobs"),
        ("/api", "/api/api/v1/jobs", "/api/v1/jobs"),
        ("/worker", "/worker", "/worker"),
        ("/worker", "/worker/worker", "/worker"),
    ],
)
def test_a_proxy_may_leave_the_prefix_or_take_it_away(prefix: str, path: str, own: str) -> None:
    assert Prefix(prefix).without(path) == own


def test_the_names_of_ours_are_those_of_all_addresses(house: House, settings: Settings, tasks: TaskDirectory) -> None:
    """A path that begins with one of them can be ours."""
    firsts = {
        re.sub(r"[^\w.].*", "", route.regex.pattern[1:].replace("\\.", "."))
        for route in routes(house.dispatcher, settings, tasks)
        if route.name != "not-found"
    }
    assert firsts | {"engine.io"} == OWN


@pytest.mark.gen_test
@pytest.mark.parametrize("left", [True, False], ids=["left by the proxy", "taken away"])
@pytest.mark.parametrize("path", CONSOLE)
async def test_every_link_form_and_file_of_a_page_stands_under_the_prefix(
    ask: Ask, prefix: str, path: str, left: bool
) -> None:
    shown = {"Accept": "text/html", "Authorization": f"Bearer {TOKEN}"}
    page = (await ask((prefix if left else "") + path, headers=shown)).body.decode()
    assert "<html" in page
    found = re.findall(r'\s(?:href|action|src)="([^"]*)"', page)
    away = [link for link in found if link.startswith("/") and not link.startswith(f"{prefix}/")]
    assert (len(found) > 5, away) == (True, [])
    for link in sorted({link.replace("&amp;", "&") for link in found if "." in link or link.endswith("/submit")}):
        plain = link if left else link.removeprefix(prefix)
        assert (await ask(plain, headers=shown)).code == 200, link
    here = ["here" in page] if path in ("/", "/jobs", "/workers", "/types", "/submit") else [True]
    assert here == [True], "the menu knows its page"


@pytest.mark.gen_test
async def test_signing_in_and_submitting_lead_to_pages_under_the_prefix(browser: Browser, prefix: str) -> None:
    asked = await browser.get(f"{prefix}/submit?type=x")
    assert (asked.code, asked.headers["Location"]) == (303, f"{prefix}/login?next=%2Fsubmit%3Ftype%3Dx")
    [line] = (await browser.get(f"{prefix}/login")).headers.get_list("Set-Cookie")
    assert line.startswith("pagehand_xsrf=")
    assert f"Path={prefix}" in line.split("; ")
    answer = await browser.post(f"{prefix}/login", {"token": TOKEN, "next": "/jobs"}, f"{prefix}/login")
    assert (answer.code, answer.headers["Location"]) == (303, f"{prefix}/jobs")
    for line in answer.headers.get_list("Set-Cookie"):
        assert f"Path={prefix}" in line.split("; "), line
    answer = await browser.post(f"{prefix}/submit", {"type": "x", "data": "1"}, f"{prefix}/submit")
    assert answer.code == 303
    assert re.fullmatch(rf"{prefix}/jobs/[\w-]+", answer.headers["Location"])
    answer = await browser.post(f"{prefix}/logout", {}, f"{prefix}/submit")
    assert (answer.code, answer.headers["Location"]) == (303, f"{prefix}/login")
    for line in answer.headers.get_list("Set-Cookie"):
        assert f"Path={prefix}" in line.split("; "), line
    assert (await browser.get(f"{prefix}/jobs")).code == 303, "signed out"


@pytest.mark.gen_test
async def test_every_address_that_the_api_names_stands_under_the_prefix(ask: Ask, prefix: str) -> None:
    shown = JSON | {"Authorization": f"Bearer {TOKEN}"}
    made = await ask(f"{prefix}/api/v1/jobs", "POST", headers=shown, body='{"type": "x"}')
    job = body_of(made)
    assert made.headers["Location"] == job["links"]["self"] == f"{prefix}/api/v1/jobs/{job['id']}"
    assert (await ask(job["links"]["self"], headers=shown)).code == 200
    batch = await ask(f"{prefix}/api/v1/jobs/batch", "POST", headers=shown, body='[{"type": "x"}, {"type": "x"}]')
    listed = await ask(f"{prefix}/api/v1/jobs?limit=2", headers=shown)
    assert listed.headers["Link"].startswith(f"<{prefix}/api/v1/jobs?")
    for item in (job, *body_of(batch)["items"], *body_of(listed)["items"]):
        assert all(link.startswith(f"{prefix}/") for link in item["links"].values())
    wrong = await ask(f"{prefix}/api/v1/nowhere", headers=shown)
    assert json.loads(wrong.body)["instance"] == f"{prefix}/api/v1/nowhere"


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/worker", "/static/worker.js", "/tasks/index.json"])
async def test_pages_and_probes_are_there_with_the_prefix_and_without(ask: Ask, prefix: str, path: str) -> None:
    assert [(await ask(before + path)).code for before in ("", prefix)] == [200, 200]


@pytest.mark.gen_test
async def test_the_links_of_a_quarter_and_of_its_marks_stand_under_the_prefix(
    ask: Ask, house: House, prefix: str
) -> None:
    await house.dispatcher.types.pause("fax", "", actor=Actor("anna"))
    told = body_of(await ask("/api/v1/quarter?at=-0s", headers={"Authorization": f"Bearer {TOKEN}"}))
    assert told["links"]["failed"].startswith(f"{prefix}/api/v1/jobs?state=failed&")
    assert told["links"]["console"].startswith(f"{prefix}/?at=")
    [mark] = [mark for mark in told["marks"]["items"] if "fax" in mark["sentence"]]
    assert mark["links"]["console"] == f"{prefix}/types/fax"
