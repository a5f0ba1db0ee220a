"""static/check.js: it says in words that a browser or mode is too old, before anything else runs."""

from __future__ import annotations

import json

import pytest

from .harness import STATIC, bare_engine

#: Only as much of a document as IE 7 has.
_DOCUMENT = """
var shown = {};
function element(id) {
  return {firstChild: null, removeChild: function () {}, appendChild: function (node) { shown[id] = node.text; }};
}
var document = {
  title: '', addEventListener: function () {},
  getElementById: function (id) { return element(id); },
  createTextNode: function (text) { return {text: text}; }
};
var window = this; var XMLHttpRequest = function () {};
"""


def verdict(change: str) -> tuple[str, dict[str, str]]:
    """``window.pagehandTooOld``, and what is shown."""
    engine = bare_engine()
    engine.eval(_DOCUMENT)
    engine.eval(change)
    engine.eval((STATIC / "check.js").read_text(encoding="utf-8"))
    problem, shown = json.loads(engine.eval("JSON_stringify([window.pagehandTooOld, shown])"))
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
    assert shown == {}
