"""Makes the pictures of the README from the running program: ``python -m docs.pictures.make``.

Starts a server with a store of its own, a few simulated workers and one real worker page in Chromium without a
window, submits jobs, and photographs four pages. Needs Chromium and chromedriver, and the packages of the tests.
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
    take(browser, "job", 900)


def tasks_in(directory: Path) -> Path:
    """The shipped tasks and the one of the README, as ``--tasks`` wants them."""
    shutil.copytree(ROOT / "static" / "tasks", directory)
    shutil.copy(HERE / "tasks" / "print-label.js", directory)
    return directory


def main() -> None:
    """Everything, from start to stop."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store, tasks = f"sqlite:///{place / 'pictures.db'}", str(tasks_in(place / "tasks"))
        address = address_of(stack.enter_context(running("server.py", "--port=0", "--store", store, "--tasks", tasks)))
        pages = ("--workers=3", "--slow-ms=300:900", "--seed=1", "--fail=0.2")
        stack.enter_context(running("-m", "dispatcher.sdk", "simulate", "--url", address, *pages))
        for number in range(24):
            call(address, "/jobs", {"type": "word-count", "data": {"text": f"label {number} of 24"}})
        call(address, "/jobs", {"type": "shred-paper", "data": None})
        photograph(address, stack.enter_context(browser()), stack.enter_context(browser()))


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
