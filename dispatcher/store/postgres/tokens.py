"""Tokens in the PostgreSQL store. They are few, and change seldom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.access.commands import JoinWorker, MakeToken, RevokeToken, TokenCommand, UsedTokens
from dispatcher.access.tokens import Token
from dispatcher.store.kept_rows import token_fields, token_of
from dispatcher.store.postgres.link import Asked, Link

__all__ = ["all_tokens", "token_asks"]


def token_asks(commands: Sequence[TokenCommand]) -> Iterator[Asked]:
    """Obeys the commands, in order."""
    for command in commands:
        if isinstance(command, MakeToken):
            if command.forget:
                yield "forget_tokens", {"ids": list(command.forget)}
            yield "make_token", token_fields(command.token)
        elif isinstance(command, RevokeToken):
            yield "revoke_token", {"at": command.at, "id": command.token_id}
        elif isinstance(command, UsedTokens):
            yield "use_tokens", {"ids": list(command.used), "ats": list(command.used.values())}
        elif isinstance(command, JoinWorker) and command.spends:
            yield "spend_token", {"at": command.credential.at, "id": command.credential.token_id}


def all_tokens(link: Link) -> list[Token]:
    """All tokens, in no order."""
    return [token_of(*row) for row in link.one("tokens")]
