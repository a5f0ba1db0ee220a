"""One row is written by a statement of its own, with what the statement for many rows would write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dispatcher.store.columns import CHANGING, CLAIMED, DONE
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.writing import write_rows
from tests.store.contract import KINDS, Desk
from tests.support.jobs import spec

[SQLITE] = [kind for kind in KINDS if kind.name == "sqlite"]
UPDATES = {"jobs": CHANGING, "claims": CLAIMED, "done": DONE}


@pytest.mark.parametrize("which", UPDATES)
def test_one_row_is_written_as_one_of_many(open_desk: Callable[..., Desk], which: str) -> None:
    desk = open_desk(SQLITE)
    store: Any = desk.store
    one, other, left = desk.submit(*[spec() for _ in range(3)])
    columns = UPDATES[which]
    statement = {"jobs": sql.SAVE_JOBS, "claims": sql.SAVE_CLAIMS, "done": sql.SAVE_DONE}[which]

    def written() -> tuple[list[Any], list[Any]]:
        db = store._db
        db.execute("BEGIN IMMEDIATE")
        read = f"SELECT seq, {', '.join(columns)} FROM jobs WHERE id = ?"
        rows = {job.id: db.execute(read, (job.id,)).fetchone() for job in (one, other, left)}
        changed = {name: (row[0], *_other_values(columns, row[1:])) for name, row in rows.items()}
        write_rows(db, statement, [changed[one.id]])
        write_rows(db, statement, [changed[other.id]] * 2)
        found = [db.execute(read, (job.id,)).fetchone()[1:] for job in (one, other, left)]
        wanted = [changed[one.id][1:], changed[other.id][1:], rows[left.id][1:]]
        db.execute("ROLLBACK")
        return found, wanted

    found, wanted = desk.run(store._thread.run(written))
    assert found == wanted
    assert statement in sql.OF_ONE


def _other_values(columns: tuple[str, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A value that each column takes and did not have, for those that hold numbers."""
    return tuple(
        value + 1 if isinstance(value, int | float) and name != "lane" else value
        for name, value in zip(columns, values, strict=True)
    )
