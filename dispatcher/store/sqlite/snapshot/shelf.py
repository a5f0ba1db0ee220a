"""The directory in which backups stand: their names, the oldest that must go, and the room for another one."""

from __future__ import annotations

import contextlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.errors import StorageFull
from dispatcher.store.sqlite.snapshot.child import DRAFT

__all__ = ["Shelf"]

_NAME = re.compile(r"pagehand-(\d{8}-\d{6})(-\d+)?\.db")
_INSTANT = "%Y%m%d-%H%M%S"
#: Room that must be left beside a backup.
_SPARE_BYTES = 16 << 20


class Shelf:
    """Backups by name; a name tells when the backup began (UTC)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def begin(self, now_at: float, needed_bytes: int) -> Path:
        """Where the next backup goes. Removes drafts that an earlier process has left. Raises StorageFull, OSError."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in self.directory.glob(f"pagehand-*.db{DRAFT}*"):
            draft.unlink(missing_ok=True)
        self._need_room(needed_bytes + _SPARE_BYTES)
        name = f"pagehand-{datetime.fromtimestamp(now_at, UTC).strftime(_INSTANT)}"
        endings = ["", *(f"-{number}" for number in range(2, 1_000))]
        return next(path for ending in endings if not (path := self.directory / f"{name}{ending}.db").exists())

    def _need_room(self, needed_bytes: int) -> None:
        if not hasattr(os, "statvfs"):
            return  # Windows: the copy itself says when the disk is full
        state = os.statvfs(self.directory)
        free_bytes = state.f_bavail * state.f_frsize
        if free_bytes < needed_bytes:
            raise StorageFull(
                f"there is no room for a backup in {self.directory} ({free_bytes >> 20} MiB free, "
                f"{needed_bytes >> 20} MiB needed): make room, or name another directory (--backup-dir)",
                retry_after_s=600,
            )

    def all(self) -> list[Backup]:
        """The backups that are whole, the newest first."""
        found = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.directory) as entries:
            for entry in entries:
                match = _NAME.fullmatch(entry.name)
                if match is not None:
                    state = entry.stat()
                    found.append(
                        Backup(
                            name=entry.name, state=BackupState.DONE, bytes=state.st_size, copied_bytes=state.st_size,
                            begun_at=datetime.strptime(match[1], _INSTANT).replace(tzinfo=UTC).timestamp(),
                            ended_at=state.st_mtime,
                        )
                    )  # fmt: skip
        return sorted(found, key=lambda backup: (backup.begun_at, len(backup.name), backup.name), reverse=True)

    def keep(self, most: int) -> None:
        """Removes the oldest backups beyond ``most``."""
        for backup in self.all()[most:]:
            (self.directory / backup.name).unlink(missing_ok=True)
