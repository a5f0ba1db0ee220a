"""What a store goes through in its life, step by step, and each step acknowledged; for ``syscalls``.

``steps.py DIRECTORY PART FAULT`` plays one part on the store in the directory, and writes a byte to standard output
after each step whose turn the store has acknowledged. Clocks and ids are counted, so the database after a step is
always the same. One part opens the store once: its thread, and with it strace's count of calls, is one.

Exit status: 0 played to its end, 3 the store refused to open, 4 the store failed in a turn (StorageTrouble): then the
part ends, as the server does; 5 it had no room for a job, or for anything. FAULT, for controls: ``none``,
``no-transactions`` or ``acknowledge-first``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import Accepted, Cancel, Claim, Demand, Logged, OfferedTypes, Progressed, Retry, Started
from dispatcher.errors import StorageFull, StorageTrouble, StoreRefused
from dispatcher.store.sqlite import file as sqlite_file
from dispatcher.store.sqlite.log_mark import LogMark
from tests.store.contract import DURABLE, HOLDER, Desk, error, lapsed, lost, released, result
from tests.support.jobs import spec

__all__ = ["BEGINNINGS", "PLAYS", "NoRoom", "desk_on", "state", "tomorrow"]

#: Frames after which the store moves the WAL into the database; small, so that a short part meets it.
CHECKPOINT = 48
#: A migration of tomorrow: it changes a table, fills it, and makes another.
MIGRATION = """
ALTER TABLE jobs ADD COLUMN tomorrow TEXT;
UPDATE jobs SET tomorrow = state || '!';
CREATE TABLE future (id INTEGER PRIMARY KEY, note TEXT) STRICT;
INSERT INTO future (note) SELECT id FROM jobs;
"""

Part = Callable[[Desk], Iterator[str]]


class NoRoom(Exception):
    """The store has refused a job, or claims none, because the disk is full: nothing was acknowledged."""


def _closed(desk: Desk) -> str:
    """A stop keeps the queue clock in the file. On a full disk it stops all the same."""
    desk.close()
    rows: Any = vars(desk.store)["_rows"]
    if rows._clock_kept != rows._clock:
        raise NoRoom("the clock waits for a disk that is not full")
    return "closed"


def _accept(desk: Desk, *claims: Claim) -> None:
    desk.turn(reports=[Started(claim.attempt, HOLDER) for claim in claims])


def intake(desk: Desk) -> Iterator[str]:
    """The file is made; jobs come, alone, in one turn and as a batch, with keys, a delay and an expiry."""
    yield "opened"
    for number in range(4):
        desk.submit(spec(data=f'"alone {number}"', key=f"key-{number}", fingerprint="f"))
        yield "a submission"
    desk.submit(*(spec(data=f'"{"x" * 2000}"', key=f"many-{number}") for number in range(8)))
    yield "eight submissions"
    desk.submit(spec("other", delay_s=30.0), spec(expires_s=20.0))
    yield "a delay and an expiry"
    desk.turn(submissions=[spec(key="key-1", fingerprint="f"), spec(key="key-1", fingerprint="g")])
    yield "a replay and a conflict"
    desk.submit(*(spec("batched", key=f"batch-{number}", batch=1) for number in range(3)))
    yield "a batch"
    desk.command(OfferedTypes(("echo", "other", "third")))
    yield "offered types"
    yield _closed(desk)


def work(desk: Desk) -> Iterator[str]:
    """Offers, accepts, progress, results, errors, losses, cancels, retries, what becomes due, retention."""
    yield "opened"
    claims = desk.claim(9)
    yield "claims"
    _accept(desk, *claims[:7])
    yield "accepts"
    desk.turn(reports=[Progressed(claims[0].attempt, 50.0, "half"), Logged(claims[0].attempt, "a line")])
    yield "progress and a log line"
    desk.report(result(claims[0].attempt, f'"{"y" * 3000}"'))
    yield "a result"
    desk.report(error(claims[1].attempt))
    yield "an error, to be tried again"
    desk.turn(reports=[error(claims[2].attempt, delay_s=None), lost(claims[3].attempt), result(claims[4].attempt)])
    yield "an end of three kinds"
    desk.turn(reports=[lapsed(claims[7].attempt), released(claims[8].attempt)])
    yield "a lapse and a release"
    desk.command(Cancel(claims[5].job, "not wanted"))
    yield "a running job cancelled"
    desk.command(Retry(claims[5].job))
    yield "and queued again"
    desk.report(result(claims[1].attempt, '"late"'))
    yield "a late result"
    desk.pass_time(60.0)
    desk.turn(demand=[Demand(1, ("other",), 1)])
    yield "due, expired and claimed"
    (late,) = desk.submit(spec())
    yield "a late job"
    desk.command(Cancel(late.id, "at once"))
    yield "a waiting job cancelled"
    desk.pass_time(8 * 86_400.0)
    before = desk.counts()
    desk.turn()
    if desk.counts() == before:
        raise NoRoom("retention waits for a disk that is not full")
    yield "retention"
    yield _closed(desk)


def restart(desk: Desk) -> Iterator[str]:
    """What an earlier run left open is taken over and lost; work goes on."""
    yield "opened"
    live = desk.run(desk.store.live_attempts())
    desk.turn(reports=[lost(attempt.attempt, counts=False) for attempt in live])
    yield "what ran is lost"
    claims = desk.claim(3)
    yield "claims"
    desk.turn(reports=[result(claim.attempt, implied) for claim, implied in zip(claims, ("1", "2", "3"), strict=True)])
    yield "results"
    yield _closed(desk)


def migrate(desk: Desk) -> Iterator[str]:
    """The store is of yesterday's schema; its WAL is full."""
    yield "opened"
    desk.submit(spec(data='"after the migration"'))
    yield "a submission"
    yield _closed(desk)


