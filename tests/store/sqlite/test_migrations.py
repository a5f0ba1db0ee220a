"""A store of each released schema opens, is copied first, and keeps every job, attempt, key and counter."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from dispatcher.core.jobs.turn import Accepted
from dispatcher.store.sqlite.file import APPLICATION_ID, migrations
from tests.store.contract import DURABLE, Desk
from tests.support.jobs import spec

RELEASED = Path(__file__).parent / "released"
VERSIONS = sorted(int(path.stem.removeprefix("schema-")) for path in RELEASED.glob("*.sql"))
KIND = next(kind for kind in DURABLE if kind.name == "sqlite")


def made(version: int, directory: Path) -> Path:
    """A store as that version left it."""
    path = directory / "jobs.db"
    connection = sqlite3.connect(path)
    connection.executescript((RELEASED / f"schema-{version}.sql").read_text("utf-8"))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    return path


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    """Each schema that was released."""
    number: int = request.param
    return number


@pytest.fixture
def desk(version: int, tmp_path: Path):
    """Such a store, opened by this program."""
    made(version, tmp_path)
    desk = Desk(KIND, tmp_path)
    yield desk
    desk.end()


def test_each_schema_but_the_newest_was_released() -> None:
    assert list(range(1, len(migrations()))) == VERSIONS


def test_nothing_is_lost(desk: Desk, version: int) -> None:
    kept = json.loads((RELEASED / f"schema-{version}.json").read_text("utf-8"))
    for was in kept:
        now = json.loads(msgspec.json.encode(desk.job(was["id"])))
        now |= now["terms"]
        numbers = [line.pop("number") for line in now["log"]]  # the released schemas' views did not show it
        assert None not in numbers
        assert [line.pop("line_no") for line in now["log"]] == list(range(1, len(now["log"]) + 1))  # nor this
        assert {attempt.pop("node") for attempt in now["attempts"]} <= {""}  # nor this
        assert {attempt.pop("task_version") for attempt in now["attempts"]} <= {None}  # nor did they have this
        assert {name: now[name] for name in was} == was
    states = [was["state"] for was in kept]
    assert desk.counts() == {state: states.count(state) for state in states}
    found = {view.type: {s: n for s, n in view.counts.items() if n} for view in desk.run(desk.store.types())}
    assert found == {
        kind: {state: n for state in set(states) if (n := sum((w["type"], w["state"]) == (kind, state) for w in kept))}
        for kind in {was["type"] for was in kept}
    }


def test_lines_that_were_counted_through_all_jobs_are_counted_in_their_own(tmp_path: Path) -> None:
    path = made(12, tmp_path)
    with sqlite3.connect(path) as old:
        old.execute("DELETE FROM logs")
        attempts = old.execute("SELECT job, id FROM attempts WHERE job IN (1, 2) ORDER BY job").fetchall()
        old.executemany("INSERT INTO logs (job, attempt, at, line) VALUES (?, ?, 1.0, ?)",
                        [(job, attempt, text) for text in ("a", "b") for job, attempt in attempts])  # fmt: skip
    old.close()
    desk = Desk(KIND, tmp_path)
    found = [[(line.line_no, line.line) for line in desk.job(name).log] for name in ("job-1", "job-2")]
    desk.end()
    assert found == [[(1, "a"), (2, "b")]] * 2


def test_it_is_copied_first(desk: Desk, version: int, tmp_path: Path) -> None:
    copy = sqlite3.connect(tmp_path / f"jobs.db.schema-{version}.backup")
    assert copy.execute("PRAGMA user_version").fetchone() == (version,)
    assert copy.execute("SELECT count(*) FROM jobs").fetchone()[0] == sum(desk.counts().values())
    copy.close()


def test_keys_are_still_known(desk: Desk) -> None:
    (again,) = desk.turn(submissions=[spec(key="key-1", fingerprint="print-1")]).accepted
    assert isinstance(again, Accepted)
    assert (again.replayed, desk.taken(again).id) == (True, "job-1")


def test_what_waits_goes_on(desk: Desk) -> None:
    ready = desk.run(desk.store.ready())
    assert [(entry.lane, entry.jobs) for entry in ready] == [("waits", 2)]
    assert [claim.job for claim in desk.claim(9, "waits")] == ["job-9", "job-10"]
    desk.now_at += 60.0
    desk.turn()
    assert [claim.job for claim in desk.claim(9, "late", "tomorrow")] == ["job-7"], "its backoff is over"
    desk.now_at += 500.0
    desk.turn()
    assert [claim.job for claim in desk.claim(9, "late", "tomorrow")] == ["job-8"], "its delay is over"


def test_what_has_ended_is_kept_for_its_whole_retention_from_here_on(desk: Desk) -> None:
    desk.reopen(retention_s=1_000.0)
    ended = [job for job in ("job-2", "job-3", "job-4") if desk.job(job).ended_at]
    desk.pass_time(900.0)
    while desk.turn().more:
        pass
    assert [desk.run(desk.store.job(job)) is not None for job in ended] == [True] * 3
    desk.pass_time(200.0)
    while desk.turn().more:
        pass
    assert [desk.run(desk.store.job(job)) for job in ended] == [None] * 3
    assert desk.run(desk.store.job("job-1")) is not None, "its key lives for a day"
