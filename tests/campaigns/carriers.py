"""What carries the pages of a campaign, as the server itself says: half of them must go by WebSocket.

A campaign whose pages all poll says nothing about sockets, however many zeros it has; so it fails.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.campaigns.record import Measure

__all__ = ["CARRIERS", "WORKERS", "carriers", "lopsided", "measures"]

WORKERS = "/api/v1/workers"
CARRIERS = ("polling", "websocket")
#: Each carrier has at least this share of the pages: about half of them, and chance.
LEAST = 0.3


def carriers(answer: bytes | str) -> Counter[str]:
    """The connected pages of one answer of ``WORKERS``, by carrier."""
    items: Iterable[dict[str, Any]] = json.loads(answer)["items"]
    return Counter(item["transport"] for item in items if item["transport"] in CARRIERS)


def measures(seen: Counter[str]) -> list[Measure]:
    """How often the server named each carrier when it was asked."""
    words = {"polling": "long-polling", "websocket": "WebSocket"}
    return [Measure(f"pages that the server said {words[name]} carries", seen[name], "seen") for name in CARRIERS]


def lopsided(seen: Counter[str]) -> list[str]:
    """What is wrong, if one carrier had next to no pages."""
    least = LEAST * seen.total()
    return [
        f"carrier: {name} carried {seen[name]} of {seen.total()} pages that the server named"
        for name in CARRIERS
        if not seen.total() or seen[name] < least
    ]
