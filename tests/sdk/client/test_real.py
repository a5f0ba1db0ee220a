"""The client against a real server with simulated pages."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import itertools
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dispatcher.sdk import (
    AsyncClient,
    ChangesMissed,
    Client,
    Executor,
    Invalid,
    JobCancelled,
    JobExpired,
    JobFailed,
    JobTimeout,
    KeyConflict,
    NotFound,
)
from dispatcher.sdk.client.progress import Bar
from tests.support.places import ROOT
from tests.support.server import Live, live, running
from tests.support.waiting import until

PAGES = ("-m", "dispatcher.sdk", "simulate", "--types=echo,word-count", "--workers=4", "--slots=4", "--url")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("server")) as started, running(*PAGES, started.url):
        yield started


@pytest.fixture
def client(server: Live) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


def test_a_job_goes_through_its_life(client: Client) -> None:
    job = client.submit("echo", {"n": 10**40, "text": "Müller"}, priority=5, requires={})
    assert job.result(timeout=20) == {"n": 10**40, "text": "Müller"}
    assert (job.status(), job.fields["priority"], job.attempts[0]["state"]) == ("succeeded", 5, "succeeded")
    assert repr(job) == f"<Job {job.id} echo succeeded>"
    assert client.job(job.id) == job
    assert client.run("word-count", "a b", timeout=20)["words"] == 2


def test_a_job_that_nobody_takes_times_out_goes_on_and_can_be_cancelled_and_retried(client: Client) -> None:
    job = client.submit("nobody")
    with pytest.raises(JobTimeout, match="no connected worker offers the type nobody"):
        job.result(timeout=0.01)
    assert job.status() == "queued"
    assert job.cancel("not needed").state == "cancelled"
    with pytest.raises(JobCancelled, match="not needed"):
        job.result()
    assert job.retry("new toner").state == "queued"
    with pytest.raises(JobTimeout):
        client.run("nobody", timeout=0.01)
    late = client.submit("nobody", expires_s=0.1)
    with pytest.raises(JobExpired):
        late.result(timeout=20)


def test_a_refused_job_says_what_is_wrong(client: Client) -> None:
    with pytest.raises(Invalid, match="priority: must be a whole number") as error:
        client.submit("echo", priority=5000)
    assert error.value.errors[0]["pointer"] == "#/priority"
    with pytest.raises(NotFound):
        client.job("nothing")
    assert client.submit("nobody", 1, key="one").id == client.submit("nobody", 1, key="one").id
    with pytest.raises(KeyConflict, match="another key"):
        client.submit("nobody", 2, key="one")


def test_a_failed_job_says_what_its_task_said(server: Live, client: Client) -> None:
    fails = [*PAGES[:-1], "--fail=1", "--types=bad", "--url"]
    with running(*fails, server.url):
        job = client.submit("bad", max_attempts=1)
        with pytest.raises(JobFailed, match="failed after 1 try") as error:
            job.result(timeout=20)
    assert error.value.job is job
    assert (error.value.error["message"] in str(error.value), len(error.value.attempts)) == (True, 1)


def test_lists_are_read_to_their_end(client: Client) -> None:
    made = client.submit_batch("listed", range(120))
    listed = list(client.jobs(type="listed", limit=50))
    assert [job.id for job in listed] == [job.id for job in reversed(made)]
    assert listed[0].attempts == []
    assert {worker["name"] for worker in client.workers(name="sim-")} == {"sim-1", "sim-2", "sim-3", "sim-4"}
    assert [item["type"] for item in client.types(q="list")] == ["listed"]
    assert client.stats()["jobs"]["queued"] >= 120


def test_one_order_is_for_all_jobs_that_match(client: Client) -> None:
    jobs = client.submit_batch("many", [1, 2, 3])
    assert client.act("cancel", {"type": "many"}, dry_run=True)["matched"] == 3
    done = client.act("cancel", {"type": "many"}, expect=3, reason="no paper")
    assert (done["state"], done["done"], jobs[0].refresh().state) == ("done", 3, "cancelled")
    assert client.act("retry", ids=[job.id for job in jobs])["done"] == 3


def test_jobs_are_waited_for_together(client: Client) -> None:
    quick, slow = client.submit("echo", "a"), client.submit("nobody")
    found = client.wait([slow, quick], timeout=20, any=True)
    assert (found.done, found.not_done) == ([quick], [slow])
    assert (quick.state, quick.result(), len(quick.attempts)) == ("succeeded", "a", 1)
    assert client.wait([slow, quick], timeout=0).not_done == [slow]
    slow.cancel()
    assert client.wait([slow, quick], timeout=20).done == [slow, quick]


def test_a_batch_says_how_far_it_is_and_what_became_of_its_jobs(client: Client) -> None:
    jobs = client.submit_batch("echo", ["a", "b", "c"])
    assert jobs[0].batch is not None
    batch = client.batch(jobs[0].batch)
    assert batch.wait(timeout=20)
    assert (batch.jobs, batch.counts, batch.ended) == (3, {"succeeded": 3}, True)
    assert [(line["id"], line["result"]) for line in batch.results()] == [
        (job.id, value) for job, value in zip(jobs, "abc", strict=True)
    ]
    assert repr(batch.refresh()) == f"<Batch {batch.id} {{'succeeded': 3}}>"
    (waits,) = client.submit_batch("nobody", [1])
    assert not client.batch(str(waits.batch)).wait(timeout=0.01)


def test_events_tell_each_change_once_and_a_foreign_place_is_a_gap(client: Client) -> None:
    first = client.submit("echo", "a")
    first.wait(20)
    begun = next(client.events(after="oldest", job=first.id))
    second = client.submit("echo", "b")
    told = client.events(after=begun["id"], job=[first.id, second.id])
    seen = [(change["job"], change["to"]) for change in itertools.islice(told, 5)]
    assert seen == [
        *[(first.id, state) for state in ("running", "succeeded")],
        *[(second.id, state) for state in ("queued", "running", "succeeded")],
    ]
    with pytest.raises(ChangesMissed) as missed:
        next(client.events(after="0123456789abcdef-7", event=["job", "workers.missed", "workers.complete"]))
    last = client.submit("echo", "c")
    assert next(client.events(after=missed.value.after, job=last.id))["to"] == "queued"


def test_a_map_gives_results_in_order_and_the_same_ones_again_with_its_key(client: Client) -> None:
    results = list(client.map("echo", (n for n in range(70)), chunk=20, key="again"))
    assert results == list(range(70))
    assert list(client.map("echo", range(70), chunk=20, key="again")) == results
    jobs = [job for job in client.jobs(type="echo") if isinstance(job.refresh().fields["data"], int)]
    assert len(jobs) == 70
    with pytest.raises(ValueError, match="chunk is 1 to 1000"):
        client.map("echo", [1], chunk=0)


def test_a_map_submits_no_more_than_two_chunks_ahead(client: Client) -> None:
    items = iter(range(1_000))
    results = client.map("echo", items, chunk=5)
    assert next(results) == 0
    assert next(items) <= 16


def test_a_map_puts_what_became_of_a_job_in_its_place(client: Client) -> None:
    outcomes = list(client.map("nobody", [1, 2], expires_s=0.1, return_exceptions=True))
    assert [type(outcome) for outcome in outcomes] == [JobExpired, JobExpired]
    with pytest.raises(JobExpired):
        next(client.map("nobody", [1], expires_s=0.1))


def test_an_executor_gives_real_futures(client: Client) -> None:
    with Executor(client, "echo") as executor:
        futures = [executor.submit(n) for n in range(50)]
        done = list(concurrent.futures.as_completed(futures, timeout=30))
        assert sorted(future.result() for future in done) == list(range(50))
        assert list(executor.map("abc")) == ["a", "b", "c"]
        assert executor.submit("a b", type="word-count").result(20)["words"] == 2

        async def wrapped() -> object:
            return await asyncio.wrap_future(executor.submit("from a loop"))

        assert asyncio.run(wrapped()) == "from a loop"
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(1)


def test_one_bad_job_among_many_fails_alone(client: Client) -> None:
    with Executor(client, "echo") as executor:
        good = [executor.submit(n) for n in range(10)]
        bad = executor.submit("x", priority=9999)
        good += [executor.submit(n) for n in range(10, 20)]
        assert isinstance(bad.exception(20), Invalid)
        assert [future.result(20) for future in good] == list(range(20))
        with pytest.raises(TypeError, match=r"data\.a is a set"):
            executor.submit({"a": {1}})


def test_a_cancelled_future_cancels_a_job_that_waits(client: Client) -> None:
    executor = Executor(client, "nobody")
    futures = [executor.submit(n) for n in range(3)]
    until(lambda: all(future.job for future in futures), what="all are taken")
    assert futures[0].cancel()
    assert not concurrent.futures.wait(futures[:1], timeout=0).not_done
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert [future.job.status() for future in futures if future.job] == ["cancelled"] * 3


def test_a_cancelled_future_leaves_a_job_that_runs_alone(server: Live, client: Client) -> None:
    executor = Executor(client, "hang")
    with running(*PAGES[:-1], "--types=hang", "--never-answer=1", "--url", server.url):
        future = executor.submit()
        job = until(lambda: future.job, what="it is taken")
        until(lambda: job.status() == "running", what="it runs")
        assert future.cancel()
        executor.shutdown()
        assert job.status() == "running"
        job.cancel()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_after_a_fork_is_told_that_the_executor_is_its_parents(client: Client) -> None:
    context = multiprocessing.get_context("fork")
    told, tell = context.Pipe(duplex=False)

    def use(executor: Executor) -> None:
        try:
            executor.submit(1)
        except RuntimeError as error:
            tell.send(str(error))

    with Executor(client, "echo") as executor:
        child = context.Process(target=use, args=(executor,))
        child.start()
        assert "make another one after a fork" in told.recv()
        child.join(20)
        assert executor.submit(2).result(20) == 2


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_after_a_fork_uses_no_socket_of_its_parent(client: Client) -> None:
    """Both ask at once, with a kept connection at hand: each must get its own answers."""
    mine, childs = client.submit("echo", "parent"), client.submit("echo", "child")
    mine.result(20)
    context = multiprocessing.get_context("fork")
    told, tell = context.Pipe(duplex=False)
    child = context.Process(target=lambda: tell.send([childs.refresh().id for _ in range(50)]))
    child.start()
    assert {mine.refresh().id for _ in range(50)} == {mine.id}
    assert set(told.recv()) == {childs.id}
    child.join(20)


def test_the_twin_does_the_same(server: Live) -> None:
    async def run() -> None:
        async with AsyncClient(server.url) as client:
            job = await client.submit("echo", [1])
            assert await job.result(timeout=20) == [1]
            assert [result async for result in client.map("echo", range(45), chunk=10)] == list(range(45))
            told = io.StringIO()
            with contextlib.redirect_stderr(told):
                assert [result async for result in client.map("echo", ["a", "b"], progress=True)] == ["a", "b"]
            assert "2 of 2 jobs" in told.getvalue()
            waits = await client.submit("nobody")
            with pytest.raises(JobTimeout):
                await waits.result(timeout=0.01)
            assert (await waits.cancel()).state == "cancelled"
            assert waits.id in [found.id async for found in client.jobs(type="nobody", limit=1)]
            assert (await client.act("retry", {"type": "nobody"}, dry_run=True))["matched"]
            assert (await client.stats())["workers"]
            made = await client.submit_batch("echo", ["a", "b"])
            assert (await client.wait(made, timeout=20)).done == made
            batch = await client.batch(str(made[0].batch))
            assert await batch.wait(timeout=20)
            assert [line["result"] for line in await (await batch.refresh()).results()] == ["a", "b"]
            async for change in client.events(after="oldest", job=made[0].id):
                assert change["to"] == "queued"
                break

    asyncio.run(run())


#: Submits once in each of many children. Each is killed after some more calls of functions than the one before it,
#: until one lives to its end.
_KILLED = """
import os, signal, sys
from dispatcher.sdk import Client
Client(sys.argv[1]).stats()
calls = status = 1
while status:
    print(f"order-{calls}", flush=True)
    if not (pid := os.fork()):
        left = [calls]
        def count(*_):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        Client(sys.argv[1]).submit("killed", 1, key=f"order-{calls}")
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    calls = calls * 9 // 8 + 10
"""


def test_a_submitter_that_is_killed_at_any_instant_and_tries_again_makes_one_job(server: Live, client: Client) -> None:
    given = [sys.executable, "-c", _KILLED, server.url]
    keys = subprocess.run(given, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout.split()
    taken = len(list(client.jobs(type="killed")))
    assert 1 < taken < len(keys) - 10, (taken, len(keys))
    for key in keys:
        client.submit("killed", 1, key=key)
    assert len(list(client.jobs(type="killed"))) == len(keys)


def test_a_bar_stands_on_a_terminal_alone() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown, hidden = Terminal(), io.StringIO()
    for stream in (shown, hidden):
        with Bar(4, stream=stream, clock=lambda: 0.0) as bar:
            bar.step()
            bar.step()
    assert shown.getvalue().splitlines()[-1] == f"[{'#' * 15}{'.' * 15}] 2 of 4 jobs"
    assert hidden.getvalue() == ""
