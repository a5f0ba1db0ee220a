"""Text of others stays text, in every field, on every page."""

from __future__ import annotations

import json
import re
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from handlers.console.changing import CHANGED
from tests.handlers.conftest import Browser, Scene
from tests.support.house import House
from tests.support.scenes import Try, a_job, submit

CORPUS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><img src=x onerror=alert(1)>",
    "</option></select><svg onload=alert(1)>",
    "</td></tr></table><b>x</b>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=//evil.example><input name=_xsrf>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{color:red}</style>",
    "<!-- --><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><x onclick=alert(1)>",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "` onmouseover=alert(1) `",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=\"x`<script>alert(1)</script>\"`>",
    "<\u0000script>alert(1)</script>",
    "<script\u2028>alert(1)</script>",
    "\u202e<script>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-<i>",
    "\uff1cscript\uff1e<i>alert(1)</i>",
    "{{ 7*7 }}<i>{% raw handler %}</i>",
    "{% import os %}<b>",
    "&lt;script&gt;<i>&amp;lt;",
    "&#60;script&#62;<i>",
    "<x y='&quot;>",
    "]]><x>",
    "<!--<i>",
]  # fmt: skip
ALLOWED_SCRIPTS = re.compile(r"/static/(submit|patch|console|refresh|keys|try)\.js\?v=[0-9a-f]{12}|/static/worker\.js")
#: Elements that the pages have by themselves.
OURS = (("svg", "bars"), ("details", "described"), ("details", "stack"), ("details", "more"), ("style", "record"))


class Elements(HTMLParser):
    """Finds what would run, load or leave the page; keeps the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.text: list[str] = []
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.values += given.values()
        if tag in ("iframe", "object", "embed", "base", "svg", "math", "style", "details", "i", "b", "x") and (
            (tag, given.get("class")) not in OURS
        ):
            self.bad.append(tag)
        if tag == "script" and not ALLOWED_SCRIPTS.fullmatch(given.get("src", "")):
            self.bad.append(f"script {given}")
        for name, value in given.items():
            if name.startswith("on") or name == "style":
                self.bad.append(f"{tag} {name}")
            if name in ("href", "src", "action") and not value.startswith(("/", "?", "#", "data:")):
                self.bad.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action") and value.startswith("//"):
                self.bad.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


async def write_everywhere(house: House, evil: str) -> None:
    """Puts this text wherever somebody else's text can stand, even where the protocol and the API would refuse it."""
    house.enlist("quiet", evil, remote=evil, name=evil, worker=evil, slots=4, labels=((evil, evil),))
    house.pages.quiet("quiet", house.clock.monotonic())
    last = [JobState.RUNNING, JobState.QUEUED]  # a page that comes takes a waiting job
    for state in [*(state for state in JobState if state not in last), *last]:
        options: dict[str, Any] = {
            "type": evil,
            "data": json.dumps(evil),
            "key": f"{state}{evil}",
            "summary": evil,
            "tags": (evil,),
        }
        if state in (JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.IN_DOUBT):
            once = {"effects": "once"} if state is JobState.IN_DOUBT else {}
            await write_on(house, await submit(house, f"j-{state}", **options, **once), state, evil)
        else:
            await a_job(house, state, f"j-{state}", because=evil, **options)
    await submit(house, "j-plain", type="plain", data=json.dumps(evil), summary=evil, tags=(evil,))
    await submit(house, "j-required", type="echo", requires=requirement_of({evil: [evil, "x"], "name": evil}))


async def write_on(house: House, job: JobView, state: JobState, evil: str) -> None:
    """A page has the job, and says this text about it."""
    sid = f"page-{state}"
    said = {"versions": {evil: evil}, "unloaded": {f"x{evil}": evil}}
    house.enlist(sid, evil, remote=evil, name=evil, worker=f"{state}{evil}", **said)
    house.shipped = {evil: "aaaaaaaaaaaa-1764489600"}
    house.pages.sessions[sid].page = {evil: evil}
    [_, offer] = await house.hear(sid)
    tried = Try(house, job.id, sid, offer["attempt"])
    await tried.say("accept")
    await tried.say("progress", percent=5.0, note=evil)
    await tried.say("log", line=evil)
    if state is JobState.SUCCEEDED:
        await tried.result(json.dumps({"image": evil}))
    elif state is JobState.FAILED:
        await tried.error(evil, stack=evil, code=evil, retry=False)
    elif state is JobState.IN_DOUBT:
        await tried.leave()