PLAYS: dict[str, Part] = {"intake": intake, "work": work, "restart": restart, "migrate": migrate}
#: Each part begins with what another left behind, killed after so many steps; None: with no file at all.
BEGINNINGS: dict[str, tuple[str, int] | None] = {
    "intake": None,
    "work": ("intake", 10),
    "restart": ("work", 3),
    "migrate": ("work", 3),
}


class _Desk(Desk):
    """One that says so where the disk is full."""

    @staticmethod
    def taken(accepted: Accepted) -> JobView:
        """See Desk."""
        if accepted.job is None:
            raise NoRoom(accepted.detail)
        return accepted.job

    def claim(self, room: int = 1, *lanes: str) -> list[Claim]:
        """As many as asked for: each part has them."""
        claims = super().claim(room, *lanes)
        if len(claims) != room:
            raise NoRoom(f"{len(claims)} claims of {room}")
        return claims


def desk_on(directory: Path, part: str) -> Desk:
    """The store, opened, with ids that no other part gives."""
    desk = _Desk(DURABLE[0], directory)
    letter = "abcdef"[list(PLAYS).index(part)]
    desk._job_ids = (f"job-{letter}-{number}" for number in range(1, 1 << 30))
    desk._attempt_ids = (f"{letter}{number:031x}" for number in range(1, 1 << 30))
    store: Any = desk.store
    desk.run(store._thread.run(lambda: vars(store).update(_mark=LogMark(store._db, store._path, CHECKPOINT))))
    return desk


@contextlib.contextmanager
def tomorrow(part: str) -> Iterator[None]:
    """While it lasts, the program is one migration ahead, if the part is about that."""
    if part != "migrate":
        yield
        return
    sound = vars(sqlite_file)["_SQL"]
    with tempfile.TemporaryDirectory(prefix="pagehand-migrations-") as name:
        known = sorted(sound.glob("*.sql"))
        for path in known:
            shutil.copy(path, name)
        (Path(name) / f"{len(known) + 1:04}_tomorrow.sql").write_text(MIGRATION, encoding="utf-8")
        vars(sqlite_file)["_SQL"] = Path(name)
        try:
            yield
        finally:
            vars(sqlite_file)["_SQL"] = sound


def state(directory: Path) -> str | None:
    """All that stands in the database, as text; None: there is none. Reads a copy: to read a store is to recover it."""
    if not (directory / "jobs.db").exists():
        return None
    with tempfile.TemporaryDirectory(prefix="pagehand-state-") as copy:
        for name in ("jobs.db", "jobs.db-wal", "jobs.db-journal"):
            if (directory / name).exists():
                shutil.copy(directory / name, copy)
        database = sqlite3.connect(Path(copy) / "jobs.db")
        try:
            return json.dumps(_content(database))
        finally:
            database.close()


def _content(database: sqlite3.Connection) -> dict[str, object]:
    content: dict[str, object] = {
        "integrity": database.execute("PRAGMA integrity_check").fetchone()[0],
        "version": database.execute("PRAGMA user_version").fetchone()[0],
    }
    for table, sql in database.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall():
        # The index of words takes in older jobs between steps; tests/store/sqlite/test_search.py holds it to the rows.
        if table.startswith("job_words"):
            continue
        content[f"schema of {table}"] = sql
        if sql and sql.startswith("CREATE TABLE"):
            rows = database.execute(f'SELECT * FROM "{table}"').fetchall()
            # Not its key, which is drawn, nor its life's number, nor what is moved between steps: the mark of its log,
            # and how far the index of words reaches.
            moved = ("key", "epoch", "log", "search_first_2")
            content[table] = sorted(([*row] for row in rows if row[0] not in moved), key=repr)
    return content


class _NoTransactions:
    """A connection on which every statement stands for itself: the fault that must be seen."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def execute(self, statement: str, *values: Any) -> Any:
        """All but BEGIN and COMMIT."""
        if statement.startswith(("BEGIN", "COMMIT")):
            return None
        return self._database.execute(statement, *values)


def _plant(desk: Desk, fault: str) -> None:
    store: Any = desk.store
    if fault == "no-transactions":
        store._db = _NoTransactions(store._db)


def _play(directory: Path, part: str, fault: str, each: Callable[[], None]) -> None:
    desk = desk_on(directory, part)
    _plant(desk, fault)
    steps = PLAYS[part](desk)
    if fault == "acknowledge-first":
        each()
    for _ in steps:
        each()


def expected(directory: Path, part: str, until: int) -> list[str | None]:
    """The states of a part, after no step, one, two, ...; the process must end after it: the store is left open."""
    states = [state(directory)]

    def note() -> None:
        states.append(state(directory))
        if len(states) > until:
            raise EOFError

    with contextlib.suppress(EOFError):
        _play(directory, part, "none", note)
    return states


def _acknowledge() -> None:
    os.write(1, b".")


def main(arguments: list[str]) -> int:
    """``DIRECTORY PART FAULT`` plays; ``DIRECTORY PART expect STEPS`` prints the states as JSON, and leaves as is."""
    directory, part, fault = Path(arguments[0]), arguments[1], arguments[2]
    with tomorrow(part):
        if fault == "expect":
            print(json.dumps(expected(directory, part, int(arguments[3]))), flush=True)
            os._exit(0)
        try:
            _play(directory, part, fault, _acknowledge)
        except StoreRefused:
            return 3
        except (NoRoom, StorageFull):
            return 5
        except StorageTrouble:
            sys.stdout.flush()
            os._exit(4)  # nothing more with this handle, not even a close
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
