"""Faults of the start: another schema (A16), settings that cannot be used (A17), a fault at each start (A18)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import server
from dispatcher.sdk.simulate import Faults
from dispatcher.store.sqlite import file as sqlite_file
from dispatcher.store.sqlite.file import migrations
from tests.campaigns.steps import MIGRATION, state
from tests.faults.a_support import LONG, planted_server
from tests.faults.planted import PLANTED, SECRET, START
from tests.support.missing import missing
from tests.support.places import ROOT, environment
from tests.support.ports import free_port
from tests.support.process import Refused, ServerProcess, farm_for, quick, serving
from tests.support.server import command
from tests.support.strace import needs_strace
from tests.support.waiting import PATIENCE_S

NOW = len(migrations())
BACKUP = f"jobs.db.schema-{NOW}.backup"


def _tomorrow(directory: Path, text: str = MIGRATION) -> str:
    """A directory of migrations that is one ahead of the program's."""
    copy = directory / "migrations"
    shutil.copytree(vars(sqlite_file)["_SQL"], copy)
    (copy / f"{NOW + 1:04}_tomorrow.sql").write_text(text, encoding="utf-8")
    return str(copy)


def _content(path: Path) -> tuple[int, list[tuple[str, str]]]:
    """The schema's version, and (id, state) of every job; of a store that nobody has open."""
    database = sqlite3.connect(path)
    (version,) = database.execute("PRAGMA user_version").fetchone()
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    jobs = database.execute("SELECT id, state FROM jobs ORDER BY seq").fetchall()
    database.close()
    return version, jobs


async def _three_jobs(server: ServerProcess) -> list[tuple[str, str]]:
    """One done, one running, one that waits; and the server is killed."""
    farm = farm_for(server, workers=2)
    await farm.start()
    done = await server.submit("done")
    assert (await server.job(done["id"], wait_s=10))["state"] == "succeeded"
    await farm.stop()
    hanging = farm_for(server, faults=Faults(never_answer=1.0))
    await hanging.start()
    running = await server.submit("running")
    await hanging.until(lambda: hanging.stats["accepted"] == 1, timeout_s=PATIENCE_S)
    await hanging.stop(bye=False)
    waits = await server.submit("waits", key="waits")
    await server.kill()
    return [(done["id"], "succeeded"), (running["id"], "running"), (waits["id"], "queued")]


# A16


def test_fault_A16_an_older_store_is_backed_up_and_upgraded_and_the_backup_is_the_way_back(tmp_path: Path) -> None:
    newer = _tomorrow(tmp_path)

    async def scenario() -> None:
        async with planted_server(tmp_path, restart_grace_s=60, reconnect_grace_s=60) as server:
            jobs = await _three_jobs(server)
            await server.start("migrations", newer)
            await server.logged(f"a backup is made: {tmp_path / BACKUP}")
            assert stat.S_IMODE((tmp_path / BACKUP).stat().st_mode) == 0o600
            assert (await server.submit("waits", key="waits"))["id"] == jobs[2][0]
            await server.submit("after the upgrade")
            assert await server.stop() == 0
            assert _content(server.store) == (NOW + 1, [*jobs, (_content(server.store)[1][3][0], "queued")])
            assert _content(tmp_path / BACKUP) == (NOW, jobs)
            # The older program refuses the newer store and leaves it as it is ...
            before = server.store.read_bytes()
            with pytest.raises(Refused) as refused:
                await server.start()
            assert refused.value.status == 3
            assert re.search(rf"newer Pagehand \(schema {NOW + 1}, this one knows {NOW}\)", refused.value.said)
            assert server.store.read_bytes() == before
            # ... and serves the backup.
            shutil.copy(tmp_path / BACKUP, server.store)
            await server.start()
            assert (await server.job(jobs[0][0]))["result"] == "done"
            assert (await server.job(jobs[1][0]))["state"] == "running"
            assert await server.stop() == 0

    asyncio.run(scenario())


