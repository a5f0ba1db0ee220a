"""What a page says of itself when it registers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dispatcher.core.fleet.worker import Labels

__all__ = ["Registration"]


class Registration(Struct, frozen=True, kw_only=True):
    """What a page says of itself, checked."""

    #: Its identity: proved by its secret, or new.
    worker: str
    #: It shows the credential of this worker: it cannot become another one.
    joined: bool = False
    #: It has shown an identity that it was given before, here or at another node.
    proved: bool = False
    #: A new identity, if this page turns out to be a second window of that worker.
    spare: str
    boot: str
    #: Empty: it says none, and keeps the one that it was given before.
    name: str
    types: tuple[str, ...]
    labels: Labels = ()
    #: The versions of its tasks, by type; a page need not say them.
    versions: Mapping[str, str] = {}
    #: Where people look whether a job in doubt was done, by type; most pages say none.
    doubt_urls: Mapping[str, str] = {}
    #: The tasks that it could not load, each with why; none of them is among its types.
    unloaded: Mapping[str, str] = {}
    #: The boot that its window showed before; the page says that this boot is gone.
    after: str | None = None
    slots: int = 1
    #: When its session was opened: monotonic seconds of this node.
    opened: float = 0.0
    #: Which of this boot's sessions it is, whatever the nodes: 1 for the first; 0: the page does not say.
    sessions: int = 0
    #: (attempt, seconds since its accept) that this boot still has.
    holding: tuple[tuple[str, float], ...] = ()
    #: Attempts whose results this page has in its stash.
    finished: tuple[str, ...] = ()
