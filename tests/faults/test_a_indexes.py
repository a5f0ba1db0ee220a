"""Fault A15: a start and the first offer read by indexes (tests/campaigns measures the times)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dispatcher.store.sqlite import statements
from tests.store.contract import DURABLE, Desk
from tests.support.jobs import spec


def _reads(directory: Path) -> tuple[Desk, list[str]]:
    """A store opened again with a running and a queued job, and every SELECT of its start and of a claim."""
    desk = Desk(DURABLE[0], directory)
    desk.submit(spec(), spec())
    desk.claim(1)
    desk.end()
    desk = Desk(DURABLE[0], directory)
    store: Any = desk.store
    said: list[str] = [
        statements.META,
        statements.TALLIES,
        statements.NEXT_DUE.replace("?1", "0.0"),
        statements.NEXT_BACKOFF.replace("?", "0.0"),
    ]  # of its opening
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(said.append)))
    assert len(desk.run(store.live_attempts())) == 1
    assert len(desk.run(store.ready())) == 1
    (claim,) = desk.claim(1)
    assert claim.type == "echo"
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(None)))
    return desk, list(dict.fromkeys(text for text in said if "SELECT" in text and not text.startswith("INSERT")))


def test_fault_A15_a_start_and_the_first_offer_find_jobs_by_indexes(tmp_path: Path) -> None:
    desk, reads = _reads(tmp_path)
    store: Any = desk.store
    scans = []
    for text in reads:
        plan = desk.run(store._thread.run(lambda text=text: store._db.execute(f"EXPLAIN QUERY PLAN {text}").fetchall()))
        scans += [
            (" ".join(text.split()), row[3])
            for row in plan
            if row[3] in ("SCAN j", "SCAN jobs", "SCAN a", "SCAN d", "SCAN q")
        ]
    desk.end()
    # One of them walks through the table, from the newest job to the last running one, and no further.
    ((text, _),) = scans
    assert "WHERE j.state = 'running' ORDER BY j.seq DESC LIMIT 1" in text
    assert any("j.lane = 1 AND j.state = 'queued' ORDER BY j.rank" in text for text in reads), "a claim of one lane"
    assert any("q.seq IN ( SELECT seq FROM jobs" in " ".join(text.split()) for text in reads), "the heads of lanes"


def test_a_batch_is_read_by_the_index_that_names_its_jobs(tmp_path: Path) -> None:
    desk = Desk(DURABLE[0], tmp_path)
    store: Any = desk.store
    said: list[str] = []
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(said.append)))
    desk.run(store.batches.view("b")), desk.run(store.batches.items("b", 7))
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(None)))
    plans = []
    for text in said:
        asked = f"EXPLAIN QUERY PLAN {text}"
        plan = desk.run(store._thread.run(lambda asked=asked: store._db.execute(asked).fetchall()))
        plans.append([row[3] for row in plan])
    desk.end()
    assert plans == [
        ["SEARCH jobs USING INDEX jobs_batch (batch=?)", "USE TEMP B-TREE FOR GROUP BY"],
        [
            "SEARCH j USING INDEX jobs_batch (batch=? AND seq>?)",
            "SEARCH r USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
        ],
    ]


def test_what_has_outlived_its_retention_is_found_by_a_range_of_an_index(tmp_path: Path) -> None:
    desk = Desk(DURABLE[0], tmp_path)
    store: Any = desk.store
    plans = []
    for text in statements.OUTLIVED:
        asked = f"EXPLAIN QUERY PLAN {text}"
        plan = desk.run(store._thread.run(lambda asked=asked: store._db.execute(asked, (1.0, 50)).fetchall()))
        plans.append([row[3] for row in plan])
    desk.end()
    assert plans == [
        ["SEARCH j USING INDEX jobs_outlived (ended_clock<?)"],
        ["SEARCH j USING INDEX jobs_outlived_keyed (ended_clock<?)"],
    ]
