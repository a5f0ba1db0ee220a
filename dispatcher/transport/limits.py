"""Every limit of the transport in one value. It measures nothing: callers pass in what the machine allows."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.config.settings import Settings

__all__ = ["MAX_SLOTS", "SessionLimits", "session_cap"]

#: The most slots that a worker may have; a page may have this many offers in its outbox at once.
MAX_SLOTS = 64

#: Descriptors that are not for sessions: store, logs, listening sockets, submitters.
_SPARE_DESCRIPTORS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Durations in seconds, sizes in bytes."""

    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    #: The largest body of a POST; told to the page as ``maxPayload``.
    post_limit: int = (1 << 20) + 65_536
    #: Packets in one POST.
    packet_limit: int = 1_024
    #: The largest poll answer; one packet is always sent, however large it is.
    poll_limit: int = 2 << 20
    #: Sessions at the same time.
    sessions: int = 12_000
    #: Bytes that may wait for one page: its slots full of the largest offers, and 4 MiB more.
    outbox_bytes: int = MAX_SLOTS * ((1 << 20) + 65_536)
    outbox_packets: int = 4_096
    #: Whether a page may come or move by WebSocket; if not, long-polling is forced on all.
    websocket: bool = True
    #: How long a page is told to wait whose handshake is one too many.
    retry_after_s: int = 5

    @classmethod
    def of(cls, settings: Settings, *, sessions: int) -> SessionLimits:
        """The limits that ``settings`` mean; ``sessions`` is the cap in force (see ``session_cap``)."""
        return cls(
            ping_interval_s=settings.ping_interval_s,
            ping_timeout_s=settings.ping_timeout_s,
            post_limit=settings.post_limit,
            packet_limit=settings.packet_limit,
            poll_limit=settings.poll_limit,
            sessions=sessions,
            websocket=settings.transports != "polling",
            outbox_bytes=MAX_SLOTS * settings.post_limit,
        )


def session_cap(configured: int, descriptors: int) -> int:
    """The cap in force: as configured, or min(12000, (descriptors - 200) / 2): a page needs two
    connections.
    """
    if configured:
        return configured
    return max(1, min(12_000, (descriptors - _SPARE_DESCRIPTORS) // 2))
