"""Tokens in the SQLite store. They are few, and change seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatcher.access.commands import JoinWorker, MakeToken, RevokeToken, TokenCommand, UsedTokens
from dispatcher.access.tokens import Token
from dispatcher.store.kept_rows import TOKEN_COLUMNS, token_fields, token_of

__all__ = ["all_tokens", "save_tokens"]

_COLUMNS = ", ".join(TOKEN_COLUMNS)
_ALL = f"SELECT {_COLUMNS} FROM tokens"  # noqa: S608
_MAKE = f"INSERT OR REPLACE INTO tokens ({_COLUMNS}) VALUES ({', '.join('?' * len(TOKEN_COLUMNS))})"  # noqa: S608
_FORGET = "DELETE FROM tokens WHERE id = ?"
_REVOKE = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
_USE = "UPDATE tokens SET last_used_at = ? WHERE id = ?"
_SPEND = "UPDATE tokens SET used = used + 1, last_used_at = ? WHERE id = ?"


def save_tokens(connection: sqlite3.Connection, commands: Sequence[TokenCommand]) -> None:
    """Obeys the commands, in order."""
    for command in commands:
        if isinstance(command, MakeToken):
            connection.executemany(_FORGET, [(token_id,) for token_id in command.forget])
            connection.execute(_MAKE, tuple(token_fields(command.token).values()))
        elif isinstance(command, RevokeToken):
            connection.execute(_REVOKE, (command.at, command.token_id))
        elif isinstance(command, UsedTokens):
            connection.executemany(_USE, [(at, token_id) for token_id, at in command.used.items()])
        elif isinstance(command, JoinWorker) and command.spends:
            connection.execute(_SPEND, (command.credential.at, command.credential.token_id))


def all_tokens(connection: sqlite3.Connection) -> list[Token]:
    """All tokens, in no order."""
    return [token_of(*row) for row in connection.execute(_ALL)]
