"""The durations that the core's decisions depend on."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["PROBE_S", "Timings"]

#: How long the old boot of a worker has to show that it is still there when a new boot registers (S12).
PROBE_S = 3.0


class Timings(Struct, frozen=True, kw_only=True):
    """All in seconds; ranges and defaults are the server's settings."""

    offer_ttl_s: float = 10.0
    reconnect_grace_s: float = 30.0
    restart_grace_s: float = 60.0
    reload_after_s: float = 60.0
    #: How long a worker that let two offers lapse gets none; doubled each time.
    set_aside_s: float = 60.0
