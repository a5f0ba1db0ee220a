"""The whole promise once: a fresh copy, ``make run``, two real browsers, 1,000 jobs.

The copy has no virtual environment: ``make run`` makes it, as on a machine that has never seen the project. The
browsers open ``/worker``; jobs come through the form and the API; every one must succeed, with exactly one result.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.page.browsers import Browser, Chromium, PhantomJS
from tests.support.forms import FORM, FormClient, hidden
from tests.support.http import JSON
from tests.support.places import ROOT
from tests.support.waiting import until

JOBS = 1_000
THROUGH_THE_FORM = 60
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJ"
    "RU5ErkJggg=="
)

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def copy_project(target: Path) -> None:
    """Copies what a clone would hold: the tracked files, and new ones that are not ignored."""
    if not (ROOT / ".git").exists():
        shutil.copytree(ROOT, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".venv", ".cache", "*.db*"))
        return
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that ``make run`` started in a fresh copy; it made its own store."""
    copy = tmp_path_factory.mktemp("fresh") / "pagehand"
    copy_project(copy)
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "MAKEFLAGS")}
    log = (copy.parent / "log.txt").open("w+")
    process = subprocess.Popen(
        ["make", "run", "ARGS=--port 0"], cwd=copy, env=environ, stdout=log, stderr=log, start_new_session=True
    )
    try:
        found = until(lambda: _banner(process, Path(log.name)), 200, "the server's banner")
        assert (copy / "pagehand.db").is_file(), "the store lies in the checkout"
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
    assert "Traceback" not in Path(log.name).read_text()


def _banner(process: subprocess.Popen[bytes], log: Path) -> str | None:
    text = log.read_text()
    assert process.poll() is None, f"make run ended:\n{text}"
    match = re.search(r"http://[\d.]+:\d+", text)
    return match[0] if match else None


class Client(FormClient):
    """Submits as programs do, and as people do."""

    def __init__(self, address: str) -> None:
        super().__init__(http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60))

    def by_api(self, type_name: str, data: object) -> str:
        reply = self.ask("POST", "/api/v1/jobs", json.dumps({"type": type_name, "data": data}), JSON)
        assert reply.status == 201, reply
        return str(reply.json()["id"])

    def by_form(self, type_name: str, data: object) -> str:
        hides = hidden(self.ask("GET", "/submit").text)
        assert set(hides) == {"_xsrf", "key"}, "the form carries its secret and its one-time key"
        fields = hides | {"type": type_name, "data": json.dumps(data), "format": "json"}
        reply = self.ask("POST", "/submit", urllib.parse.urlencode(fields), FORM)
        assert reply.status == 303, reply
        return reply.headers["location"].rsplit("/", 1)[1]


def order(number: int) -> tuple[str, object]:
    """The n-th job: most are small, some are texts, some are pictures."""
    if number % 20 == 7:
        return "thumbnail", {"image": PICTURE, "width": 1}
    if number % 5 == 3:
        return "word-count", {"text": f"job number {number} to be or not to be"}
    return "echo", {"number": number, "float": 1.0, "text": "ä☃"}


def expect(number: int, result: object) -> None:
    """Checks the result of the n-th job."""
    type_name, data = order(number)
    if type_name == "echo":
        assert result == data
    elif type_name == "word-count":
        assert isinstance(result, dict)
        assert result["words"] == 9
    else:
        assert isinstance(result, dict)
        assert (result["width"], result["image"][:22]) == (1, "data:image/png;base64,")


def submit_share(address: str, numbers: range) -> dict[int, str]:
    with contextlib.closing(Client(address)) as client:
        return {
            number: (client.by_form if number < THROUGH_THE_FORM else client.by_api)(*order(number))
            for number in numbers
        }


def submit_by_hand(browser: Chromium, address: str) -> str:
    """A person fills in the form in a real browser; returns the job's id."""
    browser.open(f"{address}/submit")
    browser.run("(document.getElementsByName('type')[0].value = 'echo')")
    browser.run("(document.getElementsByName('data')[0].value = JSON.stringify({by: 'hand'}))")
    browser.run("(function () { document.querySelector('form[action=\"/submit\"] [type=submit]').click(); }())")
    until(lambda: "/jobs/" in browser.run("location.pathname"), 20, "the job's page")
    return str(browser.run("location.pathname")).rsplit("/", 1)[1]


def test_a_thousand_jobs_through_form_and_api_all_succeed_in_two_real_browsers(address: str, capsys):
    with contextlib.ExitStack() as stack:
        browsers: dict[str, Browser] = {"chromium": Chromium(), "phantomjs": PhantomJS()}
        for name, browser in browsers.items():
            stack.callback(browser.close)
            browser.open(f"{address}/worker?name={name}&slots=4")
            until(partial(is_ready, browser), 30, f"{name} is ready")
        person = stack.enter_context(contextlib.closing(Chromium()))
        by_hand = submit_by_hand(person, address)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            shares = pool.map(lambda n: submit_share(address, range(n, JOBS - 1, 8)), range(8))
        ids = {number: job_id for share in shares for number, job_id in share.items()}
        assert len({*ids.values(), by_hand}) == JOBS

        client = stack.enter_context(contextlib.closing(Client(address)))
        until(lambda: settled(client) == JOBS, 150, "every job has ended")
        takers = check_all(client, ids)
        for name, browser in browsers.items():
            assert browser.errors() == [], name
    with capsys.disabled():
        print(f" [jobs by page: {dict(takers)}]", end="")
    assert set(takers) == {"chromium", "phantomjs"}, "both browsers took part"


def is_ready(browser: Browser) -> bool:
    return browser.status()["word"] == "READY"


def settled(client: Client) -> int:
    counts = client.ask("GET", "/api/v1/stats").json()["jobs"]
    return int(sum(counts[state] for state in ("succeeded", "failed", "cancelled", "expired")))


def check_all(client: Client, ids: dict[int, str]) -> collections.Counter[str]:
    takers: collections.Counter[str] = collections.Counter()
    for number, job_id in ids.items():
        job = client.ask("GET", f"/api/v1/jobs/{job_id}").json()
        assert job["state"] == "succeeded", job
        expect(number, job["result"])
        winners = [attempt for attempt in job["attempts"] if attempt["state"] == "succeeded"]
        assert len(winners) == 1, job["attempts"]
        takers[job["worker_name"]] += 1
    return takers
