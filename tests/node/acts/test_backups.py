"""One backup at a time, with its progress and its end; the store is closed after the one that runs has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.errors import BackupFailed, BackupNotFound, Draining, StorageFull, WrongState
from dispatcher.node.acts.backups import Backups
from tests.support.clock import ManualClock

pytestmark = pytest.mark.gen_test


class Shelf:
    """A store as far as backups go: a test ends each one."""

    def __init__(self) -> None:
        self.made: list[Backup] = []
        self.ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.refuses: Exception | None = None
        self.told: Callable[[int], None] = lambda count: None

    async def begin_backup(self, now_at: float) -> Backup:
        await asyncio.sleep(0)
        if self.refuses is not None:
            raise self.refuses
        return Backup(name=f"b-{now_at:.0f}.db", state=BackupState.RUNNING, bytes=100, copied_bytes=0, begun_at=now_at)

    async def back_up(self, backup: Backup, told: Callable[[int], None]) -> None:
        self.told = told
        await self.ends
        self.made.append(replace(backup, state=BackupState.DONE, copied_bytes=100, ended_at=backup.begun_at))

    async def backups(self) -> list[Backup]:
        return self.made[::-1]


def desk() -> tuple[Backups, Shelf]:
    shelf: Any = Shelf()
    return Backups(shelf, ManualClock(0.0, 1_000.0)), shelf


async def ended(backups: Backups) -> None:
    assert backups._task is not None
    await asyncio.wait([backups._task])


async def test_a_backup_runs_tells_how_far_it_is_and_is_done():
    backups, shelf = desk()
    begun = await backups.begin()
    assert (begun.name, begun.state) == ("b-1000.db", BackupState.RUNNING)
    await asyncio.sleep(0)
    shelf.told(40)
    assert (await backups.one("b-1000.db")).copied_bytes == 40
    shelf.ends.set_result(None)
    await ended(backups)
    assert [(b.name, b.state) for b in await backups.all()] == [("b-1000.db", BackupState.DONE)]


async def test_a_second_one_is_refused_while_one_runs_even_while_that_one_is_still_being_named():
    backups, shelf = desk()
    first = asyncio.ensure_future(backups.begin())
    await asyncio.sleep(0)
    for _ in range(2):
        with pytest.raises(WrongState, match="made already"):
            await backups.begin()
        await first
    shelf.ends.set_result(None)
    await ended(backups)
    assert (await backups.begin()).state is BackupState.RUNNING
    await backups.close()


@pytest.mark.expect_log("the backup b-1000.db failed: the disk is gone")
async def test_one_that_fails_says_why_and_the_next_may_begin():
    backups, shelf = desk()
    await backups.begin()
    await asyncio.sleep(0)
    shelf.told(40)
    shelf.ends.set_exception(BackupFailed("the disk is gone"))
    await ended(backups)
    failed = await backups.one("b-1000.db")
    assert (failed.state, failed.detail, failed.copied_bytes) == (BackupState.FAILED, "the disk is gone", 40)
    assert failed.ended_at == 1_000.0
    assert (await backups.begin()).state is BackupState.RUNNING
    await backups.close()


@pytest.mark.expect_log("a backup failed")
@pytest.mark.expect_log("a fault of the server: ValueError")
async def test_a_fault_of_ours_ends_the_backup_alone():
    backups, shelf = desk()
    await backups.begin()
    shelf.ends.set_exception(ValueError("ours"))
    await ended(backups)
    assert (await backups.all())[0].detail == "a fault of the server: ValueError"


async def test_one_that_cannot_begin_leaves_room_for_the_next():
    backups, shelf = desk()
    shelf.refuses = StorageFull("no room", retry_after_s=600)
    with pytest.raises(StorageFull):
        await backups.begin()
    shelf.refuses = None
    assert (await backups.begin()).state is BackupState.RUNNING
    shelf.ends.set_result(None)
    await ended(backups)


@pytest.mark.expect_log("failed: the server stopped")
async def test_a_server_that_stops_ends_the_one_that_runs_and_begins_no_other():
    backups, shelf = desk()
    await backups.begin()
    await asyncio.sleep(0)
    await backups.close()
    assert shelf.ends.cancelled()
    assert (await backups.all())[0].detail == "the server stopped"
    with pytest.raises(Draining):
        await backups.begin()


async def test_a_name_that_is_not_there_is_said_to_be_gone():
    backups, _ = desk()
    with pytest.raises(BackupNotFound, match=r"no backup 'b-7\.db'"):
        await backups.one("b-7.db")
    await backups.close()
