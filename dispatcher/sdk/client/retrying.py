"""Whether and when a request is sent again. Pure: the clock and the randomness are passed in."""

from __future__ import annotations

import random
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from .exchange import ServerAnswer

__all__ = ["RetryRule", "may_pass", "retry_after_s"]

#: Answers of a server, or of a proxy before it, that may be another one soon.
_PASSING = {429, 502, 503, 504}
#: A new type on a server that has too many of them: time does not help.
_LASTING = {b'"too_many_types"'}
_LONGEST_DOUBLING = 16


@dataclass(frozen=True, slots=True)
class RetryRule:
    """A request is sent again for ``for_s`` seconds after its first failure."""

    for_s: float = 60.0
    base_s: float = 0.1
    most_s: float = 10.0

    def pause_s(self, failures: int, asked_s: float, rng: random.Random) -> float:
        """Full jitter, so that many clients do not come back at once; never before the server wants it."""
        span = min(self.most_s, self.base_s * 2 ** min(failures, _LONGEST_DOUBLING))
        return asked_s + rng.uniform(0.0, span)


def may_pass(answer: ServerAnswer) -> bool:
    """The same request may be taken a little later."""
    return answer.status in _PASSING and not any(code in answer.body for code in _LASTING)


def retry_after_s(answer: ServerAnswer, wall_s: float) -> float:
    """How long the server wants to be left alone: seconds, or a date. 0 if it does not say."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - wall_s)
    except (TypeError, ValueError, OverflowError):
        return 0.0
