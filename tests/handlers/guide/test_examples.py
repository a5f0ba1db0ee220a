"""The examples of the page: those of curl and Python run against a server; the others are looked at.

JavaScript runs on QuickJS with a stand-in for the browser's requests. PowerShell needs .NET, which Debian does not
have: only its form is checked.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import quickjs

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from handlers.guide.examples import EXAMPLES, Example
from handlers.guide.languages import Where, curl, javascript, powershell, python
from handlers.routes import TaskDirectory, shipped_tasks
from tests.handlers.rich import rich
from tests.handlers.test_browsers import Site
from tests.support.house import House
from tests.support.places import ROOT, environment
from tests.support.scenes import a_job, a_late_answer

TOKEN = "0b6f1c0e-s3cret"
WHERE = Where("http://127.0.0.1:8888", with_token=True)
NAMES = list(EXAMPLES)
#: What is refused: a store in memory cannot be backed up, and the operation is over when it is stopped, nothing is
#: withheld, and the worker offers no task with an example.
REFUSED = {
    "beginBackup": "409",
    "readBackup": "404",
    "stopOperation": "409",
    "releaseRollout": "409",
    "forgetWorker": "409",
    "testWorker": "409",
}
#: The job of each example; the others take one that has succeeded.
JOBS = {
    "changeJob": "needs-1", "removeJob": "cancelled-1", "cancelJob": "wait-1", "retryJob": "failed-1",
    "decideJob": "doubt-1", "adoptResult": "late-1",
}  # fmt: skip


async def scene(house: House) -> None:
    """A job for each example."""
    await rich(house)
    await a_late_answer(house, "late-1")
    await a_job(house, JobState.QUEUED, "wait-1", type="other")


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of its own for each test: examples change jobs."""
    site = Site(scene, Settings(token=TOKEN), TaskDirectory(shipped_tasks()))
    yield site
    site.stop()


@pytest.fixture
def pagehand(tmp_path: Path) -> dict[str, str]:
    """The environment of a program that has the client."""
    (tmp_path / "pagehand").symlink_to(ROOT / "dispatcher" / "sdk")
    return environment() | {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}


def filled(text: str, name: str, known: Mapping[str, str]) -> str:
    """The example with what its reader knows."""
    for placeholder, value in {"JOB": JOBS.get(name, "done-1"), "Bearer TOKEN": f"Bearer {TOKEN}", **known}.items():
        text = text.replace(placeholder, value)
    return text


def ran(*command: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)


def got(site: Site, path: str, *more: str) -> Any:
    return json.loads(ran("curl", "-sf", site.url + path, "-H", f"Authorization: Bearer {TOKEN}", *more).stdout)


def posted(site: Site, path: str, body: str) -> Any:
    return got(site, path, "-H", "Content-Type: application/json", "-d", body)


def known_of(site: Site) -> dict[str, str]:
    """A token, a batch, an operation, a webhook and a worker: each placeholder with its id."""
    token = posted(site, "/api/v1/tokens", '{"name": "till", "scopes": ["submit"]}')
    batch = posted(site, "/api/v1/jobs/batch", '[{"type": "word-count"}]')
    order = posted(site, "/api/v1/jobs/actions", '{"action": "cancel", "filter": {"type": "none"}}')
    webhook = posted(site, "/api/v1/webhooks", '{"url": "https://shop.invalid/"}')
    # The longer placeholder first: the shorter one begins it.
    known = {"abcd12345678": webhook["id"], "abcd1234": token["id"]}
    workers = got(site, "/api/v1/workers?state=connected")["items"]
    return known | {"BATCH": batch["batch"], "OPERATION": order["operation"]["id"], "WORKER": workers[0]["id"]}


