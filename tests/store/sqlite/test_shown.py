"""A turn of the SQLite store is durable before it reads the jobs that it shows, and whatever that read meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from dispatcher.core.jobs.turn import Verdict
from tests.store.contract import KINDS, Desk, result

[SQLITE] = [kind for kind in KINDS if kind.name == "sqlite"]


def test_jobs_are_read_after_the_commit_in_the_same_call_of_the_thread(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(SQLITE)
    store: Any = desk.store
    claim = desk.start()
    turn = replace(desk.make_turn(reports=[result(claim.attempt)]), shown=(claim.job,))
    statements: list[str] = []
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(statements.append)))
    report = store.apply(turn)
    first = desk.run(report)
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(None)))
    assert [job.id for job in first.shown] == [claim.job]
    after = statements[statements.index("COMMIT") + 1 :]
    assert [statement.split()[0] for statement in after] == ["SELECT"] * 3


def test_a_job_that_cannot_be_read_fails_no_turn(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(SQLITE)
    store: Any = desk.store
    claim = desk.start()
    rename = "ALTER TABLE {} RENAME TO {}"
    desk.run(store._thread.run(lambda: store._db.execute(rename.format("logs", "aside"))))
    turn = replace(desk.make_turn(reports=[result(claim.attempt)]), shown=(claim.job,))
    report = desk.run(store.apply(turn))
    desk.run(store._thread.run(lambda: store._db.execute(rename.format("aside", "logs"))))
    assert ([settled.verdict for settled in report.verdicts], report.shown) == ([Verdict.RECORDED], [])
    assert desk.states(claim.job) == ["succeeded"]
