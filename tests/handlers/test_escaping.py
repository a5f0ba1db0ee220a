"""What others wrote is text, in every field, on every page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from dispatcher.core.jobs.model import LogLine, TypeView
from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Browser
from tests.handlers.fake_service import FakeService, job_view
from tests.handlers.rich import attempt, worker

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
ALLOWED_SCRIPTS = re.compile(r"/static/(submit)\.js\?v=[0-9a-f]{12}")


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
        if tag in ("iframe", "object", "embed", "base", "svg", "math", "style", "details", "i", "b", "x"):
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


def service_of(evil: str) -> FakeService:
    """A service with this text wherever somebody else's text can stand."""
    service = FakeService()
    error = json.dumps({"message": evil, "stack": evil, "code": evil})
    tried = attempt(1, evil, 9, error=error, worker=evil, worker_name=evil)
    names = ("type", "detail", "reason", "key", "note", "worker", "worker_name")
    common: dict[str, Any] = dict.fromkeys(names, evil) | {"data": json.dumps(evil), "error": error, "percent": 5.0}
    common |= {"offered_at": 1.0, "started_at": 2.0, "attempts": [tried], "log": [LogLine(at=1.0, line=evil)]}
    for state in JobState:
        result = json.dumps({"image": evil}) if state is JobState.SUCCEEDED else None
        service.put(job_view(id=f"j-{state}", state=state, result=result, **common))
    service.waits = {"j-queued": evil, "j-scheduled": evil}
    service.type_views = [
        TypeView(type=evil, offered_at=None, counts={"queued": 3, evil: 1}),
        TypeView(type="x", offered_at=1.0, counts={}),
    ]
    service.worker_views = [
        worker(evil, evil, "quiet", types=[evil], jobs=["j-running"], page={evil: evil}, remote=evil),
        worker("w", "", "connected", jobs=[evil], slots=4),
    ]
    return service


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
def service(evil: str) -> FakeService:
    return service_of(evil)


@pytest.mark.gen_test
@pytest.mark.parametrize("evil", CORPUS, indirect=True)
async def test_what_others_wrote_is_text_on_every_page(browser: Browser, evil: str) -> None:
    shown = 0
    for path in ("/", "/jobs", "/workers", "/types", "/submit", *(f"/jobs/j-{state}" for state in JobState)):
        response = await browser.get(path)
        assert response.code == 200
        elements = check(response.body, evil)
        shown += evil.split("\u0000")[0][:40] in " ".join(elements.text + elements.values)
    assert shown == 13, "each page shows it, as text"


@pytest.mark.gen_test
@pytest.mark.parametrize("evil", CORPUS, indirect=True)
async def test_what_is_in_the_address_or_typed_is_text(browser: Browser, evil: str) -> None:
    escaped = quote(evil)
    paths = [f"/jobs?type={escaped}", f"/jobs?state={escaped}", f"/submit?type={escaped}", f"/submit?like={escaped}"]
    paths += [f"/workers?x={escaped}&refresh=5", f"/nope/{escaped}", f"/jobs/{escaped}", f"/login?next={escaped}"]
    for path in paths:
        check((await browser.get(path, headers={"X-Request-Id": "a"})).body, evil)
    names = ("type", "type_choice", "format", "data", "priority", "delay_s", "timeout_s", "max_attempts", "image")
    response = await browser.post("/submit", dict.fromkeys(names, evil))
    assert response.code == 422
    elements = check(response.body, evil)
    assert evil.split("\u0000")[0][:40] in " ".join(elements.text + elements.values)
