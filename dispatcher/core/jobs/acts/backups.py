"""A backup of the store, as people and programs see it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["Backup", "BackupState"]


class BackupState(StrEnum):
    """How far a backup has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Backup(Struct, frozen=True, kw_only=True):
    """One backup. It holds every job that was acknowledged before it began."""

    #: Of its file, in the directory of the backups.
    name: str
    state: BackupState
    #: Of the whole; while it runs, of the store's file.
    bytes: int
    copied_bytes: int
    #: UTC seconds.
    begun_at: float
    #: None: it runs.
    ended_at: float | None = None
    #: Why it failed; empty: it did not.
    detail: str = ""
