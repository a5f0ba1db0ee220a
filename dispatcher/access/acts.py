"""What people and programs have done to the server and its jobs, for whoever asks later: the rows of the audit log."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["MOST_DETAIL", "Actor", "AuditEntry", "AuditFilter", "AuditNote", "AuditOutcome", "AuditPage"]

#: Most characters of a detail; the rest is cut.
MOST_DETAIL = 500


class AuditOutcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    #: It was not allowed, or came too late.
    REFUSED = "refused"


class Actor(Struct, frozen=True):
    """Who asks for something, and from where."""

    #: The name of the token, or the way by which it came. Empty: nobody asked, the server does it by itself.
    name: str = ""
    #: The token's id; empty: none of the store's.
    token: str = ""
    #: The address that the request came from.
    remote: str = ""
    #: The operation on many jobs that the command is a part of: the audit log has one entry for all of it.
    operation: str = ""


class AuditNote(Struct, frozen=True):
    """A command that does nothing but note an act: it has been carried out elsewhere."""

    actor: Actor
    action: str
    target: str = ""
    detail: str = ""
    outcome: AuditOutcome = AuditOutcome.DONE


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One line of the log."""

    #: UTC seconds.
    at: float
    actor: Actor
    #: ``job.cancel``, ``token.make`` and so on: docs/security.md lists them.
    action: str
    #: The id of the job or the token, or the name of what it was done to.
    target: str = ""
    #: The reason that was given, or what was wanted as JSON; at most ``MOST_DETAIL`` characters.
    detail: str = ""
    outcome: AuditOutcome = AuditOutcome.DONE
    #: Counts up; given by the store.
    number: int = 0


class AuditFilter(Struct, frozen=True, kw_only=True):
    """Which acts; what is not set does not count."""

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    after: float | None = None
    before: float | None = None
    limit: int = 100
    cursor: str | None = None


class AuditPage(Struct, frozen=True):
    """The newest first."""

    items: list[AuditEntry]
    next_cursor: str | None
