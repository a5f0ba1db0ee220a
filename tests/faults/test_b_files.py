"""Faults of the store's files: changed under the server, damaged, left over, foreign (faults B8, B9, B11; S23)."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.process import Refused, ServerProcess
from tests.support.strace import injected, needs_strace

#: The time from the fault to the end of the process: the check of the files, S23, and what a loaded machine may add.
CHECK_S = 0.5
EXIT_S = CHECK_S + 2.0 + 3.0
JOBS = 30
PAGE = 4096


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


async def _with_jobs(server: ServerProcess, count: int = JOBS) -> list[str]:
    """Submits jobs; returns the acknowledged ones."""
    return [(await server.submit("x" * 3000, key=f"key-{number}"))["id"] for number in range(count)]


async def _made(tmp_path: Path, *, clean: bool) -> tuple[ServerProcess, list[str]]:
    """A store with jobs whose server has stopped, in good order or by kill -9."""
    server = ServerProcess(tmp_path)
    await server.start()
    jobs = await _with_jobs(server)
    if clean:
        assert await server.stop() == 0
    else:
        await server.kill()
    assert _wal(server.store).exists() is not clean
    return server, jobs


async def _has_exactly(server: ServerProcess, jobs: list[str]) -> None:
    listed = (await server.get("/api/v1/jobs?limit=100"))["items"]
    assert [job["id"] for job in reversed(listed)] == jobs
    for job in jobs[-3:]:
        assert (await server.job(job))["data"] == "x" * 3000


async def _refuses(server: ServerProcess, words: str) -> None:
    """It does not start, says why in one line, and leaves every file as it was."""
    directory = server.store.parent
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith("jobs.db")}
    with pytest.raises(Refused, match=words) as refused:
        await server.start()
    assert refused.value.status == 3
    assert len(refused.value.said.splitlines()) == 1
    after = {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith("jobs.db")}
    assert after == before


# B8: under the running server


def _delete(store: Path) -> None:
    store.unlink()


def _replace(store: Path) -> None:
    """Somebody puts a backup in place, as editors and rsync do: a new file under the old name."""
    copy = store.with_name("copy")
    shutil.copy(store.with_name("backup.db"), copy)
    copy.rename(store)


def _cut(store: Path) -> None:
    """More than its end: that may stand in the log, too, and then nothing is lost."""
    with store.open("r+b") as file:
        file.truncate(store.stat().st_size // PAGE // 2 * PAGE)


def _empty(store: Path) -> None:
    with store.open("r+b") as file:
        file.truncate(0)


def _delete_wal(store: Path) -> None:
    _wal(store).unlink()


def _cut_wal(store: Path) -> None:
    with _wal(store).open("r+b") as file:
        file.truncate(_wal(store).stat().st_size // 2)


FAULTS = {
    "deleted": (_delete, "jobs.db was deleted"),
    "replaced": (_replace, "jobs.db was replaced"),
    "cut": (_cut, "jobs.db was cut off"),
    "emptied": (_empty, "jobs.db was cut off"),
    "WAL deleted": (_delete_wal, "jobs.db-wal was deleted"),
    "WAL cut": (_cut_wal, "jobs.db-wal was cut off"),
}


async def _ends(server: ServerProcess, words: str) -> None:
    began = asyncio.get_running_loop().time()
    assert await server.ended() == 1
    assert asyncio.get_running_loop().time() - began < EXIT_S
    log = server.log.read_text()
    assert words in log
    assert "the server ends, start it again" in log


async def _after(server: ServerProcess, fault: str, jobs: list[str]) -> None:
    """The next start never makes an empty store."""
    if fault == "deleted":
        await _refuses(server, r"jobs\.db is missing, but .*-wal beside it holds jobs: put the file back")
    elif fault == "replaced":
        await server.start()
        await _has_exactly(server, jobs[:JOBS])
        assert _wal(server.store).with_name("jobs.db-wal.of-the-replaced").exists()
    elif fault == "cut":
        await _refuses(server, r"is damaged .*restore a backup")
    elif fault == "emptied":
        await _refuses(server, r"is empty, so it was cut off: restore a backup")
    elif fault == "WAL deleted":
        await _refuses(server, r"jobs\.db-wal with its newest changes is gone: put the -wal back")
    else:
        await server.start()
        listed = [job["id"] for job in reversed((await server.get("/api/v1/jobs?limit=100"))["items"])]
        assert listed == jobs[: len(listed)]
        assert len(listed) >= JOBS


async def _started(tmp_path: Path, check_s: float) -> tuple[ServerProcess, list[str]]:
    """A server whose store has a backup of 30 jobs beside it, and one job more."""
    server, jobs = await _made(tmp_path, clean=True)
    shutil.copy(server.store, tmp_path / "backup.db")
    server.flags = ("--store-check-s", str(check_s))
    await server.start()
    jobs.append((await server.submit("newest"))["id"])
    return server, jobs


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_B08_a_file_that_changes_under_an_idle_server_ends_it_within_seconds(tmp_path: Path, fault: str) -> None:
    async def scenario() -> None:
        inject, words = FAULTS[fault]
        server, jobs = await _started(tmp_path, CHECK_S)
        inject(server.store)
        await _ends(server, words)
        await _after(server, fault, jobs)
        if server.up.is_set():
            await server.kill()
        server.assert_clean_log()

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", ["deleted", "replaced", "WAL deleted"])
def test_fault_B08_nothing_is_acknowledged_into_a_file_that_is_not_there(tmp_path: Path, fault: str) -> None:
    async def scenario() -> None:
        inject, words = FAULTS[fault]
        server, _ = await _started(tmp_path, 60)
        inject(server.store)
        answer = await server.request("POST", "/api/v1/jobs", {"type": "echo"}, key="lost")
        assert (answer.status, answer.json()["code"]) == (503, "storage_trouble")
        assert "retry-after" in answer.headers
        await _ends(server, words)
        server.assert_clean_log()

    asyncio.run(scenario())


def test_fault_B08_a_stop_in_good_order_does_not_tidy_up_after_a_deleted_file(tmp_path: Path) -> None:
    """Closing the store would remove the -wal, and the next start would make an empty store."""

    async def scenario() -> None:
        server, jobs = await _started(tmp_path, 60)
        _delete(server.store)
        assert await server.stop() == 1
        assert "jobs.db was deleted" in server.log.read_text()
        await _after(server, "deleted", jobs)
        server.assert_clean_log()

    asyncio.run(scenario())


# B9: damaged while no server ran


def _flip(path: Path, offset: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


def test_fault_B09_a_bit_flipped_in_any_page_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=True)
        sound = server.store.read_bytes()
        # In the kind of a page of a tree, the first byte of most pages; and of the first page, after the file's header.
        trees = [at for at in range(0, len(sound), PAGE) if sound[at] in (2, 5, 10, 13)]
        for at in [100, trees[1], trees[len(trees) // 2], trees[-1]]:
            _flip(server.store, at, 4)
            await _refuses(server, r"is damaged .*: restore a backup; nothing was changed")
            server.store.write_bytes(sound)
        await server.start()
        await _has_exactly(server, jobs)
        await server.kill()

    asyncio.run(scenario())


def _frames(wal: bytes) -> list[bool]:
    """For each whole frame of a log: whether it ends a transaction."""
    frames = range(32, len(wal) - PAGE - 23, PAGE + 24)
    return [wal[at + 4 : at + 8] != bytes(4) for at in frames if wal[at + 8 : at + 16] == wal[16:24]]


@pytest.mark.parametrize("where", ["first", "middle", "header"])
def test_fault_B09_a_bit_flipped_in_the_wal_before_what_was_acknowledged_is_refused(tmp_path: Path, where: str) -> None:
    """SQLite takes a damaged frame for the end of its log: what was acknowledged after it would be gone in silence."""

    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=False)
        wal = _wal(server.store)
        sound = wal.read_bytes()
        count = len(_frames(sound))
        assert count > JOBS
        at = {"header": 20, "first": 32 + 24 + 50, "middle": 32 + (count // 2) * (PAGE + 24) + 24 + 50}[where]
        _flip(wal, at)
        await _refuses(server, r"jobs\.db-wal is damaged .*acknowledged .*restore a backup; nothing was changed")
        wal.write_bytes(sound)
        await server.start()
        await _has_exactly(server, jobs)
        await server.kill()

    asyncio.run(scenario())


def test_fault_B09_damage_to_the_end_of_the_wal_loses_only_what_was_not_acknowledged(tmp_path: Path) -> None:
    """The process is killed before the sync of its last turn: that one's frames are written, and nobody was told."""
    needs_strace()

    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=True)
        await server.start()
        jobs.append((await server.submit("x" * 3000))["id"])
        async with injected(server.process.pid, "fdatasync", "signal=KILL:when=1"):
            with pytest.raises((OSError, EOFError)):
                await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": "x" * 3000}, key="unknown")
            assert await server.ended() == -signal.SIGKILL
        wal = _wal(server.store)
        whole = wal.read_bytes()
        ends = [number for number, end in enumerate(_frames(whole)) if end]
        acknowledged = 32 + (ends[-2] + 1) * (PAGE + 24)
        assert len(ends) >= 2
        kept = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("jobs.db")}
        damages: list[Callable[[], object]] = [
            lambda: _flip(wal, acknowledged + 30),
            lambda: _flip(wal, len(whole) - 1),
            lambda: wal.write_bytes(whole[:-1]),
            lambda: wal.write_bytes(whole[: acknowledged + 5000]),
            lambda: wal.write_bytes(whole[:acknowledged]),
        ]
        for damage in damages:
            for name, content in kept.items():
                (tmp_path / name).write_bytes(content)
            damage()
            await server.start()
            await _has_exactly(server, jobs)
            await server.kill()
        server.assert_clean_log()

    asyncio.run(scenario())


