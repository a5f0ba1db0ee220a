"""A store that works without a pause, and says after each turn that it is acknowledged; for ``powercut``.

``writer.py DIRECTORY SYNCHRONOUS FIRST``: turn n submits three jobs, ends those that turn n - 1 claimed, and claims the
new ones. So the state after n turns is known exactly: see ``wrong``. Eight bytes with n go to standard output once
the turn is durable (so the store says). SYNCHRONOUS is ``FULL``, as always, or for controls ``NORMAL`` or ``OFF``.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dispatcher.core.jobs.turn import Demand, Verdict
from tests.campaigns.zygote import die_with_parent
from tests.store.contract import DURABLE, Desk, result
from tests.support.jobs import spec

__all__ = ["JOBS", "NUMBER", "state_is_wrong", "turns"]

#: Jobs of one turn.
JOBS = 3
NUMBER = struct.Struct("<q")


def _data(turn: int, job: int) -> str:
    return f'"turn {turn}, job {job}, {"x" * (turn * 37 % 400)}"'


def turns(desk: Desk) -> Iterator[int]:
    """Without an end; gives the number of each turn when it is acknowledged."""
    claims: list[Any] = []
    for turn in range(1, 1 << 40):
        done = desk.turn(
            reports=[result(claim.attempt, claim.data) for claim in claims],
            submissions=[spec(data=_data(turn, job), key=f"{turn}-{job}") for job in range(JOBS)],
            demand=[Demand(1, ("echo",), JOBS)],
        )
        assert all(settled.verdict is Verdict.RECORDED for settled in done.verdicts)
        claims = done.claims
        assert len(claims) == JOBS
        yield turn


def state_is_wrong(path: Path, acknowledged: int) -> list[str]:
    """What is not as it must be after the acknowledged turns, or after one more."""
    database = sqlite3.connect(path)
    try:
        return list(_wrong(database, acknowledged))
    finally:
        database.close()


def _wrong(database: sqlite3.Connection, acknowledged: int) -> Iterator[str]:
    (integrity,) = database.execute("PRAGMA integrity_check").fetchone()
    if integrity != "ok":
        yield f"integrity: {integrity}"
    rows = dict(database.execute("SELECT j.key, d.data FROM jobs j JOIN job_data d USING (seq)"))
    turns = len(rows) // JOBS
    if turns < acknowledged:
        yield f"lost: {acknowledged} turns were acknowledged, {turns} are there"
    elif turns > acknowledged + 1:
        yield f"more: {acknowledged} turns were acknowledged, {turns} are there"
    if rows != {f"{turn}-{job}": _data(turn, job) for turn in range(1, turns + 1) for job in range(JOBS)}:
        yield f"torn: {len(rows)} jobs are not those of {turns} turns"
    counts = dict(database.execute("SELECT state, count(*) FROM jobs GROUP BY state"))
    done = JOBS * max(0, turns - 1)
    if counts != {state: number for state, number in (("succeeded", done), ("running", JOBS * bool(turns))) if number}:
        yield f"torn: after {turns} turns there are {counts}"
    kept = "SELECT count(*) FROM results r JOIN job_data d USING (seq) WHERE r.value = d.data"
    if (
        database.execute(kept).fetchone()[0] != done
        or database.execute("SELECT count(*) FROM results").fetchone()[0] != done
    ):
        yield f"torn: after {turns} turns, not {done} results, each what was sent"
    if dict(database.execute("SELECT state, sum(jobs) FROM tallies GROUP BY state HAVING sum(jobs)")) != counts:
        yield "torn: the tallies are not what the rows say"


def main(arguments: list[str]) -> None:
    """Writes until killed."""
    die_with_parent()
    directory, synchronous = Path(arguments[0]), arguments[1]
    desk = Desk(DURABLE[0], directory)
    store: Any = desk.store
    if synchronous != "FULL":
        desk.run(store._thread.run(lambda: store._db.execute(f"PRAGMA synchronous = {synchronous}")))
    os.write(1, NUMBER.pack(0))
    for turn in turns(desk):
        os.write(1, NUMBER.pack(turn))


if __name__ == "__main__":
    main(sys.argv[1:])
