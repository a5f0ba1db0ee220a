"""``restore-check``: whether a backup could be restored, without any server.

The file is opened for reading alone, as one that nothing changes, so that the look leaves no trace in it.
"""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..exits import CommandExit
from ..invocation import Invocation
from ..jobtext import file_at
from ..verb import Verb

__all__ = ["RESTORE_CHECK"]

#: What a store says of itself; the tests compare it with the server's.
_APPLICATION_ID = 0x50474844
#: Where the server of this installation has its schemas: in a wheel, and in a checkout.
_SCHEMAS = ("_app/dispatcher/store/sqlite/sql", "../store/sqlite/sql")
_MOST_FAULTS = 10
_EXAMPLE = """\
example:
  pagehand restore-check backups/pagehand-20261129-090500.db
"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a backup, or the store of a server that has stopped")


def _check(call: Invocation) -> int:
    path = file_at(call.options.file)
    with path.open("rb"):
        pass  # says what is wrong with the file, better than SQLite does
    try:
        found = _facts(path)
    except sqlite3.Error as error:
        found = {"file": str(path), "problems": [f"SQLite cannot read it: {error}"]}
    _show(call, found)
    for problem in found["problems"]:
        call.out.complain(f"pagehand: {path}: {problem}")
    return CommandExit.FAILED if found["problems"] else CommandExit.DONE


def _facts(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        (kind,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        problems = list(_problems(path, kind, version))
        found: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size, "schema": version}
        if kind == _APPLICATION_ID:
            faults = [row[0] for row in database.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
            problems += [f"it is damaged: {fault}" for fault in faults if fault != "ok"]
            found |= {"jobs": _jobs(database), "newest": _newest(database)}
    return {**found, "problems": problems}


def _problems(path: Path, kind: int, version: int) -> list[str]:
    if kind != _APPLICATION_ID:
        return ["it is not a store of Pagehand"]
    problems = []
    newest = _newest_schema()
    if newest is not None and version > newest:
        problems.append(
            f"a newer Pagehand wrote it (schema {version}, and this one knows {newest}): restore it with that one"
        )
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        problems.append(f"what stands in {log.name} is not in it: check a backup, or stop the server in good order")
    return problems


def _newest_schema() -> int | None:
    """The newest one that the server of this installation knows; None where only the client is installed."""
    here = Path(__file__).resolve().parent.parent.parent
    numbers = [int(file.name[:4]) for place in _SCHEMAS for file in (here / place).glob("[0-9][0-9][0-9][0-9]_*.sql")]
    return max(numbers, default=None)


def _jobs(database: sqlite3.Connection) -> dict[str, int]:
    return dict(database.execute("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state").fetchall())


def _newest(database: sqlite3.Connection) -> dict[str, Any] | None:
    row = database.execute("SELECT id, type, state, created_at FROM jobs ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return None
    at = datetime.fromtimestamp(row[3], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": row[0], "type": row[1], "state": row[2], "created_at": at}


def _show(call: Invocation, found: dict[str, Any]) -> None:
    form = call.out.form or "table"
    if form == "json":
        call.out.item(found)
    elif form == "id":
        call.out.line(found["file"])
    else:
        newest = found.get("newest") or {}
        call.out.pairs(
            [
                ("file", found["file"]),
                ("bytes", found.get("bytes")),
                ("schema", found.get("schema")),
                *((f"jobs {state}", count) for state, count in (found.get("jobs") or {}).items()),
                ("newest job", " ".join(str(newest[name]) for name in newest)),
                ("verdict", "not fit to be restored" if found["problems"] else "fit to be restored"),
            ]
        )


RESTORE_CHECK = Verb(
    "restore-check", "say whether a backup could be restored; needs no server", _arguments, _check, _EXAMPLE
)