# B11: left over, missing, foreign


def test_fault_B11_a_wal_that_a_crash_left_is_played_into_the_store(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=False)
        assert len(_frames(_wal(server.store).read_bytes())) > JOBS
        await server.start()
        await _has_exactly(server, jobs)
        assert await server.stop() == 0
        assert sorted(path.name for path in tmp_path.glob("jobs.db*")) == ["jobs.db", "jobs.db.ballast"]

    asyncio.run(scenario())


def test_fault_B11_without_its_wal_a_store_is_refused_until_somebody_accepts_the_loss(tmp_path: Path) -> None:
    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=True)
        await server.start()
        await server.submit("only in the log")
        await server.kill()
        _wal(server.store).unlink()
        await _refuses(server, r"jobs\.db-wal with its newest changes is gone: put the -wal back")
        server.store.with_name("jobs.db.go-on").touch()
        await server.start()
        assert not server.store.with_name("jobs.db.go-on").exists()
        await _has_exactly(server, jobs)
        await server.submit("it goes on")
        assert await server.stop() == 0
        database = sqlite3.connect(server.store)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (JOBS + 1,)
        database.close()

    asyncio.run(scenario())


def test_fault_B11_a_wal_that_another_program_has_moved_in_after_a_kill_is_not_missed(tmp_path: Path) -> None:
    """Somebody looks into the store with the sqlite3 shell before the server is started again."""

    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=False)
        database = sqlite3.connect(server.store)
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (JOBS,)
        database.close()
        assert not _wal(server.store).exists()
        await server.start()
        await _has_exactly(server, jobs)
        assert await server.stop() == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("content", [b"", b"\xff" * 32_768, None], ids=["empty", "garbage", "of another store"])
def test_fault_B11_a_foreign_shm_is_not_heeded(tmp_path: Path, content: bytes | None) -> None:
    async def scenario() -> None:
        server, jobs = await _made(tmp_path, clean=False)
        shm = server.store.with_name("jobs.db-shm")
        shm.write_bytes(_shm_of_another(tmp_path) if content is None else content)
        await server.start()
        await _has_exactly(server, jobs)
        await server.restart()
        await _has_exactly(server, jobs)
        assert await server.stop() == 0

    asyncio.run(scenario())


def _shm_of_another(tmp_path: Path) -> bytes:
    """The index of a log, as a database leaves it that is used by several processes."""
    other = tmp_path / "other.db"
    database = sqlite3.connect(other)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE theirs (x)")
    database.commit()
    content = other.with_name("other.db-shm").read_bytes()
    database.close()
    assert len(content) == 32_768
    return content
