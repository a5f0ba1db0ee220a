"""``pagehand migrate``: a store is brought to this version's schema without a start, or it is said why not."""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from dispatcher.store.sqlite.file import migrations
from tests.docs.blocks import only
from tests.sdk.cli.typed import spawned
from tests.store.sqlite.test_migrations import VERSIONS, made
from tests.support.server import live

NEWEST = len(migrations())


def schema(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def test_an_old_store_is_migrated_and_a_copy_of_it_is_kept(tmp_path: Path) -> None:
    oldest = VERSIONS[0]
    path = made(oldest, tmp_path)
    url = f"sqlite:///{path}"
    said = spawned("migrate", "--store", url)
    assert (said.status, said.out) == (0, f"{url}: schema {NEWEST}, was {oldest}\n")
    assert f"jobs.db.schema-{oldest}.backup" in said.err
    assert (schema(path), schema(tmp_path / f"jobs.db.schema-{oldest}.backup")) == (NEWEST, oldest)
    again = spawned("migrate", PAGEHAND_STORE=url)
    assert (again.status, again.out) == (0, f"{url}: schema {NEWEST}, as before\n")
    with live(tmp_path, "--store", url) as server:
        assert sum(server.ask("GET", "/api/v1/stats").json()["jobs"].values()) > 0


def test_the_command_of_the_documentation_migrates_a_store(tmp_path: Path) -> None:
    command, line = only("docs/operations.md", "console", "pagehand migrate").splitlines()
    made(VERSIONS[0], tmp_path).rename(tmp_path / "pagehand.db")
    flags = shlex.split(command.removeprefix("$ pagehand "))
    said = spawned(*[flag.replace("///", f"///{tmp_path}/") for flag in flags])
    pattern = re.escape(line).replace("///", f"///{tmp_path}/").replace("…", r"\d+")
    assert re.fullmatch(pattern + "\n", said.out), said


def test_a_store_that_a_server_has_or_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    with live(tmp_path):
        said = spawned("migrate", "--store", f"sqlite:///{tmp_path / 'pagehand.db'}")
    assert (said.status, said.out) == (3, "")
    assert "in use" in said.err
    missing = tmp_path / "other.db"
    said = spawned("migrate", "--store", f"sqlite:///{missing}")
    assert (said.status, missing.exists()) == (3, False)
    assert "there is no store to migrate" in said.err
    assert "nothing to migrate" in spawned("migrate", "--store", "memory:").err


def test_a_newer_store_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    assert spawned("migrate", "--store", f"sqlite:///{made(VERSIONS[-1], tmp_path)}").status == 0
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()
    said = spawned("migrate", "--store", f"sqlite:///{path}")
    assert (said.status, path.read_bytes()) == (3, before)
    assert "newer" in said.err
