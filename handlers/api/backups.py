"""``/api/v1/backups``: makes a backup of the running store, and says how far it is."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import Struct

from dispatcher.access.acts import AuditNote
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.backups import Backup
from handlers.api.jobjson import instant
from handlers.api.resources import ConsoleApiHandler
from handlers.errors import Invalid, field_error
from handlers.intake import decode_object

__all__ = ["BackupHandler", "BackupsHandler"]


class _Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    pass


_decoder = msgspec.json.Decoder(_Nothing)


def _backup_json(backup: Backup) -> dict[str, object]:
    return {
        "name": backup.name,
        "state": backup.state.value,
        "bytes": backup.bytes,
        "copied_bytes": backup.copied_bytes,
        "begun_at": instant(backup.begun_at),
        "ended_at": instant(backup.ended_at),
        "detail": backup.detail or None,
        "links": {"self": f"/api/v1/backups/{backup.name}"},
    }


class BackupsHandler(ConsoleApiHandler):
    """``/api/v1/backups``."""

    scopes: ClassVar = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}

    async def get(self) -> None:
        """All backups, the newest first."""
        backups = await self.site.service.backups.all()
        self.answer({"items": [_backup_json(backup) for backup in backups], "next_cursor": None})

    head = get

    async def post(self) -> None:
        """Begins one: 202. It holds every job that was acknowledged before."""
        try:
            decode_object(_decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            raise Invalid([field_error("", "must be empty or an empty object")]) from None
        backup = await self.site.service.backups.begin()
        self.site.service.access.note(AuditNote(self.actor("api"), "backup.begin", backup.name))
        self.set_header("Location", self.site.prefix.link(f"/api/v1/backups/{backup.name}"))
        self.answer(_backup_json(backup), 202)


class BackupHandler(ConsoleApiHandler):
    """``/api/v1/backups/<name>``."""

    scopes: ClassVar = {"GET": Scope.ADMIN}

    async def get(self, name: str) -> None:
        """How far it is, or how it went."""
        self.answer(_backup_json(await self.site.service.backups.one(name)))

    head = get
