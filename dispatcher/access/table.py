"""All tokens in memory: a request's token is found by one look into a dict and one SHA-256."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from dispatcher.access.principal import Principal
from dispatcher.access.tokens import Token, digest_of, id_of, principal_of

__all__ = ["USED_EVERY_S", "TokenTable"]

#: The instant of a token's last use is noted this often at most.
USED_EVERY_S = 60.0


class _Known(NamedTuple):
    token: Token
    principal: Principal


class TokenTable:
    """The tokens of one server."""

    def __init__(self) -> None:
        self._entries: dict[str, _Known] = {}
        #: When a token was used, by its id: what the store has not been told.
        self._used: dict[str, float] = {}

    def put(self, tokens: Iterable[Token]) -> None:
        """Takes tokens in; each takes the place of an earlier one with its id."""
        for token in tokens:
            self._entries[token.id] = _Known(token, principal_of(token))

    def remove(self, token_ids: Iterable[str]) -> None:
        """Forgets these."""
        for token_id in token_ids:
            self._entries.pop(token_id, None)
            self._used.pop(token_id, None)

    def find(self, text: bytes, now_at: float) -> Principal | None:
        """Who shows this token; None: it is unknown, expired or revoked."""
        token = self.shown(text)
        return None if token is None else self._used_now(self._entries[token.id], now_at)

    def shown(self, text: bytes) -> Token | None:
        """The token with this text, whether it works or not; None: it is unknown."""
        token_id = id_of(text)
        entry = None if token_id is None else self._entries.get(token_id)
        if entry is None or not hmac.compare_digest(entry.token.digest, digest_of(text)):
            return None
        return entry.token

    def by_id(self, token_id: str, now_at: float) -> Principal | None:
        """Who has signed in with the token of this id; None as for ``find``."""
        entry = self._entries.get(token_id)
        return None if entry is None else self._used_now(entry, now_at)

    def has_ended(self, text: bytes) -> bool:
        """Whether this token is one of ours that opens nothing any more: whoever shows it may be told."""
        return self.shown(text) is not None

    def _used_now(self, entry: _Known, now_at: float) -> Principal | None:
        token = entry.token
        if not token.works(now_at):
            return None
        if token.last_used_at is None or not 0 <= now_at - token.last_used_at < USED_EVERY_S:
            self._used[token.id] = now_at
            self._entries[token.id] = _Known(replace(token, last_used_at=now_at), entry.principal)
        return entry.principal

    def used(self) -> dict[str, float]:
        """When tokens were used, by their ids, since this was asked last."""
        used, self._used = self._used, {}
        return used

    def get(self, token_id: str) -> Token | None:
        """One token."""
        entry = self._entries.get(token_id)
        return None if entry is None else entry.token

    def all(self) -> list[Token]:
        """All tokens, the newest first."""
        tokens = [entry.token for entry in self._entries.values()]
        return sorted(tokens, key=lambda token: (-token.made_at, token.id))
