"""What a turn keeps of tokens: new ones, revoked ones, and when they were used."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.access.tokens import Token

__all__ = ["NOBODY_ASKED", "MakeToken", "RevokeToken", "TokenCommand", "UsedTokens"]


#: The server does it by itself.
NOBODY_ASKED = Actor()


class MakeToken(Struct, frozen=True):
    """Keeps a new token, and forgets old ones that open nothing any more."""

    token: Token
    forget: tuple[str, ...] = ()
    actor: Actor = NOBODY_ASKED


class RevokeToken(Struct, frozen=True):
    """From now on the token opens nothing; ``at`` is UTC."""

    token_id: str
    at: float
    actor: Actor = NOBODY_ASKED


class UsedTokens(Struct, frozen=True):
    """When tokens were used last, by their ids."""

    used: dict[str, float]


TokenCommand = MakeToken | RevokeToken | UsedTokens
