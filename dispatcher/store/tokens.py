"""Tokens in the store in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from msgspec.structs import replace

from dispatcher.access.commands import JoinWorker, MakeToken, RevokeToken, TokenCommand, UsedTokens
from dispatcher.access.credentials import Credential
from dispatcher.access.tokens import Token
from dispatcher.store.storable import check_storable

__all__ = ["Tokens"]


class Tokens:
    """All tokens, by their ids."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    @staticmethod
    def check(commands: Sequence[TokenCommand]) -> None:
        """Raises if a database would not take it."""
        made = [command.token for command in commands if isinstance(command, MakeToken)]
        check_storable(
            chain.from_iterable([(t.id, t.name, t.made_by), t.types, chain.from_iterable(t.labels)] for t in made)
        )

    def save(self, commands: Sequence[TokenCommand]) -> None:
        """Obeys the commands, in order."""
        for command in commands:
            if isinstance(command, MakeToken):
                for token_id in command.forget:
                    self._tokens.pop(token_id, None)
                self._tokens[command.token.id] = command.token
            elif isinstance(command, RevokeToken):
                self._revoke(command)
            elif isinstance(command, UsedTokens):
                self._use(command.used)
            elif isinstance(command, JoinWorker) and command.spends:
                self._spend(command.credential)

    def _revoke(self, command: RevokeToken) -> None:
        token = self._tokens.get(command.token_id)
        if token is not None and token.revoked_at is None:
            self._tokens[token.id] = replace(token, revoked_at=command.at)

    def _spend(self, credential: Credential) -> None:
        token = self._tokens.get(credential.token_id)
        if token is not None:
            self._tokens[token.id] = replace(token, used=token.used + 1, last_used_at=credential.at)

    def _use(self, used: dict[str, float]) -> None:
        for token_id in used.keys() & self._tokens.keys():
            self._tokens[token_id] = replace(self._tokens[token_id], last_used_at=used[token_id])

    def all(self) -> list[Token]:
        """All tokens, in no order."""
        return list(self._tokens.values())
