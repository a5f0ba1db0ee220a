"""A browser page and its sessions, in the model's world."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.core.effects import Effect
from dispatcher.core.worker import Registration
from tests.core.peers import Hello


@dataclass
class Page:
    """A browser page: what it knows outlives sessions, not a reload."""

    name: str
    types: tuple[str, ...]
    slots: int
    worker: str | None = None
    boot: str = ""
    session: str | None = None
    #: Attempt -> instant of its accept; None: got, not accepted.
    has: dict[str, float | None] = field(default_factory=dict)
    #: Attempt -> result, until a verdict comes.
    stash: dict[str, str] = field(default_factory=dict)
    #: Attempts that it was told to stop.
    told: list[str] = field(default_factory=list)


@dataclass
class Session:
    page: Page
    outbox: list[Effect] = field(default_factory=list)
    #: Its first register.
    hello: tuple[Hello, Registration] | None = None
    away: bool = False
