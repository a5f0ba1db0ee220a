"""``wait`` and ``result``: the end of jobs, and the status that tells it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path
from subprocess import PIPE

from tests.sdk.cli.typed import PROGRAM, many, typed
from tests.support.places import ROOT
from tests.support.server import Live, gone_at_the_end, live, running
from tests.support.waiting import until

PAGES = ("-m", "dispatcher.sdk", "simulate", "--types=echo", "--workers=1", "--url")


def test_a_result_is_printed_in_the_letters_of_the_page(server: Live, at: list[str]) -> None:
    job = server.submit("echo", {"text": "a", "n": 10**30})
    server.job(job["id"], wait_s=20)
    said = typed("result", f"{server.url}/jobs/{job['id']}?full=1", *at)
    assert (said.status, json.loads(said.out)) == (0, {"text": "a", "n": 10**30})
    text = server.submit("echo", 'a "word"\nü')
    assert typed("result", "--raw", text["id"], "--wait", *at).out == 'a "word"\nü\n'


def test_a_large_result_comes_whole(server: Live, at: list[str]) -> None:
    job = server.submit("echo", "x" * 900_000)
    assert typed("result", job["id"], "--wait=30", *at).out == json.dumps("x" * 900_000) + "\n"


def test_a_job_without_a_result_has_a_status_that_says_why(server: Live, at: list[str]) -> None:
    waits = server.submit("nobody")["id"]
    assert (typed("result", waits, *at).status, typed("result", waits, "--wait=0.01", *at).status) == (3, 3)
    typed_none = typed("result", "nothing", *at)
    assert (typed_none.status, typed_none.out) == (1, "")
    assert "Is the id whole?" in typed_none.err


def test_all_jobs_are_waited_for_and_a_failed_one_is_told(server: Live, at: list[str]) -> None:
    ids = many("echo", 30, at)
    said = typed("wait", *ids, *at)
    assert (said.status, sorted(said.out.split())) == (0, sorted(ids))
    bad = server.ask("POST", "/api/v1/jobs", '{"type": "bad", "max_attempts": 1}', {"Content-Type": "application/json"})
    said = typed("wait", ids[0], "-", *at, stdin=f"{bad.json()['id']}\n".encode(), terminal=True)
    assert said.status == 1
    assert f"{ids[0]}  succeeded\n" in said.out
    assert "failed after 1 try" in said.err


def test_the_time_of_waiting_may_end_and_the_first_may_do(server: Live, at: list[str]) -> None:
    waits, done = server.submit("nobody")["id"], server.submit("echo")["id"]
    late = typed("wait", waits, "--timeout=0.01", *at)
    assert late.status == 3
    assert f"`pagehand get {waits}` says why" in late.err
    first = typed("wait", waits, done, "--any", *at)
    assert (first.status, first.out) == (0, f"{done}\n")
    assert typed("wait", "nothing", done, *at)[:2] == (1, f"{done}\n")


def test_ctrl_c_says_where_the_job_is_and_cancels_nothing(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        for words in (["wait"], ["result", "--wait=forever"], ["submit", "nobody", "--wait=forever"]):
            given = words if "submit" in words else [*words, server.submit("nobody")["id"]]
            until(lambda: not waiting_requests(server), what="nobody waits")
            with subprocess.Popen([*PROGRAM, *given, "--url", server.url], cwd=ROOT, stderr=PIPE, text=True) as command:
                assert command.stderr is not None
                job_id = command.stderr.readline().split()[0] if "submit" in words else given[-1]
                until(lambda: waiting_requests(server), what="the command waits")
                command.send_signal(signal.SIGINT)
                said = command.stderr.read()
            assert (command.returncode, server.job(job_id)["state"]) == (130, "queued")
            assert f"The job goes on: {server.url}/jobs/{job_id}" in said


def waiting_requests(server: Live) -> int:
    """How many wait for a result now."""
    found = re.search(r"^pagehand_waiting_requests ([0-9.]+)$", server.ask("GET", "/metrics").body.decode(), re.M)
    assert found is not None
    return int(float(found[1]))


def test_a_server_that_is_killed_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    with gone_at_the_end(Live(tmp_path)) as first:
        job_id = first.submit("echo")["id"]
        given = [*PROGRAM, "wait", job_id, "--url", first.url]
        with subprocess.Popen(given, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as command:
            until(lambda: waiting_requests(first), what="the command waits")
            first.process.kill()
            first.process.communicate()
            assert command.stderr is not None
            assert "does not answer well: trying again for 60 s" in command.stderr.readline()
            with live(tmp_path, port=first.port) as second, running(*PAGES, second.url):
                out, _ = command.communicate(timeout=30)
    assert (command.returncode, out) == (0, f"{job_id}\n")


def test_a_server_that_stays_away_ends_the_waiting(tmp_path: Path) -> None:
    with gone_at_the_end(Live(tmp_path)) as server:
        job_id = server.submit("echo")["id"]
        given = [*PROGRAM, "wait", job_id, "--retry-for=0.1", "--url", server.url]
        with subprocess.Popen(given, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as command:
            until(lambda: waiting_requests(server), what="the command waits")
            server.process.kill()
            server.process.communicate()
            out, said = command.communicate(timeout=30)
    assert (command.returncode, out, "Is the server running" in said) == (4, "", True)