def test_fault_A16_a_crash_in_the_middle_of_a_migration_leaves_the_old_schema_or_the_new_one(tmp_path: Path) -> None:
    """Killed at a write of the backup, one of the migration, one near its commit; ``tests/campaigns/syscalls.py`` does
    so at all system calls, below the server."""
    needs_strace()
    (tmp_path / "made").mkdir()
    newer = _tomorrow(tmp_path, MIGRATION + "".join(f"CREATE TABLE t{n} (x TEXT) STRICT;\n" for n in range(30)))

    async def make() -> list[tuple[str, str]]:
        async with serving(tmp_path / "made", *quick(reconnect_grace_s=60)) as server:
            return await _three_jobs(server)

    jobs = asyncio.run(make())
    seen = set()
    for number in range(1, 89) if LONG else (10, 40, 76):
        copy = tmp_path / str(number)
        shutil.copytree(tmp_path / "made", copy)
        seen.add(_killed_at_write(copy / "jobs.db", newer, number))
        version, found = _content(copy / "jobs.db")
        assert found[0::2] == jobs[0::2], number
        assert version in (NOW, NOW + 1), number
        for backup in copy.glob("*.backup"):
            assert _content(backup) == (NOW, jobs), "one that has its name is whole"
        assert (copy / BACKUP).exists() or version == NOW, "no migration without a backup"
        asyncio.run(_goes_on(copy, newer, jobs))
    assert seen == {-9}, "each was killed while it upgraded"


def _killed_at_write(store: Path, newer: str, number: int) -> int:
    """The exit status of a start that is killed at its N-th write."""
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=pwrite64"]
    strace += ["-e", f"inject=pwrite64:signal=KILL:when={number}"]
    program = command(store, program=[PLANTED, "migrations", newer, "--"], port=free_port())
    # No launcher of ``support`` has strace kill what it starts, and then waits for the end of both.
    process = subprocess.Popen(
        [*strace, *program], cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # without strace, what it traces would go on
        process.wait()
    assert b"reachable from" not in said, f"write {number} came after the start"
    return process.returncode


async def _goes_on(directory: Path, newer: str, jobs: list[tuple[str, str]]) -> None:
    server = ServerProcess(directory, *quick(restart_grace_s=60, reconnect_grace_s=60), faulty=PLANTED)
    await server.start("migrations", newer)
    assert [(await server.job(job))["state"] for job, _ in jobs] == [state for _, state in jobs]
    assert await server.stop() == 0
    assert sorted(path.name for path in directory.iterdir()) == ["jobs.db", "jobs.db.ballast", BACKUP, "server.log"]


def test_fault_A16_a_store_without_room_for_its_backup_is_refused_and_keeps_its_schema(tmp_path: Path) -> None:
    place, newer = tmp_path / "small", _tomorrow(tmp_path)
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        missing(f"needs to mount file systems, as root: {mounted.stderr.decode()}")

    async def scenario() -> None:
        async with planted_server(tmp_path, flags=("--low-disk", "0"), store=place / "jobs.db") as server:
            await server.submit("x")
            assert await server.stop() == 0
            before = _content(server.store)
            with pytest.raises(Refused) as refused:
                await server.start("migrations", newer)
            assert refused.value.status == 3
            assert "there is no room for a backup of it" in refused.value.said.splitlines()[-1]
            assert _content(server.store) == before
            await server.start()
            assert await server.stop() == 0

    try:
        asyncio.run(scenario())
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_fault_A16_a_store_older_than_the_first_release_is_refused_in_words_and_stays_as_it_is(tmp_path: Path) -> None:
    """Its schema was edited in place: the version is known, and the columns are others."""

    async def scenario() -> None:
        async with serving(tmp_path) as server:
            await server.submit("x")
            assert await server.stop() == 0
            with contextlib.closing(sqlite3.connect(server.store)) as database:
                database.execute("PRAGMA legacy_alter_table = ON")
                database.execute("ALTER TABLE jobs RENAME COLUMN terms TO told")
                database.execute("PRAGMA user_version = 1")
            files = _fingerprint(tmp_path)
            with pytest.raises(Refused) as refused:
                await server.start()
            assert refused.value.status == 3
            (line,) = refused.value.said.splitlines()
            assert line.startswith(f"pagehand: {server.store} was not made by a released Pagehand")
            assert "start the version that made it, or name another file; nothing was changed" in line
            assert _fingerprint(tmp_path) == files

    asyncio.run(scenario())


# A17


@pytest.mark.parametrize(
    ("flags", "config", "reason"),
    [
        (["--no-such-thing"], "", "unknown flag --no-such-thing"),
        ([], "no_such_thing = 1", "unknown setting no_such_thing"),
        ([], "[server]\nport = 1", "not in tables"),
        ([], "port = ", "is not valid TOML"),
        (["--drain-s", "-1"], "", "--drain-s must be between"),
        (["--offer-ttl-s", "-0.5"], "", "--offer-ttl-s must be between"),
        ([], "job_timeout_s = -60", "--job-timeout-s must be between"),
        (["--max-attempts", "0"], "", "--max-attempts must be a whole number between"),
        (["--ping-timeout-s", "nan"], "", "--ping-timeout-s must be between"),
        (["--allow-origin", ""], "", "--allow-origin must be an origin"),
        ([], 'allow_origin = [""]', "--allow-origin must be an origin"),
        (["--allow-origin", "*"], "", "--allow-origin must be an origin"),
        (["--backoff-max-s", "1", "--backoff-base-s", "2"], "", "--backoff-max-s must be at least --backoff-base-s"),
        (["--body-limit", "2097152", "--poll-limit", "1048576"], "", "--poll-limit must have room for one job"),
        (["--bind", "0.0.0.0"], "", "lets other machines in"),
        (["--store", "mysql://x"], "", "--store takes "),
        (["--tasks", "/nowhere"], "", "--tasks must be a directory"),
        (["--token-file", "/nowhere"], "", "cannot read the token file"),
        (["--config", "/nowhere"], "", "cannot read /nowhere"),
    ],
)  # fmt: skip
def test_fault_A17_settings_that_cannot_be_used_end_it_with_status_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], config: str, reason: str
) -> None:
    argv, environ = _arguments(tmp_path, flags, config)
    with pytest.raises(SystemExit) as ended:
        server.main(argv, environ)
    assert ended.value.code == 2
    _one_line(*capsys.readouterr(), reason)
    assert [path.name for path in tmp_path.iterdir()] == ["pagehand.toml"], "no store was made"


