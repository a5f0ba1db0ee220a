"""A line of the log as text and as JSON: both say the same, and no message makes a second line of JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from dispatcher.config.logform import formatter
from dispatcher.config.logs import FaultCount
from tests.support.server import live


def record(message: str, *given: object, fault: bool = False, **extra: object) -> logging.LogRecord:
    about: Any = None
    if fault:
        try:
            raise ValueError("broken")
        except ValueError:
            about = sys.exc_info()
    made = logging.LogRecord("pagehand.store", logging.WARNING, __file__, 1, message, given, about)
    made.created = 1_795_469_045.1236
    vars(made).update(extra)
    return made


def test_text_is_time_level_logger_and_message() -> None:
    assert (
        formatter("text")
        .format(record("the disk of %s is full", "a.db"))
        .endswith(" WARNING pagehand.store the disk of a.db is full")
    )


def test_json_has_the_same_and_what_came_with_the_record() -> None:
    line = json.loads(formatter("json").format(record("%d jobs", 3, action="disk_full", request_id="a1", took_ms=1.5)))
    assert line == {
        "time": "2026-11-23T21:24:05.123Z", "level": "warning", "logger": "pagehand.store", "message": "3 jobs",
        "action": "disk_full", "request_id": "a1", "took_ms": 1.5,
    }  # fmt: skip


def test_a_message_with_line_ends_and_controls_stays_one_line_and_what_is_odd_becomes_text() -> None:
    text = formatter("json").format(record("a\nb\x1b[31m\u2028ü\ud800", odd={1, 2}.__class__))
    assert text.isascii()
    assert not set(text) & set(map(chr, range(32)))
    assert json.loads(text)["message"] == "a\nb\x1b[31m\u2028ü\ud800"
    assert json.loads(text)["odd"] == "<class 'set'>"


def test_what_came_with_the_record_never_replaces_its_own_fields() -> None:
    line = json.loads(formatter("json").format(record("m", level="x", logger="y", time="z")))
    assert (line["level"], line["logger"]) == ("warning", "pagehand.store")


def test_a_fault_has_its_number_and_its_traceback() -> None:
    made = record("it failed", fault=True)
    FaultCount().filter(made)
    line = json.loads(formatter("json").format(made))
    assert line["message"] == "it failed (fault 1 since the start)"
    assert line["traceback"].endswith("ValueError: broken")


def test_each_line_of_a_server_is_an_object_and_a_request_is_found_by_its_id(tmp_path: Path) -> None:
    with live(tmp_path, "--log-format", "json") as server:
        reply = server.ask("GET", "/api/v1/jobs/nobody", headers={"X-Request-Id": "call-4711"})
        assert reply.status == 404
        lines = [json.loads(line) for line in server.log_so_far().splitlines()]
    [line] = [line for line in lines if line.get("request_id") == "call-4711"]
    assert (line["action"], line["status"], line["logger"]) == ("request", 404, "tornado.access")