def status_of(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.rpartition("\n")[2]


def test_each_example_of_curl_runs(site: Site) -> None:
    known, wrong = known_of(site), []
    for name, example in EXAMPLES.items():
        text = filled(curl(example, Where(site.url, with_token=True)), name, known)
        # The stream has no end.
        limit = " --max-time 1" if name == "followEvents" else ""
        done = ran("sh", "-c", f"{text} -w '\\n%{{http_code}}'{limit}")
        if status_of(done) != REFUSED.get(name, status_of(done)) or (name not in REFUSED and status_of(done)[0] != "2"):
            wrong.append((name, done.stdout, done.stderr))
    assert wrong == []


def test_each_example_in_python_runs(site: Site, pagehand: dict[str, str]) -> None:
    known, wrong = known_of(site), []
    for name, example in EXAMPLES.items():
        if name == "followEvents":
            continue  # it has no end; the next test looks at it
        text = filled(python(example, Where(site.url, with_token=True)), name, known).replace('"TOKEN"', f'"{TOKEN}"')
        done = ran(sys.executable, "-W", "error", "-c", text, environ=pagehand)
        if (done.returncode, done.stdout == "") != ((1, True) if name in REFUSED else (0, False)):
            wrong.append((name, done.stdout, done.stderr))
        if name in REFUSED:
            assert f"HTTP Error {REFUSED[name]}" in done.stderr
    assert wrong == []


def test_the_example_of_the_stream_in_python_shows_its_beginning(site: Site, pagehand: dict[str, str]) -> None:
    text = filled(python(EXAMPLES["followEvents"], Where(site.url, with_token=True)), "followEvents", {})
    program = subprocess.Popen(
        [sys.executable, "-u", "-c", text], env=pagehand, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "retry: 3000\n"
    finally:
        program.kill()
        program.communicate()


def test_a_value_in_python_is_the_same_as_in_json() -> None:
    value = {"yes": True, "no": False, "none": None, "text": 'true "null" \\ ä', "list": [1.5, "false"]}
    text = python(Example(method="POST", target="/x", value=value), WHERE)
    [literal] = re.findall(r"data=json\.dumps\((.*)\)\.encode\(\)", text)
    assert ast.literal_eval(literal) == value


#: Stands in for a browser: it notes what is asked.
_BROWSER = """
var asked = {headers: {}};
function XMLHttpRequest() {}
XMLHttpRequest.prototype.open = function (method, url) { asked.method = method; asked.url = url; };
XMLHttpRequest.prototype.setRequestHeader = function (name, value) { asked.headers[name] = value; };
XMLHttpRequest.prototype.send = function (body) { asked.body = body; this.onload(); };
function EventSource(url) { asked.method = 'GET'; asked.url = url; }
EventSource.prototype.addEventListener = function (name, listener) { listener({data: '{}'}); };
var console = {log: function () { asked.shown = true; }};
"""
#: What ES5 has not.
_NEWER = re.compile(r"\b(let|const|class|async|await|fetch)\b|=>|`")


@pytest.mark.parametrize("name", NAMES)
def test_the_example_in_javascript_asks_for_the_same_and_is_es5(name: str) -> None:
    example, text = EXAMPLES[name], javascript(EXAMPLES[name], WHERE)
    engine = quickjs.Context()
    engine.eval(_BROWSER + text)
    asked = json.loads(engine.eval("JSON.stringify(asked)"))
    assert (asked["method"], asked["url"]) == (example.method, WHERE.url + example.target)
    assert asked["headers"] == ({} if name == "followEvents" else headers_of(example))
    assert json.loads(asked.get("body", "null")) == (json.loads(example.body) if example.body else None)
    assert asked["shown"] is True
    assert _NEWER.search(text) is None


def headers_of(example: Example) -> dict[str, str]:
    told = {"Authorization": "Bearer TOKEN", **example.headers}
    return told | ({"Content-Type": "application/json"} if example.body else {})


_CMDLET = re.compile(
    r"Invoke-RestMethod(?: -Method (?P<method>Post|Patch|Delete))? -Uri (?P<url>'[^']*')"
    r"(?: `\n  -Headers @\{ (?P<headers>(?:'[^']*' = '[^']*'(?:; )?)+) \})?"
    r"(?: `\n  -ContentType 'application/json; charset=utf-8' `\n  -Body (?P<body>'(?:[^']|'')*'))?"
)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "followEvents"])
def test_the_example_in_powershell_has_the_form_of_one_and_says_the_same(name: str) -> None:
    example = EXAMPLES[name]
    found = _CMDLET.fullmatch(powershell(example, WHERE))
    assert found is not None
    assert (found["method"] or "GET").upper() == example.method
    assert found["url"] == f"'{WHERE.url}{example.target}'"
    told = dict(re.findall(r"'([^']*)' = '([^']*)'", found["headers"] or ""))
    assert told == {n: v for n, v in headers_of(example).items() if n != "Content-Type"}
    assert (found["body"] or "''")[1:-1].replace("''", "'") == example.body


def test_quotes_in_an_example_stay_what_they_are() -> None:
    example = Example(method="POST", target="/x?y=it's", value={"text": 'it\'s "$HOME" & `x`'})
    shown = ran("sh", "-c", curl(example, WHERE).replace("curl -s", "printf '%s\\n'", 1))
    assert shown.stdout.splitlines()[-1] == example.body
    assert "''s" in powershell(example, WHERE)
    engine = quickjs.Context()
    engine.eval(_BROWSER + javascript(example, WHERE))
    assert json.loads(engine.eval("asked.body")) == example.value
