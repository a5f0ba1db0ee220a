"""Backups of an open store hold all that was acknowledged before they began, whatever goes on meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.core.jobs.turn import Demand
from dispatcher.errors import BackupFailed, StorageFull, WrongState
from dispatcher.store.sqlite.log_mark import LONG_FRAMES
from dispatcher.store.sqlite.snapshot import child
from tests.store.contract import KINDS, Desk, result
from tests.support.jobs import spec

SQLITE = KINDS[1]
#: Bytes of a job's data: some of them make the log long, and it is moved.
LARGE = '"' + "x" * 100_000 + '"'


@pytest.fixture
def desk(quick_path: Path) -> Any:
    desk = Desk(SQLITE, quick_path, backups_kept=3)
    yield desk
    desk.end()


def back_up(desk: Desk, while_it_runs: Callable[[], Awaitable[object]] | None = None) -> Path:
    """Makes a backup; ``while_it_runs`` is called as soon as something is copied, and goes on beside it."""

    async def make() -> Backup:
        backup = await desk.store.begin_backup(desk.now_at)
        copying = asyncio.Event()
        made = asyncio.create_task(desk.store.back_up(backup, lambda count: copying.set()))
        if while_it_runs is not None:
            await copying.wait()
            await while_it_runs()
        await made
        return backup

    return shelf(desk) / desk.run(make()).name


def shelf(desk: Desk) -> Path:
    return Path(desk.store.location).parent / "backups"


def opened(copy: Path, directory: Path) -> Desk:
    """A store that begins with the backup, as after a restore."""
    directory.mkdir()
    (directory / "jobs.db").write_bytes(copy.read_bytes())
    desk = Desk(SQLITE, directory)
    desk._job_ids = (f"later-{number}" for number in itertools.count(1))
    return desk


def test_a_backup_opens_as_a_store_with_every_job_attempt_result_and_key(desk: Desk, tmp_path: Path) -> None:
    desk.submit(spec(key="order-1"), spec(), spec())
    claim = desk.claim_one()
    desk.report(result(claim.attempt, '"printed"'))
    desk.claim_one()
    restored = opened(back_up(desk), tmp_path / "restored")
    assert restored.counts() == {"queued": 1, "running": 1, "succeeded": 1}
    assert restored.job("job-1").result == '"printed"'
    [again] = restored.turn(submissions=[spec(key="order-1")]).accepted
    assert (again.replayed, again.job and again.job.id) == (True, "job-1")
    assert len(restored.run(restored.store.live_attempts())) == 1
    assert restored.faults() == []
    restored.end()


def test_turns_go_on_while_it_copies_and_the_copy_is_of_one_instant(desk: Desk, tmp_path: Path) -> None:
    for _ in range(40):
        desk.submit(*[spec(data=LARGE)] * 10)  # 40 MB: the copy takes some pieces

    async def go_on() -> None:
        for _ in range(12):
            turn = desk.make_turn(submissions=[spec(data=LARGE)] * 10, demand=[Demand(1, ("echo",), 5)])
            assert all(accepted.job for accepted in (await desk.store.apply(turn)).accepted)

    restored = opened(back_up(desk, go_on), tmp_path / "restored")
    assert sum(restored.counts().values()) == 400
    assert restored.faults() == []
    restored.end()


def test_while_the_log_is_held_turns_go_into_it_alone_and_afterwards_it_is_moved_as_ever(desk: Desk) -> None:
    store: Any = desk.store
    desk.submit()
    desk.run(store._thread.run(store._mark.hold))
    file = Path(store.location)
    before = file.read_bytes()
    for _ in range(12):
        desk.submit(*[spec(data=LARGE)] * 10)
    assert 12 * 10 * len(LARGE) > LONG_FRAMES * 4_096, "a long log, or this test shows nothing"
    assert file.read_bytes() == before
    desk.run(store._thread.run(store._mark.release))
    desk.submit()
    assert file.stat().st_size > len(before) + 12 * 10 * len(LARGE)


def test_without_the_hold_a_copy_mixes_two_instants(desk: Desk, tmp_path: Path) -> None:
    """The negative control: what the hold is for."""
    for _ in range(40):
        desk.submit(*[spec(data=LARGE)] * 10)
    with Path(desk.store.location).open("rb") as file:
        first = file.read(1 << 20)
        for _ in range(12):
            desk.submit(*[spec(data=LARGE)] * 10)
        torn = first + file.read()
    (tmp_path / "torn.db").write_bytes(torn)
    said = run_child(tmp_path / "torn.db", tmp_path / "copy.db")
    assert said.stdout.splitlines()[-1].startswith("failed ")
    assert not (tmp_path / "copy.db").exists()


def run_child(source: Path, target: Path, answer: str = "go\n") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", child.__file__, str(source), str(target)]
    return subprocess.run(command, input=answer, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("answer", ["", "no\n"])
def test_a_copy_whose_server_has_died_is_thrown_away(desk: Desk, tmp_path: Path, answer: str) -> None:
    desk.submit()
    desk.close()
    ended = run_child(Path(desk.store.location), tmp_path / "copy.db", answer)
    assert (ended.returncode, list(tmp_path.iterdir())) == (1, [])
    assert ended.stdout.splitlines()[-2:] == ["whole", "failed the server has ended"]


def test_a_copy_of_a_damaged_file_is_not_kept(desk: Desk, tmp_path: Path) -> None:
    desk.submit(*[spec(data=LARGE)] * 5)
    desk.close()
    content = bytearray(Path(desk.store.location).read_bytes())
    content[8_192 : 8_192 + 4_096] = b"\xff" * 4_096
    (tmp_path / "damaged.db").write_bytes(content)
    ended = run_child(tmp_path / "damaged.db", tmp_path / "copy.db")
    assert ended.returncode == 1
    assert "failed" in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.db"]


def test_a_backup_that_is_cancelled_leaves_a_draft_that_the_next_one_removes(desk: Desk) -> None:
    desk.submit(*[spec(data=LARGE)] * 100)

    async def give_up() -> None:
        backup = await desk.store.begin_backup(desk.now_at)
        copying = asyncio.Event()
        made = asyncio.create_task(desk.store.back_up(backup, lambda count: copying.set()))
        await copying.wait()
        made.cancel()
        with pytest.raises(asyncio.CancelledError):
            await made

    desk.run(give_up())
    assert desk.run(desk.store.backups()) == []
    desk.pass_time(1)
    copy = back_up(desk)
    assert [path.name for path in shelf(desk).iterdir()] == [copy.name]


def test_the_newest_backups_are_kept_and_two_in_a_second_have_two_names(desk: Desk) -> None:
    desk.submit()
    names = []
    for pause_s in (0, 0, 60, 60, 60):
        desk.pass_time(pause_s)
        names.append(back_up(desk).name)
    assert names[0] == "pagehand-20270115-080000.db"
    assert names[1] == "pagehand-20270115-080000-2.db"
    kept = desk.run(desk.store.backups())
    assert [backup.name for backup in kept] == names[:1:-1]
    assert all(backup.bytes == backup.copied_bytes > 0 for backup in kept)


def test_files_of_others_in_the_directory_are_left_alone(desk: Desk) -> None:
    shelf(desk).mkdir()
    (shelf(desk) / "notes.txt").write_text("mine", "utf-8")
    (shelf(desk) / "old.db").write_bytes(b"mine")
    for _ in range(5):
        desk.pass_time(60)
        back_up(desk)
    assert {"notes.txt", "old.db"} < {path.name for path in shelf(desk).iterdir()}
    assert len(desk.run(desk.store.backups())) == 3


def test_a_directory_that_cannot_be_made_is_named(desk: Desk) -> None:
    shelf(desk).write_text("a file", "utf-8")
    with pytest.raises(BackupFailed, match=r"backups cannot be used: "):
        desk.run(desk.store.begin_backup(desk.now_at))


def test_without_room_for_a_backup_none_begins(desk: Desk) -> None:
    full = type(desk.store._shelf)(shelf(desk))  # type: ignore[attr-defined]
    with pytest.raises(StorageFull, match="there is no room for a backup in"):
        full.begin(desk.now_at, 1 << 60)


def test_a_store_in_memory_has_nothing_to_back_up(tmp_path: Path) -> None:
    memory = Desk(KINDS[0], tmp_path)
    with pytest.raises(WrongState, match="in memory"):
        memory.run(memory.store.begin_backup(memory.now_at))
    assert memory.run(memory.store.backups()) == []
    memory.end()
