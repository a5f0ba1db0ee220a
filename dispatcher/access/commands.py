"""What a turn keeps of tokens: new ones, revoked ones, and when they were used."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.tokens import Token

__all__ = ["MakeToken", "RevokeToken", "TokenCommand", "UsedTokens"]


class MakeToken(Struct, frozen=True):
    """Keeps a new token, and forgets old ones that open nothing any more."""

    token: Token
    forget: tuple[str, ...] = ()


class RevokeToken(Struct, frozen=True):
    """From now on the token opens nothing; ``at`` is UTC."""

    token_id: str
    at: float


class UsedTokens(Struct, frozen=True):
    """When tokens were used last, by their ids."""

    used: dict[str, float]


TokenCommand = MakeToken | RevokeToken | UsedTokens
