"""A simulated page and the words that a test exchanges with it; no I/O."""

from __future__ import annotations

import json
import random
from typing import Any

from dispatcher.sdk.simulator.faults import Faults
from dispatcher.sdk.simulator.journal import Journal
from dispatcher.sdk.simulator.page import Page, Profile

NEVER = Faults(never_answer=1.0)


def new_page(journal: Journal | None = None, **profile: Any) -> Page:
    wanted = Profile(types=("echo",), name="one", **profile)
    return Page(wanted, boot="b1", rng=random.Random(1), journal=journal or Journal())


def connect(page: Page, now: float = 0.0, *, max_payload: int = 100_000) -> dict[str, Any]:
    """Open a session; returns the page's register."""
    page.connected(now, max_payload=max_payload)
    (register,) = say(page, now)
    return register


def join(page: Page, now: float = 0.0, *, max_payload: int = 100_000, **settings: int) -> dict[str, Any]:
    register = connect(page, now, max_payload=max_payload)
    hear(page, now, op="registered", worker="w1", secret="s1", name="one", settings=settings)
    return register


def hear(page: Page, now: float, **message: Any) -> None:
    page.received(json.dumps(message), now)


def offer(page: Page, now: float, attempt: str = "a1", **more: Any) -> None:
    offer = {"op": "job", "attempt": attempt, "id": f"job of {attempt}", "type": "echo", "data": 1}
    hear(page, now, **{**offer, "number": 1, "timeout_ms": 60_000, **more})


def say(page: Page, now: float) -> list[dict[str, Any]]:
    """What the page POSTs now; the POST is answered 200."""
    batch = page.take(now)
    page.posted(batch, now)
    return [json.loads(text) for text in batch.messages]


def ops(page: Page, now: float) -> list[str]:
    return [message["op"] for message in say(page, now)]


def sent(page: Page, now: float) -> list[str]:
    """The ops of what the page sends now by a socket: nothing answers them."""
    batch = page.take(now)
    page.sent(batch, now)
    return [json.loads(text)["op"] for text in batch.messages]


def with_report(**settings: int) -> Page:
    page = new_page(quick=True)
    join(page, **settings)
    offer(page, 1.0)
    assert ops(page, 1.0) == ["result"]
    return page


def with_report_in(journal: Journal) -> Page:
    page = new_page(journal, quick=True)
    join(page)
    offer(page, 1.0)
    say(page, 1.0)
    return page
