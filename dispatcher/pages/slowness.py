"""What a page says of how its browser treats it: in the background, with late timers, after a standstill. Pure.

It says durations, as its clock may be wrong; they count from when it is heard. That decides nothing: leases are the
same for everybody (S8). But people read why a page was not heard of.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["FIELDS", "NOT_SLOW", "Slowness", "slowness_of"]

#: What is read here: people are told it in words.
FIELDS = frozenset({"hidden_for_ms", "slow_timers", "stood_still_ms", "stood_still_ago_ms"})
#: A page's word is bounded: no page has lived for longer than a year.
LONGEST_S = 366 * 86_400.0


class Slowness(Struct, frozen=True):
    """Of one page. Instants are monotonic."""

    #: Since when it is in the background; None: it is not, or does not say.
    hidden_since: float | None = None
    #: Its timers come late.
    late: bool = False
    #: How long it stood still last, and when that ended; None: not within the last hour.
    stood_s: float = 0.0
    stood_until: float | None = None


NOT_SLOW = Slowness()


def slowness_of(page: Mapping[str, object], now: float) -> Slowness:
    """What the field ``page`` of a ``register`` says; what is no duration is passed over."""
    hidden_s, stood_s = _seconds(page.get("hidden_for_ms")), _seconds(page.get("stood_still_ms"))
    ago_s = _seconds(page.get("stood_still_ago_ms"))
    return Slowness(
        hidden_since=None if hidden_s is None else now - hidden_s,
        late=page.get("slow_timers") is True,
        stood_s=stood_s or 0.0,
        stood_until=None if ago_s is None or not stood_s else now - ago_s,
    )


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return min(value / 1000, LONGEST_S)
