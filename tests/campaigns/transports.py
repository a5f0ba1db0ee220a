"""Real browsers work through jobs by each transport, and through what stands in a WebSocket's way.

A server process, one page, and proxies that refuse, cut or swallow WebSockets; nginx that passes them on, or not. All
is judged from the store's rows after the server has stopped.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns import carriers
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.page.socket_proxy import socket_proxy
from tests.support.http import JSON
from tests.support.missing import chromium_path
from tests.support.nginx import lines_of, nginx, without_keeping, without_upgrade
from tests.support.server import Live, live
from tests.support.waiting import until

FORMS = {"short": "100 jobs each way", "default": "1,000 jobs each way", "long": "10,000 jobs each way"}
JOBS = {"short": 100, "default": 1_000, "long": 10_000}
FLAGS = ("--ping-interval-s", "1", "--ping-timeout-s", "2")
SLOTS = 16
BATCH = 100
#: All jobs of one way are done within this time.
PATIENCE_S = 600.0
#: So long the control's jobs may take; what is not done then is lost. Shorter than the 5 s after which a page repeats.
CONTROL_S = 4.0
#: A page that loses every tenth result that it sends by WebSocket.
LOSES_RESULTS = """(function () {
  var send = WebSocket.prototype.send, count = 0;
  WebSocket.prototype.send = function (text) {
    count += /"op":"result"/.test(text);
    if (!/"op":"result"/.test(text) || count % 10) { send.call(this, text); }
  };
}())"""


@contextlib.contextmanager
def _direct(server: Live, directory: Path) -> Iterator[str]:
    yield server.url


def _proxied(
    *, refuse: bool = False, cut_s: float | None = None, swallow_s: float | None = None
) -> Callable[[Live, Path], AbstractContextManager[str]]:
    @contextlib.contextmanager
    def through(server: Live, directory: Path) -> Iterator[str]:
        with socket_proxy(server.port, refuse=refuse, cut_s=cut_s, swallow_s=swallow_s) as proxy:
            yield f"http://127.0.0.1:{proxy.port}"

    return through


def _nginx(lines: Callable[[], str]) -> Callable[[Live, Path], AbstractContextManager[str]]:
    @contextlib.contextmanager
    def through(server: Live, directory: Path) -> Iterator[str]:
        door = socket.create_server(("127.0.0.1", 0))
        port = door.getsockname()[1]
        with nginx(directory / "nginx", door, lines(), server.port):
            yield f"http://127.0.0.1:{port}"

    return through


def _as_nginx_has_it() -> str:
    """Without what the lines of the page add: each connection is closed behind its answer."""
    return without_keeping(without_upgrade(lines_of("docs/offices.md")))


@dataclass(frozen=True, slots=True)
class Way:
    """How a page comes to its server; what carries it at first, and when all is done."""

    first: str
    last: str
    through: Callable[[Live, Path], AbstractContextManager[str]] = _direct
    transport: str = "auto"
    browser: Callable[[], Browser] = Chromium


WAYS = {
    "upgrade": Way("websocket", "websocket"),
    "forced polling": Way("polling", "polling", transport="polling"),
    "a proxy that refuses": Way("polling", "polling", _proxied(refuse=True)),
    "a proxy that cuts after 1 s": Way("websocket", "polling", _proxied(cut_s=1.0)),
    "a proxy that cuts after 5 s": Way("websocket", "polling", _proxied(cut_s=5.0)),
    "a proxy that swallows frames after 1 s": Way("websocket", "polling", _proxied(swallow_s=1.0)),
    "nginx with the upgrade lines": Way("websocket", "websocket", _nginx(lambda: lines_of("docs/offices.md"))),
    "nginx without them": Way("polling", "polling", _nginx(lambda: without_upgrade(lines_of("docs/offices.md")))),
    "nginx that keeps no connection": Way("polling", "polling", _nginx(_as_nginx_has_it)),
    "PhantomJS": Way("polling", "polling", browser=PhantomJS),
}


@dataclass(slots=True)
class Outcome:
    """What one way has left in the store."""

    jobs: int
    took_s: float = 0.0
    unfinished: int = 0
    twice: int = 0
    repeated: int = 0
    lapsed: int = 0
    carried: list[str] = field(default_factory=list)


def judge(path: Path, jobs: int) -> Outcome:
    """Each job is its own number, and so is its result: by one attempt."""
    found = Outcome(jobs)
    database = sqlite3.connect(path)
    rows = database.execute(
        "SELECT state, data, value, tried, won, lapsed"
        " FROM jobs JOIN job_data USING (seq) LEFT JOIN results USING (seq) LEFT JOIN"
        " (SELECT job, count(*) AS tried, total(cause = 'succeeded') AS won, total(cause = 'lapsed') AS lapsed"
        "  FROM attempts GROUP BY job) ON job = seq"
    ).fetchall()
    database.close()
    numbers = set()
    for state, data, value, tried, won, lapsed in rows:
        numbers.add(json.loads(data))
        found.unfinished += state != "succeeded"
        found.twice += state == "succeeded" and (won != 1 or json.loads(value) != json.loads(data))
        found.repeated += max(0, (tried or 0) - 1)
        found.lapsed += int(lapsed or 0)
    found.unfinished += jobs - len(numbers)
    found.twice += len(rows) - len(numbers)
    return found


def carrier(server: Live) -> str:
    """What carries the page now, as the server says; "": there is none."""
    return next(iter(carriers.carriers(server.ask("GET", carriers.WORKERS).body)), "")


def _submit(server: Live, jobs: int) -> None:
    for first in range(0, jobs, BATCH):
        body = json.dumps([{"type": "echo", "data": number} for number in range(first, min(jobs, first + BATCH))])
        reply = server.ask("POST", "/api/v1/jobs/batch", body, JSON)
        assert reply.status == 201, reply


def _done(server: Live, jobs: int) -> bool:
    return bool(server.ask("GET", "/api/v1/stats").json()["jobs"]["succeeded"] >= jobs)


def walk(way: Way, jobs: int, patience_s: float = PATIENCE_S, planted: str = "") -> Outcome:
    """One way, with a server, a store and a browser of its own."""
    with tempfile.TemporaryDirectory(prefix="pagehand-transports-") as name:
        directory = Path(name)
        with (
            live(directory, *FLAGS) as server,
            way.through(server, directory) as url,
            browsing(way.browser()) as browser,
        ):
            if planted and isinstance(browser, Chromium):
                browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": planted})
            took_s, carried = _work(server, browser, f"{url}/worker?slots={SLOTS}", way, jobs, patience_s)
        found = judge(directory / "pagehand.db", jobs)
        found.took_s, found.carried = took_s, carried
        return found


def _work(server: Live, browser: Browser, url: str, way: Way, jobs: int, patience_s: float) -> tuple[float, list[str]]:
    """Returns how long the jobs took, and what carried the page at first and at last."""
    browser.open(f"{url}&transport={way.transport}")
    with contextlib.suppress(TimeoutError):
        until(lambda: carrier(server) == way.first, 20)
    carried, began = [carrier(server)], time.monotonic()
    _submit(server, jobs)
    with contextlib.suppress(TimeoutError):  # the rows say which are not done
        until(lambda: _done(server, jobs), patience_s)
    took_s = time.monotonic() - began
    if _done(server, jobs):
        with contextlib.suppress(TimeoutError):  # where jobs were done sooner than the fault came
            until(lambda: carrier(server) == way.last, 20)
    return took_s, [*carried, carrier(server)]


def _wrong(outcomes: dict[str, Outcome]) -> list[str]:
    """Pages that were carried by another transport than they should have been."""
    return [
        f"carrier: {name}: {' then '.join(found.carried)}"
        for name, found in outcomes.items()
        if found.carried != [WAYS[name].first, WAYS[name].last]
    ]


def play(form: str, seed: int) -> Record:
    """The campaign and its control."""
    if chromium_path() is None:
        raise Skipped("needs Chromium and chromedriver")
    names = list(WAYS)
    random.Random(seed).shuffle(names)
    outcomes = {}
    for name in names:
        outcomes[name] = walk(WAYS[name], JOBS[form])
        print(f"  {name}: {outcomes[name]}", flush=True)
    lossy = walk(WAYS["upgrade"], 100, CONTROL_S, LOSES_RESULTS)
    behind = [found for name, found in outcomes.items() if name.startswith("nginx")]
    total = sum(found.jobs for found in outcomes.values())
    return Record(
        campaign="transports",
        figures=[
            Figure("jobs lost", sum(found.unfinished for found in outcomes.values()), total, "jobs", "S4, I2"),
            Figure("jobs recorded twice, or with a wrong result", sum(found.twice for found in outcomes.values()),
                   total, "jobs", "S5"),
            Figure("offers that lapsed behind nginx, whose pages were never away",
                   sum(found.lapsed for found in behind), sum(found.jobs for found in behind), "jobs", "S11"),
        ],
        measures=[
            *(Measure(f"{name}: {outcomes[name].jobs:,} jobs done", round(outcomes[name].took_s, 1), "s")
              for name in WAYS),
            Measure("attempts beyond a job's first (allowed: at least once)",
                    sum(found.repeated for found in outcomes.values()), "attempts"),
        ],
        controls=[Control("a page that loses every tenth result that it sends", lossy.unfinished, lossy.jobs, "jobs")],
        violations=_wrong(outcomes),
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("transports", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
