"""The nodes of a database and their lives: who has which name, and since when.

A server locks its name for as long as it is connected, so a second one of that name is refused. Whoever changes the
schema locks the whole store against all of them. Locks keep servers that live apart; what fences one that was given up
is its epoch (``turn.sql``). It knows no address but for what it tells people: the caller has it in ``place``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import psycopg

from dispatcher.clock import SystemClock
from dispatcher.errors import StoreRefused
from dispatcher.store.postgres.link import Asked, Link

__all__ = ["BEAT_S", "Life", "begin_life", "take_node", "take_store"]

#: A node has a turn at least this often: it is its heartbeat, and shows it what the other nodes have done.
BEAT_S = 1.0
#: How long to wait for another server to let go, and how often to look.
_PATIENCE_S, _PAUSE_S = 3.0, 0.05
_clock = SystemClock()
#: Nobody sets it: to wait for it is to pause.
_nothing = threading.Event()


class Life(NamedTuple):
    """A life of a node has begun."""

    epoch: int
    queue_clock: float
    #: The other nodes, and how many turns each has had: those know of this one in all further turns.
    others: dict[str, int]


def begin_life(link: Link, place: str, node: str) -> Life:
    """Begins the next life of the node. Raises StoreRefused if a server has it."""
    take_node(link, place, node)
    [(epoch, clock)] = link.one("begin_life", node=node)
    link.one("offers_nothing", gone=node)
    link.one("has_nobody", gone=node)
    others = dict[str, int]()
    try:
        for (other,) in link.one("other_nodes", node=node):
            # One by one: a lock on a third node's row would hold up that one's turns as long as this one waits.
            asked: list[Asked] = [("begin", {}), ("wait_briefly", {}), ("see_node", {"node": other}), ("commit", {})]
            others.update((other, turns) for (turns,) in link.many(asked)[2])
        return Life(epoch, clock, others)
    except psycopg.errors.LockNotAvailable:
        raise StoreRefused(f"{place}: a turn of another server does not end; start this server again") from None


def take_node(link: Link, place: str, node: str, *, patience_s: float = _PATIENCE_S) -> None:
    """Locks the node's name for this connection, and the store against a change of its schema.

    The lock of a server that was killed may live on for a moment. Raises StoreRefused.
    """
    if not _patient(lambda: bool(link.one("share_store")[0][0]), patience_s):
        raise StoreRefused(f"{place} is being migrated: start this server again when that is done")
    if not _patient(lambda: bool(link.one("lock_node", node=node)[0][0]), patience_s):
        raise StoreRefused(
            f"node {node!r} of {place} is in use by another server: "
            "stop that one, give this one a name of its own with --node, or name another database"
        )


def take_store(link: Link, place: str) -> None:
    """Locks the store for this connection alone. Raises StoreRefused while any server has it."""
    if not _patient(lambda: bool(link.one("lock_store")[0][0]), _PATIENCE_S):
        raise StoreRefused(f"{place} is in use by another server: stop all of its servers first")


def _patient(taken: Callable[[], bool], patience_s: float) -> bool:
    deadline = _clock.monotonic() + patience_s
    while not taken():
        if _clock.monotonic() > deadline:
            return False
        _nothing.wait(_PAUSE_S)
    return True
