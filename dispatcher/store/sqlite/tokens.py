"""Tokens in the SQLite store. They are few, and change seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from dispatcher.access.commands import JoinWorker, MakeToken, RevokeToken, TokenCommand, UsedTokens
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token

__all__ = ["all_tokens", "save_tokens"]

_COLUMNS = (
    "id, digest, name, scopes, types, made_by, made_at, expires_at, revoked_at, last_used_at, labels, uses, used, "
    "jobs_per_minute"
)
_ALL = f"SELECT {_COLUMNS} FROM tokens"  # noqa: S608
_MAKE = f"INSERT OR REPLACE INTO tokens ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET = "DELETE FROM tokens WHERE id = ?"
_REVOKE = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
_USE = "UPDATE tokens SET last_used_at = ? WHERE id = ?"
_SPEND = "UPDATE tokens SET used = used + 1, last_used_at = ? WHERE id = ?"


def save_tokens(connection: sqlite3.Connection, commands: Sequence[TokenCommand]) -> None:
    """Obeys the commands, in order."""
    for command in commands:
        if isinstance(command, MakeToken):
            connection.executemany(_FORGET, [(token_id,) for token_id in command.forget])
            connection.execute(_MAKE, _row(command.token))
        elif isinstance(command, RevokeToken):
            connection.execute(_REVOKE, (command.at, command.token_id))
        elif isinstance(command, UsedTokens):
            connection.executemany(_USE, [(at, token_id) for token_id, at in command.used.items()])
        elif isinstance(command, JoinWorker) and command.spends:
            connection.execute(_SPEND, (command.credential.at, command.credential.token_id))


def all_tokens(connection: sqlite3.Connection) -> list[Token]:
    """All tokens, in no order."""
    return [
        Token(
            id=token_id, digest=digest, name=name,
            scopes=msgspec.json.decode(scopes, type=tuple[Scope, ...]),
            types=msgspec.json.decode(types, type=tuple[str, ...]),
            made_by=made_by, made_at=made_at,
            expires_at=expires_at, revoked_at=revoked_at, last_used_at=last_used_at,
            labels=tuple(msgspec.json.decode(labels, type=dict[str, str]).items()), uses=uses, used=used,
            jobs_per_minute=jobs_per_minute,
        )
        for token_id, digest, name, scopes, types, made_by, made_at, expires_at, revoked_at, last_used_at,
            labels, uses, used, jobs_per_minute
        in connection.execute(_ALL)
    ]  # fmt: skip


def _row(token: Token) -> tuple[object, ...]:
    scopes, types = (msgspec.json.encode(names).decode() for names in (token.scopes, token.types))
    return (
        token.id, token.digest, token.name, scopes, types, token.made_by, token.made_at,
        token.expires_at, token.revoked_at, token.last_used_at,
        msgspec.json.encode(dict(token.labels)).decode(), token.uses, token.used, token.jobs_per_minute,
    )  # fmt: skip
