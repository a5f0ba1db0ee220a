"""A real browser reloaded in the middle of jobs, a hundred times: no job lost, none recorded twice, each offered again.

A server process, Chromium with the worker page, and a task whose jobs run for seconds. At some reloads a few of them
end in the same moment, so that their results can only come out of the page's stash. All is judged from the store's
rows after the server has stopped; only the instants of the reload commands are the campaign's own.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException

from tests.campaigns import carriers
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.page.browsers import Chromium, browsing
from tests.support.http import JSON
from tests.support.missing import chromium_path
from tests.support.places import ROOT
from tests.support.server import Live, live
from tests.support.waiting import until

FORMS = {
    "short": "6 reloads; on a machine busy with other tests, so a job may take 2 s to be offered again",
    "default": "30 reloads",
    "long": "100 reloads",
}
RELOADS = {"short": 6, "default": 30, "long": 100}
#: Reload command to the next offer.
OFFER_S = {"short": 2.0, "default": 1.0, "long": 1.0}
SLOTS = 6
#: Share of the reloads that wait until the page is on its carrier: the others may meet it on its way there.
SETTLED = 0.7
#: A job is reloaded away more than once: one that is lost six times would fail, as promised (S13).
FLAGS = ("--tasks", str(Path(__file__).with_name("tasks")), "--max-crashes", "100", "--drain-s", "0.1")
#: How long a job runs if no reload ends it; drawn for each.
WORK_MS = (200, 1_500)
SERVER = ROOT / "server.py"
DEAF = Path(__file__).with_name("deaf_server.py")
#: A page that keeps nothing for the time after a reload.
NO_STASH = """(function () {
  var set = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) { if (!/stash/.test(key)) { set.call(this, key, value); } };
}())"""


@dataclass(slots=True)
class Reload:
    """One reload: its instant, and which attempts (job and number) the page had, or had just finished."""

    at: float
    held: list[str]
    finished: list[str]
    #: Attempts' ids that the new load found in the stash, and when it looked.
    stash: list[str] = field(default_factory=list)
    back_at: float = 0.0
    #: What carried the page, as the server said just before.
    carrier: str = ""


@dataclass(slots=True)
class Findings:
    """What the rows say."""

    jobs: int = 0
    unfinished: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    cut_short: int = 0
    late: list[str] = field(default_factory=list)
    offers_s: list[float] = field(default_factory=list)
    finished: int = 0
    undelivered: list[str] = field(default_factory=list)
    from_stash: int = 0
    most_losses: int = 0


class Driver:
    """The page under test, and the jobs for it."""

    def __init__(self, server: Live, browser: Chromium, rng: random.Random) -> None:
        self._server = server
        self._browser = browser
        self._rng = rng
        self._carrier = ""
        self.submitted = 0
        self.reloads: list[Reload] = []

    def open(self, transport: str = "auto") -> None:
        """Loads the page, which may use this transport."""
        query = f"types=hold&slots={SLOTS}&name=RELOADED&transport={transport}"
        self._browser.open(f"{self._server.url}/worker?{query}")
        self._carrier = "polling" if transport == "polling" else "websocket"
        until(lambda: self.carrier() == self._carrier, 20, f"the page's {self._carrier}")

    def submit(self, count: int) -> None:
        """More jobs, each with a number of its own."""
        for _ in range(count):
            data = {"n": self.submitted, "ms": self._rng.randint(*WORK_MS)}
            body = json.dumps({"type": "hold", "data": data, "timeout_s": 60})
            reply = self._server.ask("POST", "/api/v1/jobs", body, JSON)
            assert reply.status == 201, reply
            self.submitted += 1

    def reload(self, finish: int, *, leaving: bool = True) -> None:
        """Waits until the page is in the middle of jobs, and loads it anew. Returns when its scripts run again."""
        self.submit(max(0, SLOTS + 2 - self._waiting()))
        until(lambda: len(self._page("reloads.held()") or ()) > finish, 20, "jobs in the page")
        if self._rng.random() < SETTLED:
            until(lambda: self.carrier() == self._carrier, 20, f"the page's {self._carrier}")
        load, carrier = self._page("reloads.load"), self.carrier()
        time.sleep(self._rng.uniform(0, 0.4))  # any moment of a job: that is the fault, not a wait for something
        at = time.time()
        struck = self._browser.run(f"reloads.strike({finish}, {json.dumps(leaving)})")
        reload = Reload(at, struck["held"], struck["finished"], carrier=carrier)
        until(lambda: self._page("reloads.load") not in (None, load), 20, "the page after its reload")
        reload.stash, reload.back_at = self._page("reloads.stash"), self._page("reloads.at")
        self.reloads.append(reload)

    def carrier(self) -> str:
        """What carries the page now, as the server says; "": there is none."""
        seen = carriers.carriers(self._server.ask("GET", carriers.WORKERS).body)
        return next(iter(seen), "")

    def _waiting(self) -> int:
        counts = self._server.ask("GET", "/api/v1/stats").json()["jobs"]
        return int(counts["queued"] + counts["running"])

    def _page(self, expression: str) -> Any:
        """A value of the page; None while it is loading."""
        try:
            return self._browser.run(f"(window.reloads ? {expression} : null)")
        except WebDriverException:
            return None

    def drain(self, seconds: float) -> None:
        """Waits until every job has ended."""
        until(lambda: self._waiting() == 0, seconds, "the end of all jobs")


def _scene(
    rng: random.Random, within_s: float, act: Callable[[Driver], None], *, program: Path = SERVER, planted: str = ""
) -> tuple[Findings, list[Reload]]:
    """A server and a browser with its page; what they do is judged after the server's end."""
    with tempfile.TemporaryDirectory(prefix="pagehand-reload-") as name:
        with live(Path(name), *FLAGS, program=program) as server, browsing(Chromium()) as browser:
            if planted:
                browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": planted})
            driver = Driver(server, browser, rng)
            driver.open()
            act(driver)
        return judge(Path(name) / "pagehand.db", driver.reloads, within_s), driver.reloads


