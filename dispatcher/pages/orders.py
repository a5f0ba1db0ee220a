"""Orders of the core that come seldom, as messages for a page. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.pages import protocol

__all__ = ["ORDERS", "hold_message"]

#: By the name that the core gives them.
ORDERS: Mapping[str, protocol.ServerMessage] = {
    "drain": protocol.Drain(),
    "resume": protocol.Resume(),
    "reload": protocol.Reload(),
    "reload_idle": protocol.Reload(idle=True),
}


def hold_message(hold: Hold | None) -> protocol.HoldMessage:
    """An operator keeps the page from jobs; None: no more."""
    if hold is None:
        return protocol.HoldMessage(False)
    return protocol.HoldMessage(True, hold.by, hold.reason, hold.leaves, hold.since_ms)
