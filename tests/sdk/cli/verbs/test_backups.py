"""``backup`` and ``restore-check``: a backup of a running server, and whether it could be restored."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dispatcher.sdk.cli.verbs import storecheck
from dispatcher.store.sqlite import file as store_file
from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted
from tests.support.server import live

RUNS = {"name": "b.db", "state": "running", "bytes": 4096, "copied_bytes": 1024, "detail": None}
DONE = RUNS | {"state": "done", "copied_bytes": 4096}


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with three jobs."""
    directory = tmp_path_factory.mktemp("store")
    with live(directory) as server:
        for number in range(3):
            server.submit("kept", "x" * 5_000 + str(number))
        said = typed("backup", "--url", server.url)
        listed = typed("backup", "--list", "--url", server.url)
        table = typed("backup", "--list", "--url", server.url, terminal=True)
    assert (said.status, said.err, listed.out) == (0, "", said.out)
    assert table.out.splitlines()[1].split()[:2] == [said.out.strip(), "\x1b[32mdone\x1b[0m"]
    return directory / "backups" / said.out.strip()


def test_a_backup_shows_how_far_it_is_and_prints_its_name() -> None:
    slept: list[float] = []
    with scripted(reply(202, RUNS), reply(200, RUNS | {"copied_bytes": 2048}), reply(200, DONE)) as server:
        said = typed("backup", "-o", "json", "--url", server.url, sleep=slept.append)
    assert (said.status, json.loads(said.out)["state"], slept) == (0, "done", [0.5, 0.5])


def test_a_backup_that_fails_is_said() -> None:
    failed = RUNS | {"state": "failed", "detail": "no room"}
    with scripted(reply(202, RUNS), reply(200, failed)) as server:
        said = typed("backup", "--url", server.url, sleep=lambda _: None)
    assert (said.status, said.err) == (1, "pagehand: the backup b.db failed: no room\n")
    with scripted(reply(202, RUNS)) as server:
        assert typed("backup", "--no-wait", "--url", server.url)[:2] == (0, "b.db\n")


def test_a_good_backup_is_fit_and_is_not_touched(backup: Path) -> None:
    before = times_of(backup)
    said = typed("restore-check", str(backup), "-o", "json")
    found = json.loads(said.out)
    assert (said.status, found["jobs"], found["newest"]["type"], found["problems"]) == (0, {"queued": 3}, "kept", [])
    assert typed("restore-check", str(backup)).out.endswith("verdict      fit to be restored\n")
    assert before == times_of(backup)


def test_the_store_of_a_server_that_has_stopped_is_fit_too_and_is_not_touched(backup: Path) -> None:
    store = backup.parent.parent / "pagehand.db"
    before = times_of(store)
    assert typed("restore-check", str(store)).status == 0
    assert before == times_of(store)


def test_a_store_without_jobs_is_fit_too(tmp_path: Path) -> None:
    with live(tmp_path):
        pass
    said = typed("restore-check", str(tmp_path / "pagehand.db"))
    assert (said.status, "newest" in said.out) == (0, False)
    assert typed("restore-check", str(tmp_path / "pagehand.db"), "-o", "id").out == f"{tmp_path / 'pagehand.db'}\n"


def times_of(path: Path) -> list[int]:
    """When the file and its directory were changed last: SQLite's own files would come and go beside it."""
    return [path.stat().st_mtime_ns, path.parent.stat().st_mtime_ns]


def test_what_is_no_good_backup_is_said(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE a (b)")
    assert "not a store of Pagehand" in refused(other)
    damaged = tmp_path / "damaged.db"
    whole = bytearray(backup.read_bytes())
    for at in range(4096 * 2, len(whole), 4096):
        whole[at : at + 64] = bytes(64)
    damaged.write_bytes(whole)
    assert "damaged" in refused(damaged) or "SQLite cannot read it" in refused(damaged)
    (tmp_path / "text.db").write_text("no database, but long enough to look like one" * 99)
    assert "SQLite cannot read it" in refused(tmp_path / "text.db")
    (tmp_path / "empty.db").touch()
    assert "not a store of Pagehand" in refused(tmp_path / "empty.db")
    missing = typed("restore-check", str(tmp_path / "missing.db"))
    assert (missing.status, "No such file" in missing.err) == (2, True)


def test_a_backup_of_a_newer_server_and_a_log_beside_it_are_said(backup: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    newer.write_bytes(backup.read_bytes())
    with closing(sqlite3.connect(newer)) as database:
        database.execute("PRAGMA user_version = 9000")
    assert "a newer Pagehand wrote it (schema 9000" in refused(newer)
    newer.write_bytes(backup.read_bytes())
    newer.with_name("newer.db-wal").write_bytes(b"frames")
    assert "what stands in newer.db-wal is not in it" in refused(newer)


def refused(path: Path) -> str:
    said = typed("restore-check", str(path))
    assert (said.status, "not fit to be restored" in said.out) == (1, True)
    return said.err


def test_it_knows_a_store_as_the_server_does() -> None:
    assert storecheck._APPLICATION_ID == store_file.APPLICATION_ID
    files = Path(store_file.__file__).parent.glob("sql/*.sql")
    assert storecheck._newest_schema() == max(int(file.name[:4]) for file in files)
