"""``watch`` and ``events``: each change once and in order, while it happens."""

from __future__ import annotations

import json
import subprocess
from subprocess import PIPE

from tests.sdk.cli.typed import PROGRAM, typed
from tests.sdk.client.scripted import JOB, cut, reply, scripted
from tests.support.places import ROOT
from tests.support.server import Live, running

LOG = [{"at": "2026-01-02T03:04:05.678Z", "line": f"line {n}\x1b", "number": 1} for n in range(3)]


def test_a_job_is_followed_to_its_end() -> None:
    runs = JOB | {"state": "running", "number": 1, "worker_name": "DESK-1", "progress": {"percent": 40, "note": "a"}}
    told = [
        reply(200, JOB | {"state": "queued", "waits": "nobody is here"}),
        reply(200, runs | {"log": LOG[:1]}),
        reply(200, runs | {"log": LOG[:1]}),
        reply(200, runs | {"log": LOG[1:], "progress": {"percent": 90, "note": None}}),
        reply(200, JOB | {"number": 1, "log": LOG[1:]}),
    ]
    with scripted(*told) as server:
        said = typed("watch", "j1", "--url", server.url)
    assert (said.status, said.out.splitlines()) == (
        0,
        [
            "queued  nobody is here",
            r"2026-01-02 03:04:05  line 0\x1b",
            "running  on DESK-1, try 1  40 % a",
            r"2026-01-02 03:04:05  line 1\x1b",
            r"2026-01-02 03:04:05  line 2\x1b",
            "running  on DESK-1, try 1  90 %",
            "succeeded",
        ],
    )


def test_the_end_of_a_followed_job_is_the_status(server: Live, at: list[str]) -> None:
    job = typed("submit", "bad", "--max-attempts=1", *at).out.strip()
    said = typed("watch", job, "-o", "json", *at)
    assert (said.status, json.loads(said.out.splitlines()[-1])["state"]) == (1, "failed")
    assert "failed after 1 try" in said.err


def test_changes_come_once_and_in_order(server: Live, at: list[str]) -> None:
    command = [*PROGRAM, "events", "--type=followed", "--count=5", *at]
    with running("-m", "dispatcher.sdk", "simulate", "--types=followed", "--workers=1", "--url", server.url):
        first = server.submit("followed")["id"]
        server.job(first, wait_s=20)
        begun = json.loads(typed("events", f"--job={first}", "--after=oldest", "--count=1", *at).out)
        with subprocess.Popen([*command, "--after", begun["id"]], cwd=ROOT, stdout=PIPE, text=True) as following:
            second = server.submit("followed")["id"]
            assert following.stdout is not None
            told = [json.loads(line) for line in following.stdout]
    assert [(change["job"], change["to"]) for change in told] == [
        *[(first, "running"), (first, "succeeded")],
        *[(second, "queued"), (second, "running"), (second, "succeeded")],
    ]
    shown = typed("events", f"--job={first}", "--after=oldest", "--count=3", *at, terminal=True, environ={})
    assert shown.out.splitlines()[0].split("  ")[1:4] == [first, "followed", "new > queued"]
    ids = typed("events", f"--job={first}", "--after=oldest", "--count=3", "-o", "id", *at).out
    assert ids == f"{first}\n" * 3


def test_who_is_missed_is_told_to_who_asks() -> None:
    at = "2026-01-02T03:04:05.678Z"
    workers = [{"name": "DESK-1", "gone_at": at}, {"name": "DESK-2", "gone_at": at}]
    roll = {"id": "a-1", "event": "workers.missed", "at": at, "usual": 30, "here": 28, "missed": 2, "workers": workers}
    page = reply(200, {"items": [roll], "after": "a-1", "gap": None})
    command = ("events", "--event=workers.missed", "--event=workers.complete", "--count=1")
    with scripted(page, page, page) as server:
        json_, table, ids = (typed(*command, "-o", form, "--url", server.url).out for form in ("json", "table", "id"))
        asked = {each.line.split()[1] for each in server.asked}
    assert asked == {"/api/v1/changes?event=workers.missed&event=workers.complete"}
    assert json.loads(json_) == roll
    assert table == "2026-01-02 03:04:05  workers.missed  28 of 30 are here  DESK-1, DESK-2\n"
    assert ids == "DESK-1\nDESK-2\n"


def test_a_broken_connection_loses_no_change_and_a_gap_is_said() -> None:
    def page(after: str, *numbers: int, gap: object = None) -> tuple[bytes, str]:
        items = [{"id": f"a-{n}", "job": f"j{n}"} for n in numbers]
        return reply(200, {"items": items, "after": after, "gap": gap})

    gap = {"reason": "passed", "detail": "More came than are kept.", "catch_up": "/api/v1/jobs"}
    with scripted(page("a-0"), cut("body"), page("a-2", 1, 2), page("a-9", 9, gap=gap)) as server:
        said = typed("events", "--count=3", "--url", server.url)
        asked = [each.line.split()[1] for each in server.asked]
    assert [json.loads(line)["job"] for line in said.out.splitlines()] == ["j1", "j2", "j9"]
    assert asked[0] == "/api/v1/changes"
    assert asked[1:] == ["/api/v1/changes?after=a-0&wait=30"] * 2 + ["/api/v1/changes?after=a-2&wait=30"]
    assert "some changes are missing. More came than are kept." in said.err
