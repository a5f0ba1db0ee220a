"""Bugs in the worker page, ``static/worker/``."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

PAGE = "static/worker/"

BY_WORKER = "tests/page/test_worker.py"
BY_ATTEMPTS = "tests/page/test_attempts.py"
BY_MEMORY = "tests/page/test_memory.py"

BUGS = {
    "a page starts a task before its accept has arrived": Bug(
        "S7",
        PAGE + "attempts.js::Worker._onJob",
        "!attempt.confirm",
        "attempt.task.quick && !attempt.confirm",
        BY_WORKER,
    ),
    "a page forgets at a reload which pause its person has ended": Bug(
        "S38",
        PAGE + "storage.js::Identity._load",
        "ended: null",
        "ended: typeof record.ended === 'number' ? record.ended : null",
        "tests/page/test_pausing.py",
    ),
    "a page does not repeat a result": Bug(
        "S10",
        PAGE + "sessions.js::Worker._repeat",
        "attempt.sentAt < 0 && attempt.sentAt <= due",
        "attempt.sentAt <= due",
        BY_WORKER,
    ),
    "a page sends a result before it is in the stash": Bug(
        "S10",
        PAGE + "reports.js::Worker._report",
        "this._say(attempt); this._shelf.set('stash.' + attempt.id, text);",
        "this._shelf.set('stash.' + attempt.id, text);",
        BY_MEMORY,
    ),
    "a page's boot outlives its reload": Bug(
        "S12",
        PAGE + "worker.js::Worker",
        "this._boot = this._shelf.get('boot') || randomId(env); this._shelf.set('boot', this._boot);",
        "this._boot = randomId(env);",
        BY_MEMORY,
    ),
    "a page does not wait for go": Bug(
        "S15b", PAGE + "attempts.js::Worker._accepted", "false", "attempt.confirm", BY_WORKER
    ),
    "a page sends a result that is too large": Bug(
        "S22", PAGE + "reports.js::Worker._reportValue", "", "size > limit ||", BY_ATTEMPTS
    ),
}
