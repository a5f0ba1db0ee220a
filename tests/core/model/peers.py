"""Workers, attempts and durations as they must be; ``reference`` keeps them."""

from __future__ import annotations

from dataclasses import dataclass

OFFER_TTL_S = 10.0
GRACE_S = 30.0
RESTART_GRACE_S = 60.0
RELOAD_S = 60.0
PROBE_S = 3.0
ASIDE_S = 60.0
MOST_ASIDE_S = 61_440.0
#: Time after a standstill to read what has arrived.
MOMENT_S = 1.0
#: A tick that comes later than this was held up by a standstill.
STANDSTILL_S = 1.0


@dataclass
class Lease:
    """An attempt as it must be. ``phase``: offered, running, stash, adrift or revoked."""

    id: str
    worker: str
    timeout_s: float
    phase: str = "offered"
    written: bool = False
    #: Whether its page has polled since then.
    fetched: bool = False
    once: bool = False
    heartbeat_s: float | None = None
    #: Whether its page was told to go, or may have been.
    went: bool = False
    #: Whether its page has not been back since a restart of the server.
    restarted: bool = False


@dataclass
class Peer:
    """A worker as it must be. ``state``: connected, quiet or away."""

    id: str
    boot: str
    types: frozenset[str]
    slots: int
    session: str | None
    state: str = "connected"
    paused: bool = False
    aside: bool = False
    lapses: int = 0
    times_aside: int = 0
    used: int = 0
    opened: int = 0


@dataclass(frozen=True)
class Hello:
    """A register."""

    worker: str
    spare: str
    boot: str
    types: frozenset[str]
    slots: int
    holding: dict[str, float]
    finished: frozenset[str]
    #: Its number among all sessions.
    opened: int = 0
