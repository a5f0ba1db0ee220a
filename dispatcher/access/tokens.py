"""A token: its form, and what is kept of it.

The form is ``ph_<id>_<secret>``: the id has 8 small letters and digits, the secret 43 signs of base64url, 256 random
bits. So a search finds tokens in files where they should not be, and the id alone can be told to others. The SHA-256 of
the whole is kept: nobody can guess 256 bits, so no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope, with_included

__all__ = ["TOKEN_PATTERN", "Token", "digest_of", "id_of", "principal_of"]

TOKEN_PATTERN = r"ph_([a-z0-9]{8})_[A-Za-z0-9_-]{43}"  # noqa: S105  # it is the form of all tokens
_TOKEN = re.compile(TOKEN_PATTERN.encode())


class Token(Struct, frozen=True, kw_only=True):
    """What is kept of a token. Instants are UTC seconds."""

    id: str
    #: The SHA-256 of the token.
    digest: bytes
    #: Whom or what it is for.
    name: str
    scopes: tuple[Scope, ...]
    #: The types of jobs that it is bound to; empty: it is bound to none.
    types: tuple[str, ...] = ()
    made_by: str
    made_at: float
    #: None: it does not expire.
    expires_at: float | None = None
    #: None: it was not revoked.
    revoked_at: float | None = None
    #: None: nobody has used it. Written once a minute at most.
    last_used_at: float | None = None
    #: (label, value), in the order of the labels: its pages have them, whatever they say.
    labels: tuple[tuple[str, str], ...] = ()
    #: How many workers may join with it; None: it is no token for joining.
    uses: int | None = None
    #: How many have.
    used: int = 0
    #: How many new jobs it may submit in a minute; None: as many as there is room for.
    jobs_per_minute: int | None = None

    def works(self, now_at: float) -> bool:
        """Whether it opens anything now; one for joining: whether another worker may join."""
        ended = self.revoked_at is not None or (self.expires_at is not None and now_at >= self.expires_at)
        return not ended and not self.is_used_up()

    def is_used_up(self) -> bool:
        """Whether as many workers have joined as may."""
        return self.uses is not None and self.used >= self.uses

    def holds(self, now_at: float) -> bool:
        """Whether what it has opened stays open: who has joined stays when the token expires or is used up."""
        return self.works(now_at) or (self.used > 0 and self.revoked_at is None)


def id_of(text: bytes) -> str | None:
    """The id in a token; None: this has not the form of one."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else match[1].decode()


def digest_of(text: bytes) -> bytes:
    """What is kept in the token's place."""
    return hashlib.sha256(text).digest()


def principal_of(token: Token) -> Principal:
    """Who shows this token."""
    return Principal(
        name=token.name,
        scopes=with_included(token.scopes),
        types=frozenset(token.types) if token.types else None,
        token_id=token.id,
    )
