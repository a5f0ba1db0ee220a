"""Counts what has happened on the transport so far, for metrics. Knows no sessions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Counts"]


@dataclass(slots=True)
class Counts:
    """Each count only grows."""

    opened: int = 0
    polls: int = 0
    posts: int = 0
    #: Messages that came by WebSocket, and sessions that moved to one.
    frames: int = 0
    upgrades: int = 0
    messages_in: int = 0
    messages_out: int = 0
    #: Requests refused before their body was looked at.
    refused_requests: int = 0
    #: Handshakes refused because there were too many sessions.
    refused_sessions: int = 0
    #: Sessions ended by a malformed body, or because nobody read their messages.
    protocol_errors: int = 0
    overflows: int = 0
    #: Second requests of a session, which end it, and second sockets, which do not.
    overlaps: int = 0
    quiet: int = 0
    away: int = 0
    #: Exceptions in the listener.
    listener_errors: int = 0
