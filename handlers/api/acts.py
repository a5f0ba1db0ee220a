"""An act of the audit log as programs see it. Pure."""

from __future__ import annotations

from dispatcher.access.acts import AuditEntry
from handlers.api.jobjson import Json, instant

__all__ = ["ACT_FIELDS", "act_json"]

ACT_FIELDS = ("id", "at", "actor", "token", "remote", "action", "target", "detail", "outcome")


def act_json(act: AuditEntry) -> Json:
    """With ``ACT_FIELDS``; None is what it does not have."""
    return {
        "id": act.number,
        "at": instant(act.at),
        "actor": act.actor.name,
        "token": act.actor.token or None,
        "remote": act.actor.remote or None,
        "action": act.action,
        "target": act.target or None,
        "detail": act.detail or None,
        "outcome": act.outcome.value,
    }
