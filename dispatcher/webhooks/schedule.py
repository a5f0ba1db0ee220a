"""When a message is tried again, and when no more. Durations are seconds; chance comes from outside."""

from __future__ import annotations

__all__ = ["DELAYS_S", "JITTER", "LONGEST_ASKED_S", "MOST_ATTEMPTS", "next_delay"]

#: The waits behind the first attempt, the second and so on: about three days and four hours in all.
DELAYS_S = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
MOST_ATTEMPTS = len(DELAYS_S) + 1
#: A wait is longer by up to this share, so that messages that failed together do not come together.
JITTER = 0.2
#: A receiver may ask for a longer wait (``Retry-After``), but for no longer one than this.
LONGEST_ASKED_S = 86_400.0


def next_delay(attempt: int, chance: float, asked_s: float | None = None) -> float | None:
    """How long to wait behind the attempt of this number (1 is the first); None: it was the last one.

    ``chance`` is from 0 to 1. ``asked_s``: what the receiver has asked for.
    """
    if attempt >= MOST_ATTEMPTS:
        return None
    delay_s = DELAYS_S[attempt - 1]
    if asked_s is not None:
        delay_s = max(delay_s, min(asked_s, LONGEST_ASKED_S))
    return delay_s * (1.0 + JITTER * chance)
