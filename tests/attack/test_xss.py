"""Text of submitters and pages never runs in the console: hostile text in every field, real pages in Chromium.

Each page is opened twice: as it is, where the policy must have had nothing to block, and with the policy switched off,
because in IE 11 escaping is the only defence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.handlers.test_escaping import CORPUS
from tests.page.browsers import Chromium, browsing
from tests.support.http import JSON, Page
from tests.support.server import Live, live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = "(window.top.pwned=document.location.href)"
MORE = [
    '<img src="x:y" onerror=alert(1)>',
    "<video><source onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<progress onfocus=alert(1) autofocus tabindex=1>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\\u003cimg src=x onerror=alert(1)\\u003e<i>",
    "${alert(1)}<i>",
    "</progress><img src=x onerror=alert(1)>",
    "</template></noscript><img src=x onerror=alert(1)>",
]
#: ``make fuzz`` takes them all.
EACH = 1 if os.environ.get("PAGEHAND_XSS") == "all" else 4
PAYLOADS = [payload.replace("alert(1)", SCRIPT) for payload in [*CORPUS, *MORE][::EACH]]
#: Elements that no page of the console has by itself. (``img.picture`` shows a picture of a job's data.)
FOREIGN = "svg,math,iframe,object,embed,base,details,i,b,x,style,video,template,img:not(.picture)"
FOREIGN += ",[onerror],[onload],[onfocus]"
SPY = """
window.violations = [];
document.addEventListener('securitypolicyviolation', function (event) {
  window.violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
});
"""
LOOK = f"""({{
  pwned: window.pwned || '', violations: window.violations,
  foreign: Array.prototype.map.call(
    document.querySelectorAll({json.dumps(FOREIGN)}), function (e) {{ return e.outerHTML; }}),
  scripts: Array.prototype.map.call(document.scripts, function (e) {{ return e.getAttribute('src') || e.outerHTML; }}),
  links: Array.prototype.filter.call(document.links, function (e) {{ return !/^https?:$/.test(e.protocol); }}).length,
  text: document.body.textContent, path: location.pathname
}})"""


class Jobs(NamedTuple):
    """One of each, full of the same payload."""

    done: str
    failed: str
    running: str
    cancelled: str


def plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def fill(server: Live, number: int, payload: str) -> Jobs:
    """Fills every field that takes text, through the API and a page without manners."""
    kind, agent = f"xss-{number}", payload if plain(payload) else "x"
    page = Page(server, headers={"User-Agent": agent})
    page.register(
        kind,
        name=payload[:100],
        slots=4,
        page={"agent": payload, payload[:200]: 1},
        labels={"site": payload[:200]},
    )
    jobs = [server.submit(kind, {payload: payload, "image": payload}, **_key(payload, n)) for n in range(3)]
    offers = {offer["id"]: offer["attempt"] for offer in (page.hear("job") for _ in jobs)}
    done, failed, running = (job["id"] for job in jobs)
    for attempt in offers.values():
        page.say("accept", attempt=attempt)
        page.say("progress", attempt=attempt, percent=5, note=payload)
        page.say("log", attempt=attempt, line=payload)
    page.say("result", attempt=offers[done], value={payload: [payload]})
    page.say("error", attempt=offers[failed], message=payload, stack=payload, code=payload[:200], retry=False)
    for _ in range(2):
        assert page.hear("recorded")["verdict"] == "recorded"
    cancelled = server.submit(f"nobody-{number}", payload)["id"]
    reply = server.ask("POST", f"/api/v1/jobs/{cancelled}/cancel", json.dumps({"reason": payload}), JSON)
    assert reply.status == 200, reply
    return Jobs(done, failed, running, cancelled)


def _key(payload: str, number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"{number} {payload}"} if plain(payload) else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("xss"), "--ping-interval-s", "120", "--ping-timeout-s", "120") as running:
        yield running


@pytest.fixture(scope="module")
def written(server: Live) -> list[Jobs]:
    return [fill(server, number, payload) for number, payload in enumerate(PAYLOADS)]


@pytest.fixture(scope="module", params=[False, True], ids=["with the policy", "without a policy"])
def chromium(request: pytest.FixtureRequest) -> Iterator[Chromium]:
    """One that spies on each page it loads, and heeds the policy or not."""
    with browsing(Chromium()) as browser:
        browser.driver.execute_cdp_cmd("Page.enable", {})
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})
        browser.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": request.param})
        yield browser


def look(chromium: Chromium, server: Live, path: str) -> dict[str, Any]:
    chromium.open(server.url + path)
    seen: dict[str, Any] = chromium.run(LOOK)
    assert seen["pwned"] == "", path
    assert seen["violations"] == [], path
    assert seen["foreign"] == [], path
    assert [src for src in seen["scripts"] if not src.startswith("/static/")] == [], path
    assert seen["links"] == 0, path
    assert seen["path"] == path.partition("?")[0]
    return seen


def words(text: str) -> str:
    """The text as a browser shows it: NUL is dropped, and white space does not count."""
    return "".join(text.replace("\0", "\ufffd").split())


def test_hostile_text_is_text_on_every_page_of_a_job(server: Live, chromium: Chromium, written: list[Jobs]) -> None:
    for payload, jobs in zip(PAYLOADS, written, strict=True):
        failed = look(chromium, server, f"/jobs/{jobs.failed}")
        # Message, stack, code, and both again at the attempt; the log's line; the worker's name.
        assert words(failed["text"]).count(words(payload)[:90]) >= 5, payload
        for job_id in (jobs.done, jobs.running, jobs.cancelled):
            seen = look(chromium, server, f"/jobs/{job_id}?refresh=0&full=1")
            assert words(payload)[:90] in words(seen["text"]) or '"' in payload or "\\" in payload, payload


def test_hostile_text_is_text_on_every_list(server: Live, chromium: Chromium, written: list[Jobs]) -> None:
    shown = ""
    for path in ("/", "/jobs?limit=100", "/jobs?limit=100&state=failed", "/workers", "/types", "/submit"):
        shown += words(look(chromium, server, path)["text"])
    missing = [payload for payload in PAYLOADS if words(payload)[:90] not in shown]
    assert missing == []
    for jobs in written:
        look(chromium, server, f"/submit?like={jobs.done}")


def test_json_is_never_a_page(server: Live, chromium: Chromium, written: list[Jobs]) -> None:
    for jobs in written[::4]:
        for path in (f"/api/v1/jobs/{jobs.done}", f"/api/v1/jobs/{jobs.done}/result", f"/api/v1/jobs/{jobs.failed}"):
            reply = server.ask("GET", path)
            assert reply.headers["content-type"] == "application/json; charset=utf-8"
            assert reply.headers["x-content-type-options"] == "nosniff"
            chromium.open(server.url + path)
            assert not chromium.run("window.pwned")


def test_a_payload_that_were_not_escaped_would_be_seen(server: Live, chromium: Chromium) -> None:
    """The control: the same page, with one payload as markup."""
    look(chromium, server, "/workers")
    chromium.run(f"(document.body.innerHTML = '<img src=x onerror=\"{SCRIPT}\"><i>')")
    seen = until(lambda: (found := chromium.run(LOOK))["foreign"] and (found["pwned"] or found["violations"]) and found)
    assert len(seen["foreign"]) == 2


@pytest.mark.parametrize("kind", ["<b>", "a b", "x\n", "", "a" * 101, "\u0430", "a/b", "..\x00"])
def test_a_type_that_is_none_is_refused_wherever_it_comes_from(server: Live, kind: str) -> None:
    assert server.ask("POST", "/api/v1/jobs", json.dumps({"type": kind}), JSON).status == 422
    page = Page(server)
    page.say("register", types=[kind], boot="b", version=1)
    assert page.hear("refused")["code"] == "bad_message"
