"""A browser page and its sessions, in the model's world."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.workers.effects import Effect, Offer
from dispatcher.core.workers.registration import Registration
from tests.core.model.peers import Hello


@dataclass
class Page:
    """A browser page: what it knows outlives sessions, not a reload."""

    name: str
    types: tuple[str, ...]
    slots: int
    worker: str | None = None
    boot: str = ""
    session: str | None = None
    #: Attempt -> instant of its accept; None: not accepted yet.
    has: dict[str, float | None] = field(default_factory=dict)
    #: Attempt -> result, until a verdict comes.
    stash: dict[str, str] = field(default_factory=dict)
    #: Attempts that it was told to stop.
    told: list[str] = field(default_factory=list)
    #: The hold of an operator that it has heard of: since when.
    heard: Hold | None = None


@dataclass
class Session:
    page: Page
    #: Its number among all sessions.
    opened: int = 0
    outbox: list[Effect] = field(default_factory=list)
    away: bool = False
    #: The page's first register in it, for the machine and for the reference.
    said: tuple[Registration, Hello] | None = None

    def offers(self) -> list[str]:
        """The offers that wait for a poll."""
        return [e.claim.attempt for e in self.outbox if isinstance(e, Offer)]


def withdraw(session: Session | None, attempt: str) -> None:
    """Takes out an offer that no poll has carried away."""
    if session is not None:
        session.outbox = [e for e in session.outbox if not (isinstance(e, Offer) and e.claim.attempt == attempt)]
