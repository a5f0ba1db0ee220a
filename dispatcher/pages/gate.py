"""Which pages may join: those that show the server's token, or one of the store's for workers.

Until the server attaches its tokens there are none but that of the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from dispatcher.access.guesses import Guesses
from dispatcher.access.opened import Opened, Opening
from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope
from dispatcher.errors import Forbidden, MessageRefused, TooManyGuesses

__all__ = ["ENDED", "KnownTokens", "NoTokens", "PageGate"]

#: What a page is told whose token opens nothing any more.
ENDED = "its token was revoked or has expired: open it with a new one, #token=... at the end of its address"
_NONE = "the page sent no token: open it with #token=... at the end of its address"
_WRONG = "what the page sent is not this server's token"


class KnownTokens(Protocol):
    """The tokens of the store; ``node.Access`` has them."""

    def find(self, text: bytes) -> Principal | None:
        """Who shows this token; None: it is unknown, expired or revoked."""

    def has_ended(self, text: bytes) -> bool:
        """Whether this token was one of ours, and is revoked or has expired."""

    def open(self, token_id: str, ended: Callable[[], None]) -> Opening:
        """Something was opened with it; ``ended`` is called when it opens nothing any more."""


class NoTokens:
    """A store without tokens."""

    def __init__(self) -> None:
        self._opened = Opened()

    def find(self, text: bytes) -> Principal | None:
        """Nobody."""
        return None

    def has_ended(self, text: bytes) -> bool:
        """None was there."""
        return False

    def open(self, token_id: str, ended: Callable[[], None]) -> Opening:
        """None ends."""
        return self._opened.add(token_id, ended)


class PageGate:
    """``token``: that of the settings; it may change while the server runs. ``most_wrong``: see ``Guesses``."""

    def __init__(self, token: str, most_wrong: float) -> None:
        self.token = token
        self.tokens: KnownTokens = NoTokens()
        #: Shared with whoever else is shown tokens.
        self.guesses = Guesses(most_wrong)

    def admit(self, shown: bytes, types: Iterable[str], remote: str, now: float) -> str:
        """The id of the token; empty: it is the settings', or none is needed. Raises MessageRefused."""
        if not self.token:
            return ""
        who = self.tokens.find(shown)
        if who is None:
            self._check_own(shown, remote, now)
            return ""
        try:
            who.needs(Scope.WORKER)
            for name in types:
                who.needs_type(name)
        except Forbidden as refused:
            raise MessageRefused(refused.detail, code="bad_token") from None
        return who.token_id

    def _check_own(self, shown: bytes, remote: str, now: float) -> None:
        if self.tokens.has_ended(shown):
            raise MessageRefused(ENDED, code="token_ended")
        try:
            if self.guesses.right(self.token.encode(), shown, remote, now):
                return
        except TooManyGuesses as refusal:
            raise MessageRefused(refusal.detail, code="too_many_wrong_tokens") from None
        raise MessageRefused(_WRONG if shown else _NONE, code="bad_token")
