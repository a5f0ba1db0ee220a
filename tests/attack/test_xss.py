"""Text of submitters and pages never runs in the console: hostile text in every field, real pages in Chromium.

Each page is opened twice: as it is, where the policy must have had nothing to block, and with the policy switched off,
because in IE 11 escaping is the only defence.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

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
#: What may end the place where a text stands, and what would run behind it.
ENDS = ["", '">', "'>", "-->", "</textarea>", "</title></style>", "</script>", "</option></select>", "]]>", "`>"]
RUNS = [
    "<script>alert(1)</script>",
    "<script src=data:,alert(1)></script>",
    "<img src=x:y onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input onfocus=alert(1) autofocus>",
    "<select onfocus=alert(1) autofocus></select>",
    "<button autofocus onfocus=alert(1)>x</button>",
    "<video src=x:y onerror=alert(1)></video>",
    "<audio src=x:y onerror=alert(1)></audio>",
    "<style onload=alert(1)>x{}</style>",
    "<link rel=stylesheet href=data:text/css,x onload=alert(1)>",
    "<math><mtext><img src=x:y onerror=alert(1)></mtext></math>",
    "<template><img src=x:y onerror=alert(1)></template><i>",
    "<noscript><p title='</noscript><img src=x:y onerror=alert(1)>'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=javascript:alert(1)//><a href=x>x</a>",
    "<form action=javascript:alert(1)><input type=submit autofocus>",
    "<x style=animation-name:x onanimationstart=alert(1)>x</x>",
    "<marquee onstart=alert(1)>x</marquee>",
]
EVERY = list(dict.fromkeys([*CORPUS, *MORE, *(f"{end}{run}" for run in RUNS for end in ENDS)]))
#: ``make fuzz`` takes them all: some 300.
EACH = 1 if os.environ.get("PAGEHAND_XSS") == "all" else 24
PAYLOADS = [payload.replace("alert(1)", SCRIPT) for payload in EVERY[::EACH]]
#: The address of a list's next page; null: this is the last.
NEXT = "(document.querySelector('a[rel=next]') && document.querySelector('a[rel=next]').getAttribute('href'))"
#: Elements that no page of the console has by itself. (``img.picture`` shows a picture of a job's data.)
OURS = ("svg:not(.bars)", "details:not(.defaults):not(.described):not(.more)", "img:not(.picture)")
FOREIGN = ",".join((*OURS, "math,iframe,object,embed,base,i,b,x,style,video,template"))
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


class Filled(NamedTuple):
    """Filled, one of each, and their worker: full of the same payload."""

    done: str
    failed: str
    running: str
    cancelled: str
    waiting: str
    #: Its task is here.
    echo: str
    worker: str


def plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def ask(server: Live, method: str, path: str, **body: object) -> None:
    """Asks the API, which must take it."""
    reply = server.ask(method, f"/api/v1/{path}", json.dumps(body), JSON)
    assert 200 <= reply.status < 300, reply


def fill(server: Live, number: int, payload: str) -> Filled:
    """Fills every field that takes text, through the API and a page without manners."""
    kind, agent = f"xss-{number}", payload if plain(payload) else "x"
    page = Page(server, headers={"User-Agent": agent})
    worker = page.register(
        kind,
        name=payload[:100],
        slots=4,
        page={"agent": payload, payload[:200]: 1},
        labels={"site": payload[:200]},
    )["worker"]
    named = _named(payload)
    data = {payload: payload, "image": payload}
    jobs = [server.submit(kind, data, terms=named, **_key(payload, n)) for n in range(3)]
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
    ask(server, "POST", f"jobs/{cancelled}/cancel", reason=payload)
    waiting = server.submit(f"nobody-{number}", payload, terms=named)["id"]
    ask(server, "PATCH", f"jobs/{waiting}", requires={"site": payload[:200].strip()} if plain(payload) else {})
    if plain(payload):
        ask(server, "POST", f"workers/{worker}/pause", reason=payload[:200])
        ask(server, "POST", f"types/{kind}/pause", reason=payload[:200])
        ask(server, "PATCH", f"workers/{worker}", name=payload[:100], note=payload, labels={"room": payload[:100]})
    echo = server.submit("echo", data, terms=named)["id"]
    return Filled(done, failed, running, cancelled, waiting, echo, worker)


def _named(payload: str) -> dict[str, Any]:
    """What people call a job."""
    return {"tags": [payload[:100].strip()], "summary": payload[:200]} if plain(payload) else {}


def _key(payload: str, number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"{number} {payload}"} if plain(payload) else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("xss"), "--ping-interval-s", "120", "--ping-timeout-s", "120") as running:
        yield running


@pytest.fixture(scope="module")
def written(server: Live) -> list[Filled]:
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
    assert [src for src in seen["scripts"] if not src.startswith(("/static/", "/tasks/echo.js"))] == [], path
    assert seen["links"] == 0, path
    assert seen["path"] == path.partition("?")[0]
    return seen


def words(text: str) -> str:
    """The text as people see it: NUL is dropped, the console names marks of direction, white space does not count."""
    named = re.sub("[\u202a-\u202e]", lambda mark: f"[U+{ord(mark[0]):04X}]", text.replace("\0", "\ufffd"))
    return "".join(named.split())


def test_hostile_text_is_text_on_every_page_of_a_job(server: Live, chromium: Chromium, written: list[Filled]) -> None:
    for payload, jobs in zip(PAYLOADS, written, strict=True):
        failed = look(chromium, server, f"/jobs/{jobs.failed}")
        # Message, stack, code, and both again at the attempt; the log's line; the worker's name.
        assert words(failed["text"]).count(words(payload)[:90]) >= 5, payload
        for job_id in (jobs.done, jobs.running, jobs.cancelled):
            seen = look(chromium, server, f"/jobs/{job_id}?refresh=0&full=1")
            assert words(payload)[:90] in words(seen["text"]) or '"' in payload or "\\" in payload, payload
        look(chromium, server, f"/jobs/{jobs.waiting}?change=1")
        look(chromium, server, f"/jobs/{jobs.waiting}/try")


def test_hostile_text_is_text_where_a_task_is_tried(server: Live, chromium: Chromium, written: list[Filled]) -> None:
    """Its data, and its result, which is the same."""
    for payload, jobs in zip(PAYLOADS, written, strict=True):
        look(chromium, server, f"/jobs/{jobs.echo}/try")
        until(lambda: not chromium.run("document.getElementById('run').disabled"))
        chromium.run("document.getElementById('run').click()")
        until(partial(_shows, chromium, words("Nothing was recorded")))
        seen = chromium.run(LOOK)
        assert (seen["pwned"], seen["violations"], seen["foreign"], seen["links"]) == ("", [], [], 0), payload
        result = json.loads(chromium.run("document.getElementById('value').textContent"))
        assert words(result["image"]) == words(payload), payload


def test_hostile_text_is_text_on_the_page_of_a_worker(server: Live, chromium: Chromium, written: list[Filled]) -> None:
    for payload, filled in zip(PAYLOADS, written, strict=True):
        if plain(payload):  # of the others nothing is kept: they may have gone
            seen = look(chromium, server, f"/workers/{filled.worker}?refresh=0")
            assert words(seen["text"]).count(words(payload)[:90]) >= 2, payload


def test_hostile_text_is_text_on_the_page_of_a_type(server: Live, chromium: Chromium, written: list[Filled]) -> None:
    for number, payload in enumerate(PAYLOADS[: len(written)]):
        if plain(payload):
            seen = look(chromium, server, f"/types/xss-{number}?refresh=0")
            assert words(payload)[:90] in words(seen["text"]), payload


def test_hostile_text_in_an_address_is_text(server: Live, chromium: Chromium) -> None:
    for payload in PAYLOADS:
        evil = quote(payload)
        for path in (
            f"/jobs?q={evil}&type={evil}&tag={evil}&worker={evil}&requires=a:{evil}",
            f"/workers?label=a:{evil}&name={evil}&type={evil}",
            f"/types?q={evil}",
            f"/board?label=a:{evil}&type={evil}",
            f"/submit?worker={evil}&type={evil}",
            f"/nope/{quote(evil)}",
        ):
            look(chromium, server, path)


def _page(server: Live, name: str) -> str:
    """The id of the page that works, once it has this name."""
    items = server.ask("GET", "/api/v1/workers?type=word-count&state=connected").json()["items"]
    return next((str(item["id"]) for item in items if words(item["name"]) == words(name)), "")


def _shows(chromium: Chromium, text: str) -> bool:
    return text in words(chromium.run(LOOK)["text"])


def test_hostile_text_is_text_on_the_page_that_works(server: Live, chromium: Chromium) -> None:
    """The person there sees its name, and why it is paused and by whom."""
    for payload in filter(plain, PAYLOADS):
        chromium.open(f"{server.url}/worker?types=word-count&name={quote(payload[:100])}")
        worker = until(partial(_page, server, payload[:100]), 20, "the page")
        ask(server, "POST", f"workers/{worker}/pause", reason=payload[:200])
        until(partial(_shows, chromium, words(payload)[:60]), 20, "the reason")
        seen = chromium.run(LOOK)
        assert (seen["pwned"], seen["violations"], seen["foreign"], seen["links"]) == ("", [], [], 0), payload


def test_hostile_text_is_text_on_every_list(server: Live, chromium: Chromium, written: list[Filled]) -> None:
    shown = ""
    for path in (
        "/",
        "/jobs?limit=100",
        "/jobs?limit=100&state=failed",
        "/workers",
        "/types",
        "/submit",
        "/board",
        "/rollout",
    ):
        following: str | None = path
        while following is not None:
            shown += words(look(chromium, server, following)["text"])
            following = chromium.run(NEXT)
    missing = [payload for payload in PAYLOADS if words(payload)[:90] not in shown]
    assert missing == []
    for jobs in written:
        look(chromium, server, f"/submit?like={jobs.done}")


def test_json_is_never_a_page(server: Live, chromium: Chromium, written: list[Filled]) -> None:
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
