"""Which pages are let in: who shows the server's token, one of the store's for workers, or what joining has given him.

Until the server attaches its tokens there are none but that of the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct

from dispatcher.access.credentials import is_credential
from dispatcher.access.guesses import Guesses
from dispatcher.access.opened import Opened, Opening
from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token, principal_of
from dispatcher.errors import Forbidden, MessageRefused, TooManyGuesses

__all__ = ["ENDED", "Admitted", "KnownJoins", "KnownTokens", "NoTokens", "PageGate", "Shown", "Told"]

#: What a page is told whose token opens nothing any more.
ENDED = "its token was revoked or has expired: open it with a new one, #token=... at the end of its address"
_NONE = "the page sent no token: open it with #token=... at the end of its address"
_WRONG = "what the page sent is not this server's token"
_FOR_JOINING = "this token is for joining: open the page with #join=... in the place of #token=..."
_MUST_JOIN = "its credential was ended, or is another worker's: open it with a token for joining, #join=..."

#: Told the credential, or why there is none.
Told = Callable[[str | MessageRefused], None]


class Shown(Struct, frozen=True):
    """What a page shows of itself."""

    token: bytes
    join: bytes
    #: The worker that it proves to be; None: a new one.
    worker: str | None
    types: tuple[str, ...]
    remote: str


class Admitted(Struct, frozen=True):
    """How a page was let in."""

    #: The store's token with which it came, or its worker has joined; None: that of the settings, or none is needed.
    token: Token | None = None
    #: It shows its worker's credential: it is this worker and no other.
    joined: bool = False
    #: It has no credential yet, and gets one.
    joins: bool = False


class KnownTokens(Protocol):
    """The tokens of the store; ``node.Access`` has them."""

    def find(self, text: bytes) -> Principal | None:
        """Who shows this token; None: it is unknown, expired or revoked."""

    def has_ended(self, text: bytes) -> bool:
        """Whether this token was one of ours, and is revoked or has expired."""

    def open(self, token_id: str, ended: Callable[[], None]) -> Opening:
        """Something was opened with it, or by a worker that has joined; ``ended`` is called when that must end."""

    def get(self, token_id: str) -> Token | None:
        """The token with this id."""


class KnownJoins(Protocol):
    """The workers that have joined; ``node.Joins`` has them."""

    def shown(self, worker: str, text: bytes) -> Token | None:
        """The token with which this worker has joined, if the text is its credential; None: it opens nothing."""

    def wanted(self, text: bytes, worker: str | None) -> Token:
        """The token for joining with this text, with which the worker may join, or has. Raises MessageRefused."""

    def join(self, token: Token, worker: str, remote: str, told: Told) -> None:
        """Gives the worker a credential; ``told`` hears of it when it is durable."""


class NoJoins:
    """A store without tokens for joining."""

    def shown(self, worker: str, text: bytes) -> Token | None:
        """None."""
        return None

    def wanted(self, text: bytes, worker: str | None) -> Token:
        """There is none."""
        raise MessageRefused(_WRONG, code="bad_token")

    def join(self, token: Token, worker: str, remote: str, told: Told) -> None:
        """Nobody can."""


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

    def get(self, token_id: str) -> Token | None:
        """There is none."""
        return None


class PageGate:
    """``token``: that of the settings; it may change while the server runs. ``most_wrong``: see ``Guesses``."""

    def __init__(self, token: str, most_wrong: float) -> None:
        self.token = token
        self.tokens: KnownTokens = NoTokens()
        self.joins: KnownJoins = NoJoins()
        #: Shared with whoever else is shown tokens.
        self.guesses = Guesses(most_wrong)

    def admit(self, shown: Shown, now: float) -> Admitted:
        """How the page comes in. Raises MessageRefused.

        Who shows a credential and a token for joining stays what it is, unless it may join anew with another token.
        """
        admitted = self._joins(shown) or self._comes(shown, now)
        if admitted.token is not None:
            _check_types(principal_of(admitted.token), shown.types)
        return admitted

    def _joins(self, shown: Shown) -> Admitted | None:
        """How a page comes in that has joined or joins; None: it does neither."""
        held = None if shown.worker is None else self.joins.shown(shown.worker, shown.token)
        if shown.join:
            try:
                token = self.joins.wanted(shown.join, shown.worker)
            except MessageRefused:
                if held is None:
                    raise
            else:
                if held is None or held.id != token.id:
                    return Admitted(token, joined=True, joins=True)
        return None if held is None else Admitted(held, joined=True)

    def _comes(self, shown: Shown, now: float) -> Admitted:
        if not self.token:
            return Admitted()
        if is_credential(shown.token):
            raise MessageRefused(_MUST_JOIN, code="token_ended")
        who = self.tokens.find(shown.token)
        if who is None:
            self._check_own(shown.token, shown.remote, now)
            return Admitted()
        token = self.tokens.get(who.token_id)
        if token is not None and token.uses is not None:
            raise MessageRefused(_FOR_JOINING, code="bad_token")
        return Admitted(token)

    def _check_own(self, shown: bytes, remote: str, now: float) -> None:
        if self.tokens.has_ended(shown):
            raise MessageRefused(ENDED, code="token_ended")
        try:
            if self.guesses.right(self.token.encode(), shown, remote, now):
                return
        except TooManyGuesses as refusal:
            raise MessageRefused(refusal.detail, code="too_many_wrong_tokens") from None
        raise MessageRefused(_WRONG if shown else _NONE, code="bad_token")


def _check_types(who: Principal, types: Iterable[str]) -> None:
    """Raises MessageRefused if its token is not for workers, or not for one of these types."""
    try:
        who.needs(Scope.WORKER)
        for name in types:
            who.needs_type(name)
    except Forbidden as refused:
        raise MessageRefused(refused.detail, code="bad_token") from None
