"""What tokens have opened and is still open: sessions of pages, requests that wait, orders for many jobs.

Whatever goes on after its token was looked at is held here, and told when the token ends. The settings' token has no
id: what it has opened, and what is open to everybody, is held under the empty one. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

__all__ = ["MOST_AT_ONCE", "Opened", "Opening"]

#: So many are told before others have their turn: the end of a page's session costs some 50 us.
MOST_AT_ONCE = 200


class Opening:
    """Something that is open; ``close`` it when it is over."""

    __slots__ = ("_by_token", "_token_id", "ended")

    def __init__(self, by_token: dict[str, dict[Opening, None]], token_id: str, ended: Callable[[], None]) -> None:
        self._by_token, self._token_id = by_token, token_id
        #: Called once when the token ends.
        self.ended = ended

    def close(self) -> None:
        """It is over: nobody needs to be told any more."""
        held = self._by_token.get(self._token_id, {})
        held.pop(self, None)
        if not held:
            self._by_token.pop(self._token_id, None)


class Opened:
    """All that is open, by the token that has opened it."""

    def __init__(self) -> None:
        #: In the order in which it was opened.
        self._by_token: dict[str, dict[Opening, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_token.values()))

    def add(self, token_id: str, ended: Callable[[], None]) -> Opening:
        """Something was opened; ``ended`` is called if its token ends before it is closed."""
        opening = Opening(self._by_token, token_id, ended)
        self._by_token.setdefault(token_id, {})[opening] = None
        return opening

    def end(self, token_id: str, most: int = MOST_AT_ONCE) -> bool:
        """The token opens nothing any more: the first things that it has opened are told, each once.

        Returns whether there are more: call it again, when others have had their turn.
        """
        for opening in list(islice(self._by_token.get(token_id, {}), most)):
            opening.close()
            opening.ended()
        return token_id in self._by_token
