"""Slows those who guess the settings' token: a person may have chosen it, and then it can be guessed.

Theory of operation. Each place that shows wrong tokens has an allowance of them, which comes back with time. Without
allowance the settings' token is not even compared, so nothing can be learned. A wrong token counts once: a page with
yesterday's token shows it again and again, and means no harm. Tokens of the store have 256 random bits, so nobody
guesses them: they are found before anybody asks here, and behind a proxy, where all come from one place, they go on
working. A place is an address, or the network of 56 bits that an address of IPv6 is from, as providers give it to one
customer. What comes as a password (``Authorization: Basic``) may be meant for a proxy before us: it has an allowance of
its own, and is told to nobody.

Pure. Instants are monotonic seconds.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from math import ceil

from dispatcher.errors import TooManyGuesses

__all__ = ["MOST_PLACES", "MOST_REMEMBERED", "Guesses"]

#: Most places that are watched; the one that has been quiet longest goes.
MOST_PLACES = 2_000
#: Most wrong tokens that are remembered of one place.
MOST_REMEMBERED = 100


class _Place:
    """Somewhere from where wrong tokens have come."""

    __slots__ = ("allowance", "at", "wrong")

    def __init__(self, allowance: float, now: float) -> None:
        self.allowance, self.at = allowance, now
        #: Digests, the one that was shown longest ago first.
        self.wrong: OrderedDict[bytes, None] = OrderedDict()


class Guesses:
    """``most``: how many different wrong tokens one place may show in a minute."""

    def __init__(self, most: float) -> None:
        #: Told the address from which a wrong token has come, once for each.
        self.noted: Callable[[str], None] = lambda address: None
        self._most, self._per_s = float(most), most / 60.0
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def right(self, own: bytes, shown: bytes, address: str, now: float) -> bool:
        """Whether what was shown is our own token. Raises TooManyGuesses where the allowance is used up."""
        return self._judge(own, shown, _place_of(address), now, lambda: self.noted(address))

    def password_is(self, own: bytes, shown: bytes, address: str, now: float) -> bool:
        """The same for a password; where the allowance is used up, it is not looked at, and wrong."""
        try:
            return self._judge(own, shown, f"password {_place_of(address)}", now)
        except TooManyGuesses:
            return False

    def _judge(
        self, own: bytes, shown: bytes, name: str, now: float, counted: Callable[[], None] = lambda: None
    ) -> bool:
        place = self._places.get(name)
        if place is not None:
            if _is_known(shown, place):
                return False
            self._check(place, now)
        if hmac.compare_digest(own, shown):
            return True
        if shown:  # what is no token at all is no guess
            self._wrong(shown, name, now)
            counted()
        return False

    def _check(self, place: _Place, now: float) -> None:
        place.allowance = min(self._most, place.allowance + (now - place.at) * self._per_s)
        place.at = now
        if place.allowance < 1.0:
            wait_s = ceil((1.0 - place.allowance) / self._per_s)
            raise TooManyGuesses(
                "Too many different wrong tokens have come from this address (--wrong-tokens). Try again in "
                f"{wait_s} s, or show a token that was made at /api/v1/tokens: those are never slowed down.",
                retry_after_s=wait_s,
            )

    def _wrong(self, shown: bytes, name: str, now: float) -> None:
        place = self._places.setdefault(name, _Place(self._most, now))
        self._places.move_to_end(name)
        place.allowance -= 1.0
        place.wrong[_digest(shown)] = None
        if len(place.wrong) > MOST_REMEMBERED:
            place.wrong.popitem(last=False)
        if len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)

    def forgive(self) -> None:
        """Forgets all: another token is our own from now on, and it may be one of the wrong ones."""
        self._places.clear()


def _is_known(shown: bytes, place: _Place) -> bool:
    """Whether it is a wrong token that was shown there before; then it was shown last."""
    digest = _digest(shown)
    if digest not in place.wrong:
        return False
    place.wrong.move_to_end(digest)
    return True


def _digest(shown: bytes) -> bytes:
    return sha256(shown).digest()[:8]


@lru_cache(maxsize=1_024)
def _place_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 72 << 72))
