"""The error of a task as people read it."""

from __future__ import annotations

import pytest

from handlers.console.errortext import ErrorText, error_of


@pytest.mark.parametrize(
    ("text", "message", "stack", "code"),
    [
        ('{"message": "m", "stack": "s", "code": "c"}', "m", "s", "c"),
        ('{"message": null, "code": 7}', '{"message": null, "code": 7}', "", "7"),
        ('"plain"', "plain", "", ""),
        ("[1]", "[1]", "", ""),
        ("not json", "not json", "", ""),
    ],
)
def test_an_error_of_any_form_can_be_shown(text: str, message: str, stack: str, code: str) -> None:
    error = error_of(text)
    assert error is not None
    assert (error.message, error.stack, error.code) == (message, stack, code)


@pytest.mark.parametrize(
    ("stack", "shown"),
    [
        (
            "TypeError: no\n    at print (http://h/tasks/label.js:2:9)\n    at run (http://h/static/worker.js:402:11)",
            "TypeError: no\n    at print (http://h/tasks/label.js:2:9)",
        ),
        (
            "print@http://h/tasks/label.js:2:9\nrun@http://h/x/static/worker.js?v=1a2b:402:11",
            "print@http://h/tasks/label.js:2:9",
        ),
        ("TypeError: no\n   at Anonymous function (http://h/static/worker.js:402:11)", None),
        ("something else: 7 is /static/worker.js", None),
        ("", None),
    ],
)
def test_a_stack_is_shown_without_our_own_lines_unless_there_are_no_others(stack: str, shown: str | None) -> None:
    error = ErrorText("m", stack, "")
    assert error.own_stack == (stack if shown is None else shown)
