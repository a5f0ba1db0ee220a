"""Tokens in the SQLite store. They are few, and change seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from dispatcher.access.commands import MakeToken, RevokeToken, TokenCommand
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token

__all__ = ["all_tokens", "save_tokens"]

_COLUMNS = "id, digest, name, scopes, types, made_by, made_at, expires_at, revoked_at, last_used_at"
_ALL = f"SELECT {_COLUMNS} FROM tokens"  # noqa: S608
_MAKE = f"INSERT OR REPLACE INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET = "DELETE FROM tokens WHERE id = ?"
_REVOKE = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
_USE = "UPDATE tokens SET last_used_at = ? WHERE id = ?"


def save_tokens(connection: sqlite3.Connection, commands: Sequence[TokenCommand]) -> None:
    """Obeys the commands, in order."""
    for command in commands:
        if isinstance(command, MakeToken):
            connection.executemany(_FORGET, [(token_id,) for token_id in command.forget])
            connection.execute(_MAKE, _row(command.token))
        elif isinstance(command, RevokeToken):
            connection.execute(_REVOKE, (command.at, command.token_id))
        else:
            connection.executemany(_USE, [(at, token_id) for token_id, at in command.used.items()])


def all_tokens(connection: sqlite3.Connection) -> list[Token]:
    """All tokens, in no order."""
    return [
        Token(
            id=token_id, digest=digest, name=name,
            scopes=msgspec.json.decode(scopes, type=tuple[Scope, ...]),
            types=msgspec.json.decode(types, type=tuple[str, ...]),
            made_by=made_by, made_at=made_at,
            expires_at=expires_at, revoked_at=revoked_at, last_used_at=last_used_at,
        )
        for token_id, digest, name, scopes, types, made_by, made_at, expires_at, revoked_at, last_used_at
        in connection.execute(_ALL)
    ]  # fmt: skip


def _row(token: Token) -> tuple[object, ...]:
    scopes, types = (msgspec.json.encode(names).decode() for names in (token.scopes, token.types))
    return (
        token.id, token.digest, token.name, scopes, types, token.made_by, token.made_at,
        token.expires_at, token.revoked_at, token.last_used_at,
    )  # fmt: skip