def _rows(path: Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Jobs by id, with data and result; and each one's attempts, oldest first."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    found = database.execute(
        "SELECT id, seq, state, data, value FROM jobs JOIN job_data USING (seq) LEFT JOIN results USING (seq)"
    )
    jobs = {row["id"]: row for row in found}
    names = {row["seq"]: row["id"] for row in jobs.values()}
    attempts: dict[str, list[Any]] = defaultdict(list)
    for row in database.execute("SELECT * FROM attempts ORDER BY id"):
        attempts[names[row["job"]]].append(row)
    for row in database.execute("SELECT id, attempt, offered_at FROM jobs WHERE attempt IS NOT NULL"):
        if row["attempt"] not in {known["id"] for known in attempts[row["id"]]}:  # offered, and nothing more yet
            attempts[row["id"]].append({"id": row["attempt"], "number": None, "offered_at": row["offered_at"]})
    database.close()
    return jobs, attempts


def judge(path: Path, reloads: list[Reload], within_s: float) -> Findings:
    """Holds the rows against what the page had at each reload."""
    jobs, attempts = _rows(path)
    found = Findings(jobs=len(jobs))
    for name, job in jobs.items():
        _judge_job(found, name, job, [row for row in attempts[name] if row["number"] is not None])
    for reload in reloads:
        for key in reload.held:
            _judge_held(found, key, reload, attempts, within_s)
        for key in reload.finished:
            _judge_finished(found, key, reload, attempts)
    return found


def _judge_job(found: Findings, name: str, job: Any, tries: list[Any]) -> None:
    causes = [row["cause"] for row in tries]
    found.most_losses = max(found.most_losses, causes.count("lost"))
    won = [row["number"] for row in tries if row["cause"] == "succeeded"]
    if job["state"] != "succeeded":
        found.unfinished.append(f"job {name} is {job['state']}: {causes}")
    elif len(won) != 1 or json.loads(job["value"]) != {"n": json.loads(job["data"])["n"], "number": won[0]}:
        found.twice.append(f"job {name} has the result {job['value']} of the attempts {won}")


def _judge_held(found: Findings, key: str, reload: Reload, attempts: dict[str, list[Any]], within_s: float) -> None:
    name, number = key.split()
    rows = attempts[name]
    at = next((n for n, row in enumerate(rows) if row["number"] == int(number)), len(rows))
    if at < len(rows) and rows[at]["cause"] == "succeeded":
        return  # it ended by itself before the page went
    found.cut_short += 1
    following = rows[at + 1 :]
    waited_s = following[0]["offered_at"] - reload.at if following else float("inf")
    if waited_s > within_s:
        found.late.append(f"attempt {key} was held at a reload, and offered again after {waited_s:.3f} s")
    if following:
        found.offers_s.append(waited_s)


