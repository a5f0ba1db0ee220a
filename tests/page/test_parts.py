"""The parts of the worker page's script: each for itself, and what they leave on the page together."""

from __future__ import annotations

import json

import pytest
import quickjs

from handlers.worker.script import PARTS, PARTS_DIRECTORY, join

from .harness import bare_engine

PUBLIC = {
    *(
        "version",
        "protocol",
        "STATE",
        "CODES",
        "ConnectionTest",
        "tryTask",
        "Worker",
        "Engine",
        "task",
        "tasks",
        "blame",
        "fatal",
        "readMessage",
        "utf8Length",
    ),
    "start",
}


def names(engine: quickjs.Context, of: str) -> set[str]:
    return set(json.loads(engine.eval(f"JSON.stringify(Object.getOwnPropertyNames({of}))")))


def test_the_script_leaves_one_name_on_the_page() -> None:
    engine = bare_engine()
    before = names(engine, "this")
    engine.eval(join())
    assert names(engine, "this") - before == {"Pagehand"}
    assert names(engine, "Pagehand") == PUBLIC


def test_a_mode_that_is_too_old_loads_the_script_and_sees_no_error() -> None:
    engine = bare_engine()
    engine.eval("delete Function.prototype.bind; delete Array.isArray; delete String.prototype.trim; delete this.JSON;")
    engine.eval("['create', 'keys', 'getPrototypeOf', 'defineProperty'].forEach(function (n) { delete Object[n]; });")
    engine.eval(join())
    assert engine.eval("typeof Pagehand.start") == "function"


@pytest.mark.parametrize("count", range(1, len(PARTS) + 1), ids=PARTS)
def test_a_part_runs_with_those_before_it_and_adds_to_parts_alone(count: int) -> None:
    engine = bare_engine()
    engine.eval("var parts = {root: Object.create(this)};")
    before = names(engine, "this")
    for part in PARTS[:count]:
        engine.eval((PARTS_DIRECTORY / part).read_text(encoding="utf-8"))
    assert names(engine, "this") == before


def test_a_few_parts_can_be_tried_without_the_others() -> None:
    engine = bare_engine()
    engine.eval("var parts = {root: Object.create(this)};")
    for part in ("builtins.js", "json.js", "parse.js", "base.js", "messages.js"):
        engine.eval((PARTS_DIRECTORY / part).read_text(encoding="utf-8"))
    assert engine.eval("parts.writeMessage('go', {attempt: 'a1'})") == '{"op":"go","attempt":"a1"}'