def spoken(elements: Elements) -> str:
    """All texts of a page, with the direction marks that it spells out."""
    text = " ".join(elements.text + elements.values)
    return re.sub(r"\[U\+(20[26][0-9A-E])\]", lambda mark: chr(int(mark[1], 16)), text)


def check(body: bytes, evil: str) -> Elements:
    text = body.decode()
    elements = Elements()
    elements.feed(text)
    elements.close()
    assert not elements.bad, elements.bad
    if "<" in evil or '"' in evil:
        assert evil not in text, "it stands in the page as it is"
    return elements


@pytest.fixture
def evil(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scene(evil: str) -> Scene:
    return partial(write_everywhere, evil=evil)


@pytest.mark.gen_test
@pytest.mark.parametrize("evil", CORPUS, indirect=True)
async def test_what_others_wrote_is_text_on_every_page(browser: Browser, evil: str) -> None:
    shown = 0
    for path in (
        "/",
        "/jobs",
        "/workers",
        "/types",
        "/submit",
        "/board",
        "/rollout",
        *(f"/jobs/j-{state}" for state in [*JobState, "required"]),
        "/jobs/j-queued/try",  # its task is elsewhere
        "/jobs/j-plain/try",
        *(f"/jobs/j-{state}/record?beside=j-failed" for state in JobState),
    ):
        response = await browser.get(path)
        assert response.code == 200
        elements = check(response.body, evil)
        shown += evil.split("\u0000")[0][:40] in spoken(elements)
    assert shown == 18 + len(JobState), "each page shows it, as text"


@pytest.mark.gen_test
@pytest.mark.parametrize("evil", CORPUS, indirect=True)
async def test_what_is_in_the_address_or_typed_is_text(browser: Browser, house: House, evil: str) -> None:
    escaped = quote(evil)
    paths = [f"/jobs?type={escaped}", f"/jobs?state={escaped}", f"/submit?type={escaped}", f"/submit?like={escaped}"]
    paths += [f"/jobs?requires={escaped}:{escaped}&worker={escaped}", f"/workers?label={escaped}:{escaped}"]
    paths += [
        "/submit?like=j-required",
        "/jobs/j-required?change=1",
        f"/submit?worker={escaped}",
        f"/board?label={escaped}:{escaped}&type={escaped}",
    ]
    paths += [f"/jobs?q={escaped}", f"/jobs/j-succeeded?q={escaped}"]
    paths += [f"/workers?x={escaped}&refresh=5", f"/nope/{escaped}", f"/jobs/{escaped}", f"/login?next={escaped}"]
    paths += [f"/me?next={escaped}", f"/help?x={escaped}", f"/board?{escaped}={escaped}"]
    for path in paths:
        check((await browser.get(path, headers={"X-Request-Id": "a"})).body, evil)
    told = await browser.post("/me", {"person": evil, "next": "/jobs/j-succeeded"}, "/me")
    assert told.code == (303 if " ".join(evil.split()).isprintable() else 422)
    check(told.body if told.code == 422 else (await browser.get("/jobs/j-succeeded")).body, evil)
    names = (
        "type", "type_choice", "format", "data", "worker", "labels", "priority", "delay_s", "timeout_s", "max_attempts",
        "image",
    )  # fmt: skip
    response = await browser.post("/submit", dict.fromkeys(names, evil))
    assert response.code == 422
    elements = check(response.body, evil)
    assert evil.split("\u0000")[0][:40] in spoken(elements)
    response = await browser.post("/jobs/j-required/change", dict.fromkeys((*CHANGED, "version"), evil))
    assert response.code == 409, "another version"
    assert evil.split("\u0000")[0][:40] in spoken(check(response.body, evil))
    worker = (await house.register("plain", "plain"))["worker"]
    response = await browser.post(f"/workers/{worker}/describe", dict.fromkeys(("name", "note", "labels"), evil))
    assert response.code == 422, "no label"
    assert evil.split("\u0000")[0][:40] in spoken(check(response.body, evil))
