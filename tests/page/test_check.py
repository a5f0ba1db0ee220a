"""static/check.js: it says in words that a browser or mode is too old, before anything else runs."""

from __future__ import annotations

import json
import re

import pytest
import quickjs

from .harness import STATIC, bare_engine

#: Only as much of a document as IE 7 has.
_DOCUMENT = """
var shown = {}, button = {disabled: true}, box = {focus: function () {}, select: function () {}};
function element(id) {
  return {firstChild: null, removeChild: function () {}, appendChild: function (node) { shown[id] = node.text; }};
}
var document = {
  title: '', addEventListener: function () {},
  getElementById: function (id) { return id === 'copy' ? button : id === 'report' ? box : element(id); },
  execCommand: function () { throw 1; },
  createTextNode: function (text) { return {text: text}; },
  documentElement: {}
};
var window = this; var location = {host: 'h:1', pathname: '/worker', search: '', hash: '#token=secret'};
var navigator = {userAgent: 'Old/7'}; var XMLHttpRequest = function () {};
"""


def checked(change: str) -> quickjs.Context:
    """An engine in which the script has run."""
    engine = bare_engine()
    engine.eval(_DOCUMENT)
    engine.eval(change)
    for name in ("words.js", "language.js", "check.js"):
        engine.eval((STATIC / name).read_text(encoding="utf-8"))
    return engine


def verdict(change: str) -> tuple[str, dict[str, str]]:
    """``window.pagehandTooOld``, and what is shown."""
    problem, shown = json.loads(checked(change).eval("JSON_stringify([window.pagehandTooOld, shown])"))
    return problem, shown


@pytest.mark.parametrize("mode", [5, 7, 8, 9])
def test_an_old_document_mode_is_named_and_what_to_do_is_said(mode: int) -> None:
    problem, shown = verdict(f"var JSON_stringify = JSON.stringify; document.documentMode = {mode};")
    assert problem == f"This browser mode is too old (document mode {mode})."
    assert shown["word"] == "TOO OLD"
    assert problem in shown["detail"]
    assert "FEATURE_BROWSER_EMULATION" in shown["detail"]


@pytest.mark.parametrize(
    "gone",
    [
        "JSON = undefined;",
        "XMLHttpRequest = undefined;",
        "document.addEventListener = undefined;",
        "Object.keys = undefined;",
        "Function.prototype.bind = undefined;",
    ],
)
def test_a_browser_that_lacks_what_the_page_needs_is_told_so(gone: str) -> None:
    problem, shown = verdict(f"var JSON_stringify = JSON.stringify; {gone}")
    assert problem
    assert shown["word"] == "TOO OLD"


@pytest.mark.parametrize("mode", ["10", "11", "undefined"])
def test_a_browser_that_will_do_is_left_alone(mode: str) -> None:
    problem, shown = verdict(f"var JSON_stringify = JSON.stringify; document.documentMode = {mode};")
    assert problem == ""
    assert shown["word"] == "STARTING", "what stands there for a browser without JavaScript is gone"


def test_a_browser_that_is_too_old_can_still_give_its_report_which_has_no_token_in_it() -> None:
    engine = checked("document.documentMode = 7;")
    assert re.fullmatch(r"Tell the helpdesk: h:1/worker, E-OLD-01, since \d+:\d\d\.", engine.eval("shown.aloud"))
    assert engine.eval("button.disabled") is False
    engine.eval("button.onclick(); null;")
    report = str(engine.eval("box.value"))
    for words in ("TOO OLD (E-OLD-01)", "document mode 7", "Server: h:1/worker", "Browser: Old/7"):
        assert words in report
    assert "secret" not in report
    assert engine.eval("shown.copied") == "Press Ctrl+C to copy."