def _judge_finished(found: Findings, key: str, reload: Reload, attempts: dict[str, list[Any]]) -> None:
    name, number = key.split()
    found.finished += 1
    row = next((row for row in attempts[name] if row["number"] == int(number)), None)
    if row is None or row["cause"] != "succeeded":
        found.undelivered.append(f"attempt {key} was finished before a reload: {row and row['cause']}")
    elif row["id"] in reload.stash and row["ended_at"] > reload.back_at:
        found.from_stash += 1


def _campaign(reloads: int, rng: random.Random, within_s: float) -> tuple[Findings, list[Reload]]:
    def act(driver: Driver) -> None:
        for number in range(reloads):
            if number == reloads // 2:
                driver.open("polling")
            # Each third reload is sure to hit the moment between a result and its POST; the others may.
            finish = rng.choice((1, 2)) if number % 3 == 0 else rng.choice((0, 0, 1))
            driver.reload(finish, leaving=number % 3 == 0 or rng.random() < 0.5)
        driver.drain(60)

    return _scene(rng, within_s, act)


def _without_stash(rng: random.Random, within_s: float) -> Findings:
    """The control: results that were finished in the moment of the reload are nowhere."""
    return _scene(rng, within_s, lambda driver: driver.reload(2), planted=NO_STASH)[0]


def _deaf(rng: random.Random, within_s: float) -> Findings:
    """The control: the server takes the new page for the old one."""

    def act(driver: Driver) -> None:
        driver.reload(0)
        time.sleep(within_s)  # nothing happens, for longer than it may take

    return _scene(rng, within_s, act, program=DEAF)[0]


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def play(form: str, seed: int) -> Record:
    """The campaign and its controls. Raises Skipped."""
    if chromium_path() is None:
        raise Skipped("needs Chromium and chromedriver")
    rng, within_s = random.Random(seed), OFFER_S[form]
    found, reloads = _campaign(RELOADS[form], rng, within_s)
    bare, deaf = _without_stash(rng, within_s), _deaf(rng, within_s)
    seen = Counter(reload.carrier for reload in reloads if reload.carrier)
    offers = [round(value, 3) for value in found.offers_s]
    return Record(
        campaign="reload",
        figures=[
            Figure("jobs that had not succeeded in the end", len(found.unfinished), found.jobs, "jobs", "S4, I2"),
            Figure("jobs recorded twice, or with another attempt's result", len(found.twice), found.jobs, "jobs", "S5"),
            Figure(f"attempts cut short by a reload and not offered again within {within_s:g} s", len(found.late),
                   found.cut_short, "attempts that the page was running when it was reloaded", "S12, S13"),
            Figure("results finished in the moment of the reload and not recorded", len(found.undelivered),
                   found.finished, "such results", "S12"),
        ],
        measures=[
            Measure("reloads", len(reloads), "reloads"),
            Measure("reloads of a page that a WebSocket carried", seen["websocket"], "reloads"),
            Measure("reloads of a page that polled", seen["polling"], "reloads"),
            Measure("reload command to the next offer, median", statistics.median(offers), "s"),
            Measure("the same, 99th percentile", _percentile(offers, 0.99), "s"),
            Measure("the same, longest", max(offers), "s", within_s),
            Measure("results that came out of the stash, after the reload", found.from_stash, "results"),
            Measure("most losses of one job", found.most_losses, "losses"),
        ],
        controls=[
            Control("a page without a stash: results finished and not recorded", len(bare.undelivered), bare.finished,
                    "results finished in the moment of a reload"),
            Control("a server that does not see that the page is a new one: attempts not offered again", len(deaf.late),
                    deaf.cut_short, "attempts held at a reload"),
        ],
        notes=[
            f"The page holds up to {SLOTS} jobs of {WORK_MS[0] / 1000:g} to {WORK_MS[1] / 1000:g} s at once; "
            "connected directly, without a proxy. The time to the next offer includes the browser's loading it anew."
        ],
        violations=[
            *carriers.lopsided(seen),
            *([] if found.from_stash else ["no reload hit the moment between a result and its POST"]),
        ],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("reload", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
