"""A worker page that works, and a console that is open: neither keeps what it has done with.

Chromium shows both, from a real server that does jobs all the time. After each minute or so its garbage is collected,
and what is left is counted: bytes of JavaScript, nodes of documents, listeners. The last third of a run is held against
the third before it: what leaks has grown by then, and what is merely full has not. The console's timers are sped up,
so that it refreshes as often as in a day.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.page.browsers import Chromium, browsing
from tests.support.http import JSON
from tests.support.missing import chromium_path
from tests.support.server import Live, live

FORMS = {
    "short": "a worker page for 18 s, and 150 refreshes of the console",
    "default": "a worker page for 20 min, and 4,320 refreshes of the console: those of 6 hours",
    "long": "a worker page for 2 hours, and 17,280 refreshes of the console: those of a day",
}
#: Seconds of the page, refreshes of the console, seconds between two samples.
SIZES = {"short": (18.0, 150, 0.6), "default": (1_200.0, 4_320, 20.0), "long": (7_200.0, 17_280, 60.0)}
#: The last third may have so much more than the third before it: a collector leaves a document more or less.
MOST_BYTES, MOST_NODES, MOST_LISTENERS = 150_000, 1_000, 10
#: The console's timers run so many times as fast.
FASTER = 200
_TASKS = ("--tasks", str(Path(__file__).with_name("tasks")))
_JOBS = 100
#: A job of ``hold`` ends after so long.
_WORK_MS = 100

#: What is planted into the console: faster timers, and a count of its requests.
_FASTER = f"""(function () {{
  var later = window.setTimeout, send = XMLHttpRequest.prototype.send;
  window.setTimeout = function (act, wait) {{ return later.call(window, act, (wait || 0) / {FASTER}); }};
  window.refreshes = 0;
  XMLHttpRequest.prototype.send = function (body) {{ window.refreshes += 1; return send.call(this, body); }};
}}())"""
#: Leaks for the controls: a page that keeps what it has put into its stash, a console that keeps what it has fetched.
_PAGE_LEAKS = """(function () {
  var kept = window.kept = [], set = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) {
    kept.push(Array.apply(null, new Array(5000)).map(Math.random));
    set.call(this, key, value);
  };
}())"""
_CONSOLE_LEAKS = _FASTER.replace(
    "window.refreshes += 1;", "window.refreshes += 1; (window.kept = window.kept || []).push(this);"
)


class Sample(NamedTuple):
    """What Chromium has when its garbage is collected."""

    size: float
    nodes: float
    listeners: float


class Growth(NamedTuple):
    """How much more the last third of a run has than the third before it, in the middle of each."""

    samples: int
    size: float
    nodes: float
    listeners: float
    #: What the page had in the last third.
    level: Sample

    @property
    def leaks(self) -> int:
        """How many of the three have grown by more than chance."""
        return sum((self.size > MOST_BYTES, self.nodes > MOST_NODES, self.listeners > MOST_LISTENERS))


def grown(samples: list[Sample]) -> Growth:
    """From samples that were taken at even times. The first third warms up."""
    third = len(samples) // 3
    before, after = _middle(samples[third : 2 * third]), _middle(samples[2 * third :])
    more = [a - b for a, b in zip(after, before, strict=True)]
    return Growth(len(samples), more[0], more[1], more[2], level=after)


def _middle(samples: list[Sample]) -> Sample:
    return Sample(*(statistics.median(values) for values in zip(*samples, strict=True)))


def sample(browser: Chromium) -> Sample:
    """Collects the garbage and counts the rest."""
    ask = browser.driver.execute_cdp_cmd
    ask("HeapProfiler.collectGarbage", {})
    ask("HeapProfiler.collectGarbage", {})
    told = {one["name"]: one["value"] for one in ask("Performance.getMetrics", {})["metrics"]}
    return Sample(told["JSHeapUsedSize"], told["Nodes"], told["JSEventListeners"])


class Feeder:
    """Keeps jobs in line."""

    def __init__(self, server: Live) -> None:
        self._server = server
        self.jobs = 0

    def feed(self) -> None:
        """More jobs, if few wait."""
        counts = self._server.ask("GET", "/api/v1/stats").json()["jobs"]
        if counts["queued"] < _JOBS:
            jobs = [{"type": "hold", "data": {"n": n, "ms": _WORK_MS}} for n in range(_JOBS)]
            assert self._server.ask("POST", "/api/v1/jobs/batch", json.dumps(jobs), JSON).status in (200, 201)
            self.jobs += _JOBS


def _watched(address: str, planted: str, goes_on: Callable[[Chromium, Feeder], bool], pause_s: float) -> Any:
    """Samples of a page while it goes on, and how many jobs there were for it."""
    with (
        tempfile.TemporaryDirectory(prefix="pagehand-leaks-") as name,
        live(Path(name), *_TASKS) as server,
        browsing(Chromium()) as browser,
    ):
        browser.driver.execute_cdp_cmd("Performance.enable", {})
        if planted:
            browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": planted})
        feeder = Feeder(server)
        feeder.feed()
        browser.open(server.url + address)
        samples = []
        while goes_on(browser, feeder):
            feeder.feed()
            time.sleep(pause_s)  # the page works meanwhile: its time is what is measured
            samples.append(sample(browser))
        done = server.ask("GET", "/api/v1/stats").json()["jobs"]["succeeded"]
        return grown(samples), int(done)


def worked(seconds: float, pause_s: float, planted: str = "") -> tuple[Growth, int]:
    """A worker page works so long; each fifth time it connects anew."""
    deadline, looks = time.monotonic() + seconds, [0]

    def goes_on(browser: Chromium, feeder: Feeder) -> bool:
        looks[0] += 1
        if looks[0] % 5 == 0:
            browser.click("reconnect")
        return time.monotonic() < deadline

    grew, done = _watched("/worker?types=hold&slots=4&name=LONG", planted, goes_on, pause_s)
    return grew, done


def refreshed(refreshes: int, planted: str = _FASTER) -> tuple[Growth, int]:
    """The overview refreshes so often, as a server does jobs beside it; and how often it has."""
    seen = [0]

    def goes_on(browser: Chromium, feeder: Feeder) -> bool:
        seen[0] = int(browser.run("window.refreshes"))
        return seen[0] < refreshes

    grew, _ = _watched("/?refresh=2", planted, goes_on, 0.5)
    return grew, seen[0]


def play(form: str, seed: int) -> Record:
    """The campaign and its controls. Raises Skipped."""
    if chromium_path() is None:
        raise Skipped("needs Chromium and chromedriver")
    seconds, refreshes, pause_s = SIZES[form]
    page, jobs = worked(seconds, pause_s)
    console, seen = refreshed(refreshes)
    leaky_page, _ = worked(SIZES["short"][0], SIZES["short"][2], _PAGE_LEAKS)
    leaky_console, _ = refreshed(SIZES["short"][1], _CONSOLE_LEAKS)
    return Record(
        campaign="leaks",
        figures=[
            Figure("counts of the worker page that had grown", page.leaks, page.samples, "samples of the page"),
            Figure("counts of the console that had grown", console.leaks, console.samples, "samples of the console"),
        ],
        measures=[
            Measure("time that the worker page worked", seconds / 60, "min"),
            Measure("jobs that it did", jobs, "jobs"),
            Measure("the worker page's JavaScript, in the last third", page.level.size / 1e6, "MB"),
            Measure("the same, more than in the third before", page.size / 1e6, "MB", MOST_BYTES / 1e6),
            Measure("the worker page's nodes, more than in the third before", page.nodes, "nodes", MOST_NODES),
            Measure("refreshes of the console", seen, "refreshes"),
            Measure("the console's JavaScript, in the last third", console.level.size / 1e6, "MB"),
            Measure("the same, more than in the third before", console.size / 1e6, "MB", MOST_BYTES / 1e6),
            Measure("the console's nodes, more than in the third before", console.nodes, "nodes", MOST_NODES),
        ],
        controls=[
            Control("a worker page that keeps what it was told", leaky_page.leaks, leaky_page.samples, "samples"),
            Control("a console that keeps what it has replaced", leaky_console.leaks, leaky_console.samples, "samples"),
        ],
        notes=[
            f"The last third of a run may have {MOST_BYTES / 1e6:g} MB, {MOST_NODES:,} nodes and {MOST_LISTENERS} "
            "listeners more than the third before it. The page connects anew at each fifth sample."
        ],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("leaks", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