def test_fault_A17_the_process_ends_so_too_and_touches_no_store(tmp_path: Path) -> None:
    argv, environ = _arguments(tmp_path, [], "drain_s = -1")
    done = subprocess.run(
        [sys.executable, str(ROOT / "server.py"), *argv], cwd=tmp_path, env=environ, capture_output=True, text=True,
        check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 2
    _one_line(done.stdout, done.stderr, "--drain-s must be between")
    assert [path.name for path in tmp_path.iterdir()] == ["pagehand.toml"]


def _arguments(tmp_path: Path, flags: list[str], config: str) -> tuple[list[str], dict[str, str]]:
    (tmp_path / "pagehand.toml").write_text(config)
    with_config = [] if "--config" in flags else ["--config", str(tmp_path / "pagehand.toml")]
    store = [] if "--store" in flags else ["--store", f"sqlite:///{tmp_path / 'jobs.db'}"]
    return ["--port", "0", *with_config, *store, *flags], {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def _one_line(stdout: str, stderr: str, reason: str) -> None:
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("pagehand: ")
    assert reason in line


# A18


def _fingerprint(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.glob("jobs.db*")}


def _rows(directory: Path) -> dict[str, object]:
    """All but the audit log and its last number: a start is noted there."""
    rows: dict[str, object] = json.loads(str(state(directory)))
    return {table: content for table, content in rows.items() if table not in ("acts", "sqlite_sequence")}


def test_fault_A18_a_fault_at_each_start_touches_no_job_and_says_what_to_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            for number, place in enumerate(START):
                (tmp_path / str(number)).mkdir()
                group.create_task(_never_starts(tmp_path / str(number), place))

    asyncio.run(scenario())


async def _never_starts(directory: Path, place: str) -> None:
    async with planted_server(directory, restart_grace_s=60, reconnect_grace_s=60) as server:
        jobs = await _three_jobs(server)
        files, rows = _fingerprint(directory), _rows(directory)
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await server.start("start", place)
            assert refused.value.status == 5
            last = refused.value.said.splitlines()[-1]
            assert last.startswith(f"pagehand: ended by a fault of its own (_Planted: {SECRET})")
            assert "the jobs are safe in the store" in last
            assert "go back to the version that worked" in last
            assert _rows(directory) == rows, f"{place}: a row is another one"
        if place in ("before it listens", "before the store is opened"):
            assert _fingerprint(directory) == files
        await server.start()
        assert [(await server.job(job))["state"] for job, _ in jobs] == [each for _, each in jobs]
        assert (await server.job(jobs[1][0]))["crashes"] == 0
        assert await server.stop() == 0
