"""Writes a set of rows as one statement (statements.py says why)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain

from dispatcher.store.sqlite.statements import OF_ONE, for_rows

__all__ = ["write_rows"]

#: Most rows in one statement: rows times columns must stay below SQLite's 32,766 parameters.
_MOST_ROWS = 512


def write_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Writes a set of rows, in sizes that are powers of two so that few statements are prepared.

    The last row is repeated to fill up the size: every such statement may be given a row twice.
    """
    if len(rows) == 1:  # most sets of a store with one page are of one row
        connection.execute(OF_ONE.get(statement) or for_rows(statement, len(rows[0]), 1), rows[0])
        return
    for start in range(0, len(rows), _MOST_ROWS):
        part = rows[start : start + _MOST_ROWS]
        size = 1 << (len(part) - 1).bit_length()
        values = list(chain.from_iterable(part))
        values += list(part[-1]) * (size - len(part))
        connection.execute(for_rows(statement, len(part[0]), size), values)
