"""A server in the test's process, with functions as tasks: what an application's tests use."""

from __future__ import annotations

import gc
import resource
import sys
import threading
from pathlib import Path

import pytest

from dispatcher.sdk import Client, JobFailed, JobTimeout
from dispatcher.sdk.testing import TaskFailure, Trial, serve


def test_a_function_does_the_jobs_of_a_type(pagehand: Trial) -> None:
    pagehand.worker.on("print-label", lambda data: {"pages": data["copies"]})
    assert pagehand.client.run("print-label", {"copies": 2}, timeout=20) == {"pages": 2}
    with Client() as client:
        assert client.url == pagehand.url
        assert client.run("print-label", {"copies": 3}, timeout=20) == {"pages": 3}
    assert [job.fields["data"] for job in pagehand.jobs("print-label")] == [{"copies": 2}, {"copies": 3}]
    assert pagehand.jobs("something-else") == []


def test_types_may_be_put_one_after_another_while_jobs_wait(pagehand: Trial) -> None:
    early = pagehand.client.submit("late", 1)
    pagehand.worker.on("first", lambda data: "first")
    pagehand.worker.on("late", lambda data: data + 1)
    assert early.result(timeout=20) == 2
    assert pagehand.client.run("first", timeout=20) == "first"
    assert [(worker["name"], worker["types"]) for worker in pagehand.client.workers()] == [("TEST", ["first", "late"])]


def test_a_function_may_wait_for_another_job(pagehand: Trial) -> None:
    pagehand.worker.on("inner", lambda data: data * 2)
    pagehand.worker.on("outer", lambda data: pagehand.client.run("inner", data, timeout=20) + 1)
    assert pagehand.client.run("outer", 20, timeout=20) == 41


def test_no_time_passes_while_a_function_runs(pagehand: Trial) -> None:
    begun = threading.Event()

    def work(data: None) -> str:
        begun.set()
        for _ in range(100):
            pagehand.client.stats()
        return "done"

    pagehand.worker.on("works", work)
    job = pagehand.client.submit("works", timeout_s=60, max_attempts=1)
    assert begun.wait(20)
    pagehand.advance(3_600)
    assert job.result(timeout=20) == "done"


def test_what_can_be_done_at_once_is_done_when_no_time_has_passed(pagehand: Trial) -> None:
    pagehand.worker.on("print", lambda data: "printed")
    job = pagehand.client.submit("print")
    pagehand.advance(0)
    assert job.status() == "succeeded"


def test_a_job_fails_as_often_as_is_said(pagehand: Trial) -> None:
    pagehand.worker.on("print", lambda data: "printed")
    pagehand.worker.fail("print", "no paper", code="paper", times=2)
    job = pagehand.client.submit("print", max_attempts=3)
    pagehand.advance(600)
    assert job.result(timeout=20) == "printed"
    assert [(attempt["state"], (attempt["error"] or {}).get("code")) for attempt in job.attempts] == [
        ("error", "paper"),
        ("error", "paper"),
        ("succeeded", None),
    ]
    pagehand.worker.fail("print", "no such printer", retry=False)
    with pytest.raises(JobFailed, match="no such printer"):
        pagehand.client.run("print", timeout=20)


def test_a_function_that_raises_fails_its_job(pagehand: Trial) -> None:
    def refuse(data: str) -> None:
        raise TaskFailure(f"no {data}", code="missing", retry=False)

    pagehand.worker.on("refused", refuse)
    pagehand.worker.on("broken", lambda data: data["nothing"])
    pagehand.worker.on("strange", lambda data: {1, 2})
    with pytest.raises(JobFailed, match="no paper") as refused:
        pagehand.client.run("refused", "paper", timeout=20)
    assert (refused.value.error["code"], len(refused.value.attempts)) == ("missing", 1)
    with pytest.raises(JobFailed, match=r"KeyError: 'nothing' .*test_trial.py"):
        pagehand.client.run("broken", {}, timeout=20, max_attempts=1)
    with pytest.raises(JobFailed, match="set is not JSON serializable"):
        pagehand.client.run("strange", timeout=20, max_attempts=1)


def test_a_job_that_hangs_times_out_when_its_time_has_passed(pagehand: Trial) -> None:
    pagehand.worker.hang("slow")
    job = pagehand.client.submit("slow", timeout_s=3_600, max_attempts=1)
    with pytest.raises(JobTimeout):
        job.result(timeout=0.01)
    pagehand.advance(3_500)
    assert job.status() == "running"
    pagehand.advance(200)
    with pytest.raises(JobFailed, match="no answer within 3600 s"):
        job.result(timeout=20)


