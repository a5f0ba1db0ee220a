"""What a turn keeps of tokens: new ones, revoked ones, and when they were used."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.access.credentials import Credential
from dispatcher.access.tokens import Token

__all__ = ["NOBODY_ASKED", "EndCredentials", "JoinWorker", "MakeToken", "RevokeToken", "TokenCommand", "UsedTokens"]


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


class JoinWorker(Struct, frozen=True):
    """A worker has joined: its credential is kept, and a use of its token is spent, in one step."""

    credential: Credential
    #: It had joined with this token before if not.
    spends: bool
    actor: Actor = NOBODY_ASKED


class EndCredentials(Struct, frozen=True):
    """These workers must join anew. Their token is revoked, or somebody has asked for this one."""

    workers: tuple[str, ...]
    actor: Actor = NOBODY_ASKED
    #: For the audit log: the reason.
    detail: str = ""


TokenCommand = MakeToken | RevokeToken | UsedTokens | JoinWorker | EndCredentials
