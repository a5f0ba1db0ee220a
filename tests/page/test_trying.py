"""A task that is tried: it runs as at a worker, no server hears of it, and nothing is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.worker.script import join

from .harness import HERE, Message, bare_engine

TASKS = """
var seen = null, end = null;
Pagehand.task('echo', function (job) { return job.data; }, {quick: true});
Pagehand.task('later', function (job, done) { seen = job; end = done; });
Pagehand.task('throws', function () { throw Pagehand.fatal('no <paper>', 'paper'); });
Pagehand.task('ask', function (job, done) { end = done; }, {doubt: 'ask', ask: 'Did it come out?'});
"""


class Tab:
    """A page that tries tasks."""

    def __init__(self) -> None:
        self.js = bare_engine()
        self.js.eval((HERE / "fake_window.js").read_text(encoding="utf-8"))
        self.js.eval(join() + TASKS + "var told = [];")

    def run(self, type_: str, data: str = "null", limit: int = 1000, **fields: Any) -> None:
        offer = json.dumps(
            {"op": "job", "attempt": "try", "id": "j", "type": type_, "number": 1, "timeout_ms": 60_000, **fields}
        )
        text = json.dumps(f'{offer[:-1]}, "data": {data}}}')
        take = "function (message, value) { told.push([message, value]); }"
        self.js.eval(f"Pagehand.tryTask({text}, {limit}, {take}, fakeWindow.env({{}})); null;")

    def eval(self, source: str) -> Any:
        return json.loads(self.js.eval(f"JSON.stringify({source})"))

    def told(self) -> list[tuple[Message, str | None]]:
        return [(message, value) for message, value in self.eval("told")]

    @property
    def only(self) -> tuple[Message, str | None]:
        [told] = self.told()
        return told


def test_a_result_is_told_as_json_with_all_digits_of_the_data() -> None:
    tab = Tab()
    tab.run("later", data='{"a": 12345678901234567890}')
    assert tab.eval("[seen.id, seen.type, seen.number, seen.timeoutMs, seen.text]") == [
        "j", "later", 1, 60_000, '{"a": 12345678901234567890}',
    ]  # fmt: skip
    tab.js.eval("end(null, {done: [1.5, 'x']}); null;")
    message, value = tab.only
    assert (message["op"], value) == ("result", '{"done":[1.5,"x"]}')


def test_progress_and_lines_are_told_as_they_come_and_not_after_the_end() -> None:
    tab = Tab()
    tab.run("later")
    tab.js.eval("seen.progress(40, 'page 2'); seen.log('one'); seen.log('two'); end(null, 1); seen.log('late'); null;")
    assert [(m["op"], m.get("percent"), m.get("line")) for m, _ in tab.told()] == [
        ("progress", 40, None), ("log", None, "one"), ("log", None, "two"), ("result", None, None),
    ]  # fmt: skip


def test_an_error_is_told_with_its_stack_and_code_and_whether_it_would_be_tried_again() -> None:
    tab = Tab()
    tab.run("throws")
    message, _ = tab.only
    assert (message["op"], message["message"], message["code"], message["retry"]) == (
        "error",
        "no <paper>",
        "paper",
        False,
    )
    assert message["stack"]


def test_what_nobody_catches_while_the_task_runs_is_its_error() -> None:
    tab = Tab()
    tab.run("later")
    tab.js.eval("fakeWindow.fire('error', {message: 'x is undefined', filename: '/tasks/later.js', lineno: 3}); null;")
    assert (tab.only[0]["op"], tab.only[0]["message"]) == ("error", "x is undefined")
    assert tab.eval("fakeWindow.hooked('error')") == 0, "the page is as it was"


def test_a_result_that_the_server_would_not_take_is_an_error_as_at_a_worker() -> None:
    tab = Tab()
    tab.run("echo", data=json.dumps("x" * 50), limit=20)
    assert tab.only[0]["code"] == "result_too_large"


@pytest.mark.parametrize("end", ["end(null, 1)", "end('no paper')"])
def test_nothing_is_sent_and_nothing_is_kept(end: str) -> None:
    tab = Tab()
    before = tab.eval("[fakeWindow.world(), fakeWindow.shownAddress()]")
    for type_ in ("ask", "later"):
        tab.run(type_, confirm=True)
        tab.js.eval(f"fakeWindow.advance(20000); {end}; fakeWindow.advance(120000); null;")
    assert len(tab.told()) == 2
    assert tab.eval("[fakeWindow.world(), fakeWindow.shownAddress()]") == before
    assert json.loads(tab.js.eval("fakeWindow.requests()")) == json.loads(tab.js.eval("fakeWindow.sockets()")) == []


def test_a_task_may_be_tried_again_when_it_has_ended() -> None:
    tab = Tab()
    for data in ("1", "2"):
        tab.run("echo", data=data)
    assert [value for _, value in tab.told()] == ["1", "2"]


@pytest.mark.parametrize("type_", ["nobody", "toString"])
def test_a_task_that_is_not_registered_cannot_be_tried(type_: str) -> None:
    tab = Tab()
    with pytest.raises(Exception, match=f"no task is registered as {type_}"):
        tab.run(type_)
