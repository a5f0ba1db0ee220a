"""Real task files in a test: the worker's own script, in an engine that is no browser."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from dispatcher.sdk import JobFailed
from dispatcher.sdk.testing import TaskFileFault, Trial, serve
from tests.support.places import ROOT


def put(directory: Path, **tasks: str) -> Path:
    for name, body in tasks.items():
        (directory / f"{name}.js").write_text(f"Pagehand.task('{name}', function (job, done) {{ {body} }});", "utf-8")
    return directory


def test_the_shipped_tasks_run(pagehand: Trial) -> None:
    pagehand.tasks(ROOT / "static" / "tasks" / "word-count.js")
    pagehand.tasks(ROOT / "static" / "tasks" / "echo.js")
    assert pagehand.client.run("word-count", {"text": "a b a"}, timeout=20)["words"] == 3
    assert pagehand.client.run("echo", {"n": 10**40, "text": "Müller"}, timeout=20)["text"] == "Müller"


def test_a_task_ends_in_each_of_its_ways(pagehand: Trial, tmp_path: Path) -> None:
    tasks = pagehand.tasks(
        put(
            tmp_path,
            returns="return {n: job.data.n + 1, at: job.number};",
            calls="job.progress(50, 'half'); job.log('a line'); console.log('so', {n: 1}); done(null, 'done');",
            promises="return new Promise(function (resolve) { setTimeout(function () { resolve('kept'); }, 5000); });",
            dates="return [new Date() instanceof Date, new Date(2020, 1, 29).getDate(), typeof Date()];",
            throws="throw new Error('no paper');",
            fails="done('no toner');",
            fatal="throw Pagehand.fatal('no such printer', 'gone');",
            late="setTimeout(function () { nothing.here(); }, 100);",
            loops="var all = {}; all.all = all; return all;",
        )
    )
    run = pagehand.client.run
    assert run("returns", {"n": 1}, timeout=20) == {"n": 2, "at": 1}
    assert run("calls", timeout=20) == "done"
    assert tasks.console == ['so {"n":1}']
    assert run("promises", timeout=20) == "kept"
    assert run("dates", timeout=20) == [True, 29, "string"]
    for name, words in {
        "throws": "no paper",
        "fails": "no toner",
        "fatal": "no such printer",
        "late": "nothing is not defined",
        "loops": "it contains itself",
    }.items():
        with pytest.raises(JobFailed, match=words):
            run(name, timeout=20, max_attempts=1)
    job = pagehand.jobs("fatal")[0]
    assert (len(job.attempts), job.fields["error"]["code"]) == (1, "gone")


def test_a_task_that_calls_itself_for_ever_fails(pagehand: Trial, tmp_path: Path) -> None:
    pagehand.tasks(put(tmp_path, deep="function again() { return again() + 1; } return again();"))
    with pytest.raises(JobFailed, match="stack"):
        pagehand.client.run("deep", timeout=20, max_attempts=1)


def test_what_a_task_waits_for_takes_no_time_but_counts(pagehand: Trial, tmp_path: Path) -> None:
    body = "var began = new Date(); setTimeout(function () { done(null, new Date() - began); }, job.data);"
    pagehand.tasks(put(tmp_path, waits=body))
    assert pagehand.client.run("waits", 50_000, timeout=20) == pytest.approx(50_000, abs=2_000)
    with pytest.raises(JobFailed, match="no answer within 60 s"):
        pagehand.client.run("waits", 3_600_000, timeout=20, timeout_s=60, max_attempts=1)


def test_the_clock_does_not_run_away_with_a_task_that_does_not_stop(pagehand: Trial, tmp_path: Path) -> None:
    pagehand.tasks(put(tmp_path, ticks="setInterval(function () {}, 1000);"))
    with pytest.raises(JobFailed, match="no answer within 10 s"):
        pagehand.client.run("ticks", timeout=20, timeout_s=10, max_attempts=1)
    for _ in range(300):
        pagehand.client.stats()
    ended = datetime.fromisoformat(pagehand.jobs("ticks")[0].fields["ended_at"])
    created = datetime.fromisoformat(pagehand.client.submit("later").fields["created_at"])
    assert (created - ended).total_seconds() < 40  # the page would reload after 60


def test_a_task_waits_for_the_test_where_it_is_told_so(pagehand: Trial, tmp_path: Path) -> None:
    pagehand.tasks(put(tmp_path, waits="setTimeout(function () { done(null, 'rung'); }, 30000);"), skip_waits=False)
    job = pagehand.client.submit("waits", timeout_s=60)
    pagehand.advance(20)
    for _ in range(100):
        assert job.status() == "running"
    pagehand.advance(20)
    assert job.result(timeout=20) == "rung"


def test_requests_of_a_task_find_what_the_test_has_scripted(pagehand: Trial, tmp_path: Path) -> None:
    body = """
        var xhr = new XMLHttpRequest();
        xhr.open('POST', job.data);
        xhr.setRequestHeader('Content-Type', 'text/plain');
        xhr.onload = function () { done(null, [xhr.status, xhr.responseText, xhr.getResponseHeader('Content-Type')]); };
        xhr.onerror = function () { done('nobody is there'); };
        xhr.send('FRAGILE');
    """
    tasks = pagehand.tasks(put(tmp_path, asks=body))
    asked = []

    def printer(method: str, url: str, text: str | None) -> tuple[int, str]:
        asked.append((method, url, text))
        return 503, "no paper"

    tasks.site("http://printer.test/", printer)
    tasks.site("http://printer.test/ink", {"ink": 3})
    run = pagehand.client.run
    assert run("asks", "http://printer.test/a", timeout=20)[:2] == [503, "no paper"]
    assert asked == [("POST", "http://printer.test/a", "FRAGILE")]
    assert run("asks", "http://printer.test/ink", timeout=20) == [200, '{"ink": 3}', "application/json"]
    with pytest.raises(JobFailed, match="nobody is there"):
        run("asks", "http://elsewhere.test/", timeout=20, max_attempts=1)


def test_a_file_that_does_not_work_is_said_with_its_line(pagehand: Trial, tmp_path: Path) -> None:
    faults = {
        "syntax.js": ("\n\nfunction (", r"syntax\.js, line 3: SyntaxError"),
        "throws.js": ("\nnothing.here();", r"throws\.js, line 2: ReferenceError: nothing is not defined"),
        "receipt.js": (
            "Pagehand.task('reciept', function () {});",
            'receipt.js does not register "receipt", but reciept',
        ),
        "header.js": ('// pagehand: {"title": 3}\n', "header.js: "),
    }
    for name, (source, words) in faults.items():
        (tmp_path / name).write_text(source, "utf-8")
        with pytest.raises(TaskFileFault, match=words):
            pagehand.tasks(tmp_path / name)
    with pytest.raises(TaskFileFault, match="no task file"):
        pagehand.tasks(tmp_path / "missing.js")


def test_a_task_without_an_end_is_stopped_and_said(tmp_path: Path) -> None:
    trial = Trial({})
    trial.tasks(put(tmp_path, spins="while (true) {}"), run_limit_s=0.2)
    job = trial.client.submit("spins", max_attempts=1)
    trial.advance(600)
    assert [attempt["state"] for attempt in job.refresh().attempts] == ["lost"]
    with pytest.raises(RuntimeError, match=r"a script of the page: .*interrupted"):
        trial.close()


def test_a_page_whose_tasks_do_not_stop_loads_itself_anew(pagehand: Trial, tmp_path: Path) -> None:
    body = "console.log('job ' + job.data); if (job.data) { done(null, job.data); }"
    tasks = pagehand.tasks(put(tmp_path, some=body), slots=1)
    stuck = pagehand.client.submit("some", 0, timeout_s=30, max_attempts=1)
    pagehand.advance(600)
    assert stuck.status() == "failed"
    assert pagehand.client.run("some", 1, timeout=20) == 1
    assert tasks.console == ["job 0", "job 1"]


@pytest.mark.expect_log("bad_token")
def test_a_page_without_the_token_says_why(tmp_path: Path) -> None:
    put(tmp_path, some="return 1;")
    with serve(token="secret") as trial:
        trial.token = "other"
        with pytest.raises(RuntimeError, match=r"the page cannot work: .*token"):
            trial.tasks(tmp_path)
