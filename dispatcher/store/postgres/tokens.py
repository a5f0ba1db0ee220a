"""Tokens in the PostgreSQL store. They are few, and change seldom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import asdict

from dispatcher.access.commands import MakeToken, RevokeToken, TokenCommand
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.store.postgres.link import Asked, Link

__all__ = ["all_tokens", "token_asks"]


def token_asks(commands: Sequence[TokenCommand]) -> Iterator[Asked]:
    """Obeys the commands, in order."""
    for command in commands:
        if isinstance(command, MakeToken):
            if command.forget:
                yield "forget_tokens", {"ids": list(command.forget)}
            token = command.token
            yield "make_token", asdict(token) | {"scopes": _json(token.scopes), "types": _json(token.types)}
        elif isinstance(command, RevokeToken):
            yield "revoke_token", {"at": command.at, "id": command.token_id}
        else:
            yield "use_tokens", {"ids": list(command.used), "ats": list(command.used.values())}


def all_tokens(link: Link) -> list[Token]:
    """All tokens, in no order."""
    return [
        Token(
            id=token_id, digest=bytes(digest), name=name,
            scopes=msgspec.json.decode(scopes, type=tuple[Scope, ...]),
            types=msgspec.json.decode(types, type=tuple[str, ...]),
            made_by=made_by, made_at=made_at,
            expires_at=expires_at, revoked_at=revoked_at, last_used_at=last_used_at,
        )
        for token_id, digest, name, scopes, types, made_by, made_at, expires_at, revoked_at, last_used_at
        in link.one("tokens")
    ]  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
