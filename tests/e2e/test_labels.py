"""A job for one desk, over real HTTP: real and simulated pages get only the jobs that they match."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.page.browsers import Chromium, browsing
from tests.support.http import JSON
from tests.support.places import ROOT
from tests.support.server import Live, live, running
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server, a page in Chromium called FRONT-DESK-07 with a zebra, and two simulated pages with a brother."""
    with live(tmp_path_factory.mktemp("labels")) as server, desk(server), simulated(server):
        until(lambda: len(listed(server, "workers")) == 3, 30, "three workers")
        yield server


@contextmanager
def desk(server: Live) -> Iterator[None]:
    with browsing(Chromium()) as chromium:
        chromium.open(f"{server.url}/worker?types=echo&name=FRONT-DESK-07&labels=site:berlin,printer:zebra")
        yield


@contextmanager
def simulated(server: Live) -> Iterator[None]:
    program = ["-m", "dispatcher.sdk", "simulate", "--url", server.url, "--workers=2", "--types=echo"]
    with running(*program, "--label", "site:berlin", "--label", "printer:brother"):
        yield


def listed(server: Live, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.ask("GET", f"/api/v1/{path}").json()["items"]
    return items


def submitted(server: Live, requires: dict[str, Any], wait_s: int = 20) -> dict[str, Any]:
    """Submits a job that requires this, and waits for it."""
    body = json.dumps({"type": "echo", "data": requires, "requires": requires})
    return dict(server.ask("POST", "/api/v1/jobs", body, JSON | {"Prefer": f"wait={wait_s}"}).json())


def ran_on(server: Live, **requires: Any) -> set[str]:
    """The workers that run three jobs with these requirements."""
    jobs = [submitted(server, requires) for _ in range(3)]
    assert [(job["state"], job["result"]) for job in jobs] == [("succeeded", requires)] * 3
    return {job["worker_name"] for job in jobs}


SIMULATED = {"sim-1", "sim-2"}


def test_pages_say_their_labels(site: Live) -> None:
    found = {worker["name"]: worker["labels"] for worker in listed(site, "workers?label=site:berlin")}
    brother = {"site": "berlin", "printer": "brother"}
    assert found == {"FRONT-DESK-07": {"site": "berlin", "printer": "zebra"}, "sim-1": brother, "sim-2": brother}


@pytest.mark.parametrize(
    ("requires", "workers"),
    [
        ({"name": "FRONT-DESK-07"}, {"FRONT-DESK-07"}),
        ({"name": "sim-2"}, {"sim-2"}),
        ({"printer": "zebra"}, {"FRONT-DESK-07"}),
        ({"printer": "brother", "site": "berlin"}, SIMULATED),
        ({"printer": ["zebra", "brother"]}, SIMULATED | {"FRONT-DESK-07"}),
        ({}, SIMULATED | {"FRONT-DESK-07"}),
    ],
)
def test_a_job_runs_where_its_labels_match(site: Live, requires: dict[str, Any], workers: set[str]) -> None:
    assert ran_on(site, **requires) == workers


def test_jobs_for_a_desk_that_is_not_there_wait_and_block_nobody(site: Live) -> None:
    waiting = [submitted(site, {"name": "OFFLINE-1"}, wait_s=0) for _ in range(20)]
    assert {(job["state"], job["waits"]) for job in waiting} == {("queued", "no connected worker is called OFFLINE-1")}
    assert ran_on(site, printer="zebra") == {"FRONT-DESK-07"}
    assert len(ran_on(site)) == 3
    assert len(listed(site, "jobs?requires=name:OFFLINE-1&state=queued")) == 20
    assert listed(site, "jobs?worker=FRONT-DESK-07&limit=1")[0]["requires"] in ({}, {"printer": "zebra"})


def test_a_job_that_nobody_matches_in_all_waits_and_says_what_is_missing(site: Live) -> None:
    job = submitted(site, {"name": "FRONT-DESK-07", "printer": "brother"}, wait_s=0)
    assert ran_on(site, name="FRONT-DESK-07") == {"FRONT-DESK-07"}
    still = site.ask("GET", f"/api/v1/jobs/{job['id']}").json()
    words = "1 worker is called FRONT-DESK-07, but does not have printer:brother"
    assert (still["state"], still["waits"], still["waiting"]["code"]) == ("queued", words, "no_match")


def test_its_jobs_run_as_soon_as_the_desk_comes(site: Live) -> None:
    job = submitted(site, {"name": "LATE-1"}, wait_s=0)
    program = [sys.executable, "-m", "dispatcher.sdk", "simulate", "--url", site.url, "--types=echo"]
    done = [*program, "--name-prefix=LATE", "--workers=1", "--jobs=1"]
    subprocess.run(done, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=60)
    ended = site.ask("GET", f"/api/v1/jobs/{job['id']}?wait=20").json()
    assert (ended["state"], ended["worker_name"]) == ("succeeded", "LATE-1")
