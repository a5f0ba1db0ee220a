"""The connection to the database: asks several statements in one round trip, and says in our words what went wrong.

psycopg is used in the store's thread, as ``sqlite3`` is: a turn is a few waits for the database, and its pipeline mode
sends all statements of a set request at once. (asyncpg has no such mode: docs/design.md.)
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import msgspec
import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus, TransactionStatus

from dispatcher.store.postgres.queries import QUERIES

__all__ = ["AGAIN", "AWAY_S", "ITEM_ERRORS", "Asked", "Later", "Link", "Rows", "array", "rows_text", "words_of"]

# It warns of errors that we raise, or have an answer to.
logging.getLogger("psycopg").setLevel(logging.ERROR)

#: Errors that one item can cause by itself: text that is no Unicode, a number too large, a value the schema refuses.
ITEM_ERRORS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    errors.ProgramLimitExceeded,
    OverflowError,
    UnicodeEncodeError,
)
#: What another node's turn may cause: the same turn, applied anew, sees what that one has written. A key that both have
#: taken in is among it: the unique index has decided.
AGAIN = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)

#: When to ask again while the database is away.
AWAY_S = 5
#: The name of a statement in ``queries/``, and its parameters.
Asked = tuple[str, Mapping[str, Any]]
Rows = list[tuple[Any, ...]]
#: Reads the rows of statements that were sent ahead.
Later = Callable[[], list[Rows]]
_Cursor = psycopg.Cursor[tuple[Any, ...]]

_json = msgspec.json.Encoder()
#: A NUL in a JSON text. A backslash before it may itself be meant.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
#: PostgreSQL has no NUL in a text. In what people and pages say it becomes this. A job's data and results are JSON,
#: which escapes it: they stay as they are.
_NO_NUL = "\ufffd"


def words_of(error: psycopg.Error) -> str:
    """What went wrong, in one line. The server names users and databases, and never a password."""
    return " ".join(str(error).split()) or type(error).__name__


def rows_text(rows: Iterable[Mapping[str, Any] | msgspec.Struct]) -> str:
    """Rows as one JSON text, for ``json_populate_recordset``: what is left out is NULL. Raises UnicodeEncodeError."""
    text = _json.encode(list(rows))
    if b"\\u0000" in text:
        text = _NUL.sub(rb"\1\\ufffd", text)
    return text.decode()


def array(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array: it is one type of parameter, however large they are."""
    return f"{{{','.join(map(str, numbers))}}}"


def _texts(texts: Iterable[str]) -> str:
    """Texts as PostgreSQL writes an array: psycopg would look at each of them for what must be quoted."""
    quoted = (text.replace("\\", r"\\").replace('"', r"\"") for text in map(_clean, texts))
    return "{" + ",".join([f'"{text}"' for text in quoted]) + "}"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", _NO_NUL) if "\0" in value else value
    if isinstance(value, list) and value and isinstance(value[0], str):
        return _texts(value)
    return value


class Link:
    """One connection. Outside of a transaction each statement stands for itself."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._db = connection
        #: The round trip that has begun, if statements were sent ahead.
        self._begun: ExitStack | None = None

    def one(self, name: str, /, **values: Any) -> Rows:
        """The rows that one statement answers. Raises psycopg.Error."""
        return _rows(self._execute(name, values))

    def many(self, asked: Iterable[Asked]) -> list[Rows]:
        """The same for several statements, in order, in one round trip; behind one that fails none is executed."""
        answered = self._answered(asked)
        return [_rows(cursor) for cursor in answered]

    def many_and_ahead(self, asked: Iterable[Asked], next_asked: Iterable[Asked]) -> tuple[list[Rows], Later]:
        """The same. ``next_asked`` are sent as soon as the answers are here: the database works while we read these."""
        answered = self._answered(asked)
        later = self.ahead(next_asked)
        return [_rows(cursor) for cursor in answered], later

    def _answered(self, asked: Iterable[Asked]) -> list[_Cursor]:
        begun, self._begun = self._begun, None
        with begun or self._db.pipeline():
            return [self._execute(name, values) for name, values in asked]

    def ahead(self, asked: Iterable[Asked]) -> Later:
        """Sends these and does not wait: they belong to the next round trip. What is returned reads their rows, behind
        that round trip or as one. Raises psycopg.Error.
        """
        with ExitStack() as begun:
            begun.enter_context(self._db.pipeline())
            cursors = [self._execute(name, values) for name, values in asked]
            mine = self._begun = begun.pop_all()

        def read() -> list[Rows]:
            if self._begun is mine:
                self._answered(())
            return [_rows(cursor) for cursor in cursors]

        return read

    def at_once(self, asked: Iterable[Asked]) -> list[Rows]:
        """The same for reads outside of a transaction: all of them see the same state."""
        _, *found, _ = self.many([("begin_read", {}), *asked, ("commit", {})])
        return found

    def _execute(self, name: str, values: Mapping[str, Any]) -> _Cursor:
        cleaned = {key: _clean(value) for key, value in values.items()}
        cursor = self._db.cursor(binary=True)
        return cursor.execute(QUERIES[name], cleaned or None, prepare=name not in _NOT_PREPARED)

    def undo(self, name: str) -> None:
        """Undoes something of a transaction. psycopg forgets its prepared statements when it hears of a ROLLBACK, in
        the middle of a pipeline, too; so it does not hear of it. Raises psycopg.Error.
        """
        result = self._db.pgconn.exec_(QUERIES[name].encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())

    def leave(self) -> None:
        """Undoes the transaction if one is open, good or failed. Whose end cannot be undone is cut off."""
        if self._begun is not None:
            with contextlib.suppress(psycopg.Error):
                self.many([])
        if self._db.closed or self._db.info.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self.undo("rollback")
        except psycopg.Error:
            self._db.close()

    def lost(self) -> bool:
        """Whether the connection is gone."""
        return self._db.closed

    def use(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Goes on with another connection."""
        self._db, self._begun = connection, None

    def close(self) -> None:
        """Closes the connection. A transaction that is open is undone."""
        self._db.close()


#: Lists of jobs ask for this or that: they are planned for what they ask for. And to prepare a COMMIT saves nothing.
_NOT_PREPARED = frozenset({
    "list_jobs", "ready_group", "of_key", "acts", "acts_of_actor", "acts_of_action", "acts_of_target",
    "begin", "begin_read", "commit", "savepoint", "release",
})  # fmt: skip


def _rows(cursor: _Cursor) -> Rows:
    return cursor.fetchall() if cursor.description is not None else []