def test_a_page_that_vanishes_is_missed_and_another_one_does_the_job(pagehand: Trial) -> None:
    pagehand.worker.on("print", lambda data: "printed")
    pagehand.worker.vanish("print", times=1)
    job = pagehand.client.submit("print")
    pagehand.advance(0)
    assert job.status() == "running"
    pagehand.advance(900)
    assert job.result(timeout=20) == "printed"
    lost, done = job.attempts
    assert (lost["state"], done["state"]) == ("lost", "succeeded")
    assert lost["worker"] != done["worker"]


def test_an_application_that_waits_for_its_job_does_not_wait_for_the_clock(pagehand: Trial) -> None:
    worker, run = pagehand.worker, pagehand.client.run
    worker.on("print", lambda data: "printed")
    worker.vanish("print", times=1)
    worker.hang("print", times=1)
    worker.fail("print", times=6)  # the last of them would be tried again after half a minute
    with pagehand.hurrying():
        assert run("print", timeout=20, max_attempts=9, timeout_s=600) == "printed"
    states = [attempt["state"] for attempt in pagehand.jobs()[0].attempts]
    assert states == ["lost", "timed_out", *["error"] * 6, "succeeded"]
    worker.hang("print")
    with pytest.raises(JobTimeout):
        run("print", timeout=0.1, timeout_s=600)


def test_what_is_not_planned_fails_in_words(pagehand: Trial) -> None:
    pagehand.worker.on("print", lambda data: "printed", times=1)
    assert pagehand.client.run("print", timeout=20) == "printed"
    with pytest.raises(JobFailed, match=r"call worker\.on\('print', a function\)"):
        pagehand.client.run("print", timeout=20)
    with pytest.raises(ValueError, match="1 or more"):
        pagehand.worker.hang("print", times=0)


def test_a_job_goes_to_the_worker_that_it_requires(pagehand: Trial) -> None:
    for site in ("berlin", "paris"):
        pagehand.hire(f"DESK-{site}", labels={"site": site}).on("where", (site + " {}").format)
    assert pagehand.client.run("where", timeout=20, requires={"site": "paris"}) == "paris None"
    assert pagehand.client.run("where", timeout=20, requires={"name": "DESK-berlin"}) == "berlin None"


def test_hours_pass_at_once_and_nobody_is_lost(pagehand: Trial) -> None:
    pagehand.worker.on("later", lambda data: data)
    job = pagehand.client.submit("later", 1, delay_s=7_200)
    pagehand.advance(7_100)
    assert job.status() == "scheduled"
    pagehand.advance(200)
    assert job.result(timeout=20) == 1
    (worker,) = pagehand.client.workers()
    assert worker["state"] == "connected"


def test_servers_stand_beside_each_other_with_settings_of_their_own() -> None:
    with serve() as one, serve(token="secret", queue_depth=16) as other:
        one.worker.on("who", lambda data: "one")
        other.worker.on("who", lambda data: "other")
        assert (one.client.run("who", timeout=20), other.client.run("who", timeout=20)) == ("one", "other")
        assert (one.token, other.token) == ("", "secret")
    with pytest.raises(ValueError, match="queue"), serve(queue_deepth=3):
        pass


def test_the_server_is_a_guest_in_the_process() -> None:
    """Frozen garbage and a raised limit would be the application's, long after the test."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[0] - 1, limit[1]))
    before = (gc.get_threshold(), gc.get_freeze_count(), resource.getrlimit(resource.RLIMIT_NOFILE))
    try:
        with serve():
            assert (gc.get_threshold(), gc.get_freeze_count(), resource.getrlimit(resource.RLIMIT_NOFILE)) == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_a_server_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    threads, store, files = set(threading.enumerate()), tmp_path / "store.db", Path("/proc/self/fd")
    opened = len(list(files.iterdir()))
    store.write_text("no store at all, but a text that is as long as the head of one: " * 20, "utf-8")
    with pytest.raises(ValueError, match="store"):
        Trial({"store": f"sqlite:///{store}"})
    assert set(threading.enumerate()) == threads
    assert len(list(files.iterdir())) == opened


def test_nothing_is_left_when_a_trial_is_over(tmp_path: Path) -> None:
    (tmp_path / "real.js").write_text("Pagehand.task('real', function () { return 1; });", "utf-8")
    threads, modules = set(threading.enumerate()), {"server", "handlers"} & set(sys.modules)
    with serve() as trial:
        trial.worker.on("echo", lambda data: data)
        trial.worker.hang("hung")
        trial.client.submit("hung")
        trial.tasks(tmp_path)
        assert trial.client.run("echo", 1, timeout=20) == 1
    assert set(threading.enumerate()) == threads
    assert {"server", "handlers"} & set(sys.modules) == modules
