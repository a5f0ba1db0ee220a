"""The nodes of a store as people see them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["NodeState", "NodeView"]


class NodeState(StrEnum):
    """Whether a node is there, by the store's clock."""

    LIVE = "live"
    #: It has not been heard of for 10 s, and nobody has taken over what it had.
    SILENT = "silent"
    #: Another node has taken over what it had; or it has stopped, which comes to the same.
    GONE = "gone"


class NodeView(Struct, frozen=True, kw_only=True):
    """One server process, or one that has been."""

    node: str
    state: NodeState
    #: The number of its life.
    epoch: int
    #: When its last turn began; UTC seconds.
    seen_at: float
    #: Workers that it has, and attempts that they have or are offered.
    workers: int
    attempts: int
    #: It is the one that is asked.
    is_own: bool
