"""Engine.IO by long polling, in the words of a client: where it asks, what it posts, what an answer carries.

It has no connection. Those who have one, each once for its purpose:

- ``support.http.Page``: a page without manners, for tests without a loop. One request at a time, on any connection.
- ``campaigns.churn.Page``: the same in a loop, with one kept connection, as thousands come and go beside each other.
- ``campaigns.cutpolls_pages.RawPage``: polls through a proxy that cuts them, POSTs past it, and polls on after a cut.
- ``transport.support.Page``: packets, not messages; a poll can be left open, and a test sees which connection closes.
- ``node.grounds.Window``: no network at all; the clock is turned by hand.

The tests of the transport write targets and packets out: how they are spelt is what they are about.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["HANDSHAKE", "QUERY", "message", "messages", "packets", "sid_in"]

QUERY = "EIO=4&transport=polling"
#: Where a session begins; with ``&sid=`` it goes on there.
HANDSHAKE = f"/engine.io/?{QUERY}"


def sid_in(opened: str | bytes) -> str:
    """The session that an answer to the handshake opens."""
    return str(json.loads(opened[1:])["sid"])


def message(op: str, **fields: Any) -> str:
    """A packet with a message."""
    return "4" + json.dumps({"op": op, **fields})


def packets(body: str) -> list[str]:
    """What the answer to a poll carries."""
    return body.split("\x1e")


def messages(body: str) -> list[dict[str, Any]]:
    """Those of its packets that are messages, read."""
    return [json.loads(packet[1:]) for packet in packets(body) if packet[:1] == "4"]
