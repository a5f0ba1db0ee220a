"""What is known about a session besides its worker."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.opened import Opening
from dispatcher.pages.slowness import NOT_SLOW, Slowness

__all__ = ["SessionInfo"]


class SessionInfo(Struct):
    """Where it comes from, and what its page says of itself."""

    remote: str
    user_agent: str
    opened: float = 0.0
    page: dict[str, str] = {}
    slowness: Slowness = NOT_SLOW
    #: What carries it: ``polling`` or ``websocket``.
    transport: str = "polling"
    #: Ends the session with the token with which its page has registered.
    opening: Opening | None = None

    def let_in(self, opening: Opening | None) -> None:
        """Its page has shown a token, perhaps another one than before; None: that of the settings, or none."""
        if self.opening is not None:
            self.opening.close()
        self.opening = opening
