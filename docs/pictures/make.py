"""Makes the pictures of README and docs from the running program: ``python -m docs.pictures.make``.

Starts a server with a store of its own, a few simulated workers and one real worker page in Chromium without a
window, submits jobs, and photographs four pages for the README. A second server with tasks that do not work shows what
people then see, and what a page asks about a job in doubt, for docs/tasks.md. Needs Chromium and chromedriver, and the
packages of the tests.
"""

# ruff: noqa: S603, S310 - runs our own program, and asks our own server

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.page.browsers import Chromium
from tests.support.waiting import until

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
#: A picture that is larger does not belong into a README.
LARGEST = 150_000
_SIZE = (1024, 640)
#: Pictures of job pages: name, height, and the job that each shows.
FAULTY_JOBS = [
    ("task-failed", 1250, {"type": "throws", "data": {"printer": "ZEBRA-9", "copies": 2}, "max_attempts": 1}),
    ("task-waits", 500, {"type": "print-lable", "data": {"text": "FRAGILE"}}),
]


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program, ended at the end."""
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def address_of(server: subprocess.Popen[str]) -> str:
    """From the server's banner."""
    assert server.stdout is not None, "running() reads it"
    for line in server.stdout:
        if found := re.search(r"overview +(http://\S+)/", line):
            return found[1]
    raise SystemExit("the server did not start")


def call(address: str, path: str, body: object = None) -> Any:
    """One call of the API."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{address}/api/v1{path}", data, {"Content-Type": "application/json"})
    with urlopen(request, timeout=70) as answer:
        return json.load(answer)


def take(browser: Chromium, name: str, height: int) -> None:
    """A picture of what the browser shows."""
    path = HERE / f"{name}.png"
    browser.resize(_SIZE[0], height)
    browser.screenshot(path)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size:,} bytes")
    if size > LARGEST:
        raise SystemExit(f"{path.name} is larger than {LARGEST:,} bytes")


def photograph(address: str, browser: Chromium, worker: Chromium) -> None:
    """The four pictures."""
    worker.open(f"{address}/worker?types=print-label&name=FRONT-DESK-07")
    until(lambda: worker.status()["state"] == "ready", what="the worker page")
    label = call(address, "/jobs", {"type": "print-label", "data": {"text": "FRAGILE", "copies": 20}})
    until(lambda: "copy 5" in worker.status()["job"], what="progress")
    browser.open(f"{address}/")
    take(browser, "overview", 860)
    take(worker, "worker", 480)
    browser.open(f"{address}/submit?type=print-label")
    take(browser, "form", 820)
    call(address, f"/jobs/{label['id']}?wait=60")
    browser.open(f"{address}/jobs/{label['id']}")
    take(browser, "job", 1020)


def photograph_faults(address: str, browser: Chromium, worker: Chromium) -> None:
    """What people see when a task does not work."""
    worker.open(f"{address}/worker?name=FRONT-DESK-07")
    until(lambda: worker.status()["state"] == "ready", what="the worker page")
    take(worker, "task-file", 440)
    for name, height, job in FAULTY_JOBS:
        made = call(address, "/jobs", job)
        call(address, f"/jobs/{made['id']}?wait=3")
        browser.open(f"{address}/jobs/{made['id']}?refresh=0")
        take(browser, name, height)


def photograph_question(address: str, worker: Chromium) -> None:
    """What the person at a page is asked that was lost with a job."""
    worker.open(f"{address}/worker?types=label&name=FRONT-DESK-07")
    until(lambda: worker.status()["state"] == "ready", what="the worker page")
    call(address, "/jobs", {"type": "label", "data": {"order": 4711}, "effects": "once"})
    until(lambda: "50" in worker.status()["job"], what="the job runs")
    worker.reload()
    until(lambda: worker.run("!document.getElementById('yes').disabled"), what="the question")
    take(worker, "desk-question", 300)


def tasks_in(directory: Path) -> Path:
    """The shipped tasks and the one of the README, as ``--tasks`` wants them."""
    shutil.copytree(ROOT / "static" / "tasks", directory)
    shutil.copy(HERE / "tasks" / "print-label.js", directory)
    return directory


@contextmanager
def server(tasks: Path) -> Iterator[str]:
    """The address of one with a store of its own, beside the tasks."""
    store = f"sqlite:///{tasks.parent / 'pictures.db'}"
    with running("server.py", "--port=0", "--store", store, "--tasks", str(tasks)) as process:
        yield address_of(process)


def main() -> None:
    """Everything, from start to stop."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(server(tasks_in(place / "tasks")))
        pages = ("--workers=3", "--slow-ms=300:900", "--seed=1", "--fail=0.2")
        stack.enter_context(running("-m", "dispatcher.sdk", "simulate", "--url", address, *pages))
        for number in range(24):
            call(address, "/jobs", {"type": "word-count", "data": {"text": f"label {number} of 24"}})
        call(address, "/jobs", {"type": "shred-paper", "data": None})
        photograph(address, stack.enter_context(browser()), stack.enter_context(browser()))
    with ExitStack() as stack:
        faulty = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "tasks"
        shutil.copytree(HERE / "faulty", faulty)
        address = stack.enter_context(server(faulty))
        photograph_faults(address, stack.enter_context(browser()), stack.enter_context(browser()))
        photograph_question(address, stack.enter_context(browser()))


@contextmanager
def browser() -> Iterator[Chromium]:
    """Chromium, closed at the end."""
    chromium = Chromium(width=_SIZE[0], height=_SIZE[1])
    try:
        yield chromium
    finally:
        chromium.close()


if __name__ == "__main__":
    main()
