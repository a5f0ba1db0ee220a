"""static/task-files.js without a browser: files that do not come, and errors that speak of no file."""

from __future__ import annotations

import json
from typing import Any

import quickjs

from .harness import STATIC, bare_engine, speak

_WINDOW = """
var window = this, scripts = [], timers = [], fail = null, settled = 0, tasks = [];
window.setTimeout = function (fn, ms) { timers.push({fn: fn, ms: ms}); };
window.addEventListener = function (name, fn) { fail = fn; };
window.Pagehand = {
  tasks: function () { return tasks; },
  task: function (name) { tasks.push(name); return this; }
};
var document = {
  createElement: function () { return {parentNode: {removeChild: function () {}}}; },
  body: {appendChild: function (script) { scripts.push(script); }}
};
"""


def page(*names: str, language: str = "en") -> quickjs.Context:
    """A page that has begun to load these files."""
    js = bare_engine()
    speak(js, language)
    js.eval(_WINDOW)
    js.eval((STATIC / "task-files.js").read_text(encoding="utf-8"))
    js.eval(
        f"var files = pagehandFiles('/base'), later = 0; files.load({json.dumps(names)},"
        "function () { settled += 1; }, null, function () { later += 1; }); null;"
    )
    return js


def unloaded(js: quickjs.Context) -> dict[str, str]:
    return dict(json.loads(js.eval("JSON.stringify(files.unloaded())")))


def faulty(js: quickjs.Context) -> list[str]:
    return list(json.loads(js.eval("JSON.stringify(files.faulty())")))


def come(js: quickjs.Context, number: int, *registers: str, error: dict[str, Any] | None = None) -> None:
    """The script arrives and runs."""
    if error is not None:
        js.eval(f"fail({json.dumps(error)}); null;")
    js.eval(f"tasks = tasks.concat({json.dumps(registers)}); scripts[{number}].onload(); null;")


def test_a_file_that_does_not_come_is_named_until_it_has_come_and_holds_up_nothing() -> None:
    js = page("a", "b")
    assert js.eval("scripts[0].src") == "/base/tasks/a.js"
    js.eval("scripts[0].onerror(); null;")
    assert faulty(js) == ["a.js, it could not be loaded and is asked for again"]
    come(js, 1, "b")
    assert js.eval("settled") == 1
    js.eval("timers[0].fn(); scripts[2].onerror(); timers[1].fn(); null;")
    assert js.eval("timers[0].ms") == 1_000
    assert js.eval("timers[1].ms") == 2_000
    come(js, 3, "a")
    assert faulty(js) == []
    assert js.eval("settled") == 1


def test_the_server_is_told_in_english_and_in_one_line_each_time_that_a_file_has_been_tried() -> None:
    js = page("a", "b", "c", language="de")
    come(js, 0, error={"message": "bad\nworse", "filename": "http://h/base/tasks/a.js", "lineno": 3})
    js.eval("scripts[1].onerror(); null;")
    come(js, 2, "c")
    assert faulty(js)[0] == "a.js, Zeile 3: bad\nworse"
    assert unloaded(js) == {
        "a": "E-TSK-01: line 3: bad",
        "b": "E-TSK-01: it could not be loaded and is asked for again",
    }
    js.eval("timers[0].fn(); null;")
    come(js, 3, "b")
    assert (list(unloaded(js)), js.eval("settled"), js.eval("later")) == (["a"], 1, 1)


def test_an_error_that_only_its_stack_ties_to_a_file_has_its_line() -> None:
    js = page("a")
    stack = "Error: bad\n  at http://h/static/worker.js:5:1\n  at http://h/base/tasks/a.js:12:3"
    come(
        js, 0, error={"message": "bad", "filename": "http://h/static/worker.js", "lineno": 5, "error": {"stack": stack}}
    )
    assert faulty(js) == ["a.js, line 12: bad"]


def test_an_error_without_any_file_is_that_of_the_file_that_has_just_run_unless_it_works() -> None:
    js = page("a", "b")
    come(js, 0, "a", error={"message": "elsewhere"})
    come(js, 1)
    assert faulty(js) == ['b.js, it does not register "b" (is it empty?)']
    js = page("a")
    come(js, 0, error={"message": "Script error."})
    assert faulty(js) == ["a.js, Script error."]


def test_the_first_error_of_a_file_is_shown_and_an_image_that_fails_is_none() -> None:
    js = page("a")
    js.eval("fail({}); null;")
    js.eval("fail({message: 'one', filename: 'http://h/base/tasks/a.js?v=1', lineno: 2}); null;")
    come(js, 0, error={"message": "two", "filename": "http://h/base/tasks/a.js", "lineno": 3})
    assert faulty(js) == ["a.js, line 2: one"]


def test_a_file_that_registers_another_s_name_or_a_strange_one_is_told_from_one_that_is_empty() -> None:
    js = page("a", "b", "__proto__x", "constructor")
    come(js, 0, "b")
    come(js, 1)
    come(js, 2, "order")
    come(js, 3)
    assert faulty(js) == [
        'a.js, it does not register "a" (is it empty?)',
        '__proto__x.js, it does not register "__proto__x", but "order"',
        'constructor.js, it does not register "constructor" (is it empty?)',
    ]


def test_a_task_that_is_registered_late_is_not_laid_to_the_next_file_in_an_old_engine() -> None:
    js = page("a", "b")
    come(js, 0)
    js.eval("Pagehand.task('a'); Pagehand.task('b'); scripts[1].onload(); null;")
    assert json.loads(js.eval("JSON.stringify(files.offered())")) == ["a", "b"]
    assert faulty(js) == ['a.js, it does not register "a" (is it empty?)']
