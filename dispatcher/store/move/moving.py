"""Moves a store from a file of SQLite into a database of PostgreSQL: all of it, in one transaction.

The file is locked as a server locks it, and so is the database, so none runs meanwhile. The file is only read (but that
its schema is brought to this version, as a start does), so it can be used as before, and the move can be made again: as
long as no server has used the database, a second move puts what the file has then in the place of the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dispatcher.errors import StoreRefused
from dispatcher.store.move.tables import TABLES, Table
from dispatcher.store.port import NODE
from dispatcher.store.postgres.link import Link, words_of
from dispatcher.store.postgres.lives import take_store
from dispatcher.store.postgres.schema import connect, open_schema, place_of
from dispatcher.store.sqlite import file
from dispatcher.store.sqlite.statements import META

__all__ = ["move_store"]

#: Rows that are read of the file at once.
_SLICE = 1_000
#: PostgreSQL has no NUL in a text (``link``).
_NO_NUL = str.maketrans({"\0": "\ufffd"})

_Connection = psycopg.Connection[tuple[Any, ...]]


def move_store(path: Path, url: str, told: Callable[[str, int], None] = lambda table, rows: None) -> int:
    """Moves it; returns the number of jobs. ``told`` hears of each table how many rows have gone over.

    Raises StoreRefused: there is no such file, a server has either store, the database is in use already or cannot be
    reached. Then nothing of the database has changed.
    """
    if not path.is_file():
        raise StoreRefused(f"{path}: there is no store to move; check --from")
    source = file.connect(path).connection
    try:
        target = connect(url, NODE)
        try:
            return _moved(source, target, url, told)
        except (psycopg.Error, sqlite3.Error, UnicodeError) as error:
            words = words_of(error) if isinstance(error, psycopg.Error) else str(error)
            raise StoreRefused(f"the move has failed: {words}; nothing of the database was changed") from error
        finally:
            target.close()
    finally:
        source.close()


def _moved(source: sqlite3.Connection, target: _Connection, url: str, told: Callable[[str, int], None]) -> int:
    place = place_of(url)
    link, _, _ = open_schema(target, url)
    take_store(link, place)
    with target.transaction():
        link.one("no_hurry")
        _refuse_used(link, place)
        link.one("forget_all")
        for table in TABLES:
            told(table.name, _copied(source, target, table))
        _begin(source, link)
        _compare(source, link, place)
    target.execute("ANALYZE")  # or the first statements are planned for empty tables
    return _jobs(source)


def _refuse_used(link: Link, place: str) -> None:
    """A database that servers have used holds jobs that the file does not know. Raises StoreRefused."""
    if link.one("used")[0][0]:
        raise StoreRefused(f"{place} is used by servers already: name an empty database")


def _copied(source: sqlite3.Connection, target: _Connection, table: Table) -> int:
    """How many rows have gone over."""
    count = 0
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )
    with target.cursor().copy(into) as copy:
        for row in _rows(source, table.select):
            copy.write_row([_plain(value) for value in table.made(row)])
            count += 1
    if table.numbered:
        target.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), 1 + coalesce(max({}), 0), false) FROM {}").format(
                table.name, table.numbered, sql.Identifier(table.numbered), sql.Identifier(table.name)
            )
        )
    return count


def _rows(source: sqlite3.Connection, select: str) -> Iterator[Any]:
    found = source.execute(select)
    while rows := found.fetchmany(_SLICE):
        yield from rows


def _plain(value: Any) -> Any:
    return value.translate(_NO_NUL) if isinstance(value, str) and "\0" in value else value


def _begin(source: sqlite3.Connection, link: Link) -> None:
    """The node that has what has moved: it is not there, and its next life goes on from here."""
    meta = dict(source.execute(META))
    clock = float(meta["queue_clock"])
    link.one("take_key", key=meta["key"])
    link.one("go_on", node=NODE, epoch=meta["epoch"], clock=clock, counted=float(meta.get("counted_clock", clock)))
    link.one("number_jobs", given=int(meta.get("last_seq", 0)))


def _jobs(source: sqlite3.Connection) -> int:
    jobs: int = source.execute("SELECT count(*) FROM jobs").fetchone()[0]
    return jobs


def _compare(source: sqlite3.Connection, link: Link, place: str) -> None:
    """What has come is counted once more, by the database. Raises StoreRefused."""
    there: dict[str, int] = dict(link.one("jobs_by_state"))
    here: dict[str, int] = dict(source.execute("SELECT state, count(*) FROM jobs GROUP BY state"))
    if there != here:
        raise StoreRefused(f"{place} has {there} jobs after the move, and the file {here}: nothing was changed")
