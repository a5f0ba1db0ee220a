"""A store that makes no backups: what it holds is gone when the server stops, or others see to it."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.errors import WrongState

__all__ = ["WithoutBackups"]


class WithoutBackups:
    """See port.Store."""

    #: Why not, for whoever wants one.
    no_backups = "a store in memory cannot be backed up: it is gone when the server stops"

    async def begin_backup(self, now_at: float) -> Backup:
        """See port.Store."""
        raise WrongState(self.no_backups)

    async def back_up(self, backup: Backup, told: Callable[[int], None]) -> None:
        """See port.Store. ``begin_backup`` has refused it."""

    async def backups(self) -> list[Backup]:
        """See port.Store."""
        return []
