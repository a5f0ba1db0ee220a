"""A store moves from its file into a database: all that can be read of it is the same, and it goes on from there."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.model import JobFilter, JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import ALL_TYPES, steps_of
from dispatcher.errors import StoreRefused
from dispatcher.store.applier.hand import Ids
from dispatcher.store.move.command import main
from dispatcher.store.move.moving import move_store
from dispatcher.store.move.tables import LEFT, TABLES
from dispatcher.store.port import Store
from dispatcher.store.postgres.schema import migrations
from dispatcher.store.postgres.store import PostgresStore
from dispatcher.store.sqlite.store import SqliteStore
from tests.docs.blocks import only
from tests.sdk.cli.typed import spawned
from tests.support.postgres import new_database
from tests.support.server import Live, gone_at_the_end, live, running
from tests.support.waiting import until

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef-first"
ADMIN = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
PAGES = (
    "-m",
    "dispatcher.sdk",
    "simulate",
    "--workers=3",
    "--slots=8",
    "--fail=0.4",
    "--never-answer=0.2",
    "--token",
    TOKEN,
)


def ask(server: Live, method: str, path: str, body: Any = None) -> Any:
    answer = server.ask(method, f"/api/v1/{path}", None if body is None else msgspec.json.encode(body), ADMIN)
    assert answer.status < 300, (path, answer.status, answer.body)
    return answer.json() if answer.body else None


def lived(directory: Path) -> Path:
    """The file of a server that has had jobs of all kinds, and people; some jobs run when it is killed."""
    flags = ("--token", TOKEN, "--callback-host=127.0.0.1:9", "--callback-secret", "whsec_" + "ab" * 22)
    with gone_at_the_end(Live(directory, *flags)) as server:
        ask(server, "POST", "tokens", {"name": "scanner", "scopes": ["submit", "worker"], "labels": {"site": "berlin"}})
        ask(server, "POST", "tokens", {"name": "join", "scopes": ["worker"], "join": {"uses": 3}})
        ask(server, "POST", "webhooks", {"url": "https://receiver.example/hook", "events": ["job.failed"]})
        ask(server, "PATCH", "types/echo", {"defaults": {"priority": 3}})
        ask(server, "POST", "types/fax/pause", {"reason": "no paper"})
        ask(server, "POST", "jobs/batch", [{"type": "echo", "data": n, "tags": ["night", str(n)]} for n in range(20)])
        ask(server, "POST", "jobs", {"type": "fax", "data": "\0", "summary": "order 4711", "requires": {"site": "b"}})
        ask(server, "POST", "jobs", {"type": "echo", "delay_s": 3600, "expires_s": 7200, "max_attempts": 9})
        with running(*PAGES, "--types=echo", "--seed=3", "--url", server.url):
            until(lambda: counts(server)["succeeded"] >= 5 and counts(server)["running"] >= 1, 30)
            worker = ask(server, "GET", "workers")["items"][0]["id"]
            ask(server, "PATCH", f"workers/{worker}", {"note": "by the\twindow", "labels": {"printer": "zebra"}})
            server.process.kill()
            server.process.communicate()
    return directory / "pagehand.db"


def counts(server: Live) -> dict[str, int]:
    found: dict[str, int] = ask(server, "GET", "stats")["jobs"]
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a file; tests use copies of it."""
    return lived(tmp_path_factory.mktemp("lived"))


@pytest.fixture
def path(kept: Path, tmp_path: Path) -> Path:
    for file in kept.parent.glob("pagehand.db*"):
        shutil.copy2(file, tmp_path / file.name)
    return tmp_path / "pagehand.db"


#: Later than all that has happened there.
NOW_AT = 4e9
FILTERS: list[dict[str, Any]] = [
    {"states": (JobState.FAILED,)}, {"tags": ("night",)}, {"requires": (("site", "b"),)}, {"search": "order"},
    {"type": "echo", "states": (JobState.SUCCEEDED,)}, {"error": "failed"},
]  # fmt: skip


async def whole(store: Store) -> Any:
    """All that can be read of a store, but for what a start changes."""
    page = await store.jobs(JobFilter(limit=100))
    assert page.next_cursor is None
    acts = await store.acts(AuditFilter(limit=100))
    [batch] = {job.batch for job in page.items} - {None}
    endpoints = await store.hooks.endpoints()
    return msgspec.to_builtins({
        "jobs": [_without_nodes(await store.job(job.id)) for job in page.items],
        "lists": [await store.jobs(JobFilter(**wanted)) for wanted in FILTERS],
        "batch": [await store.batches.view(str(batch)), await store.batches.items(str(batch), 0)],
        "counts": await store.counts(),
        "types": [(view.type, view.offered_at, _some(view.counts)) for view in await store.types()],
        "ready": sorted(await store.ready(), key=lambda lane: lane.lane),
        "live": sorted(await store.live_attempts(), key=lambda attempt: attempt.attempt),
        "tokens": sorted(await store.tokens(), key=lambda token: token.id),
        "acts": acts.items,
        "kept": [await store.kept.workers(), await store.kept.types(), await store.kept.credentials()],
        "hooks": [endpoints, await store.hooks.counts(), await store.hooks.deliveries(endpoints[0].id)],
        "ended": [await store.endings.window(name, steps_of(30 * 86_400, NOW_AT)) for name in (ALL_TYPES, "echo")],
        "key": store.key,
    })  # fmt: skip


def _without_nodes(job: JobView | None) -> JobView | None:
    """A file names no node."""
    assert job is not None
    return replace(job, attempts=[replace(attempt, node="") for attempt in job.attempts or []])


def _some(counted: dict[str, int]) -> dict[str, int]:
    return {state: jobs for state, jobs in counted.items() if jobs}


async def read_file(path: Path) -> Any:
    store = await SqliteStore.open(path, ids())
    try:
        return await whole(store)
    finally:
        await store.close()


async def read_database(url: str) -> Any:
    store = await PostgresStore.open(url, ids())
    try:
        return await whole(store)
    finally:
        await store.close()


def ids() -> Ids:
    return Ids(lambda: "unused", lambda: "f" * 32)


def test_all_that_can_be_read_is_the_same_afterwards(path: Path) -> None:
    url, told = new_database(), []
    assert move_store(path, url, lambda table, rows: told.append((table, rows))) == 22
    before, after = asyncio.run(read_file(path)), asyncio.run(read_database(url))
    assert [name for name in before if before[name] != after[name]] == []
    assert before["live"], "some jobs run"
    assert dict(told)["jobs"] == 22


def test_a_second_move_brings_what_the_file_has_then(path: Path) -> None:
    url = new_database()
    move_store(path, url)
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE jobs SET note = 'later' WHERE type = 'fax'")
        file.commit()
    assert move_store(path, url) == 22
    after = asyncio.run(read_database(url))
    assert [job["note"] for job in after["jobs"] if job["type"] == "fax"] == ["later"]
    assert after["counts"] == asyncio.run(read_file(path))["counts"]


def test_the_number_of_a_job_that_was_removed_from_the_file_is_given_to_no_other(path: Path) -> None:
    url = new_database()
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO meta (name, value) VALUES ('last_seq', 4711)")
        file.commit()
    move_store(path, url)
    with psycopg.connect(url, options="-c search_path=pagehand") as database:
        assert database.execute("SELECT nextval('job_numbers')").fetchone() == (4712,)


def test_a_server_goes_on_with_the_database(path: Path, tmp_path: Path) -> None:
    url = new_database()
    move_store(path, url)
    (tmp_path / "on").mkdir()
    with live(tmp_path / "on", "--token", TOKEN, "--store", url) as server:
        before = counts(server)
        ask(server, "POST", "types/fax/resume", {})
        ask(server, "POST", "jobs", {"type": "echo"})
        with running(*PAGES, "--types=echo", "--seed=4", "--url", server.url):
            until(lambda: counts(server)["succeeded"] > before["succeeded"], 30)


def test_a_database_that_a_server_has_used_is_refused(path: Path) -> None:
    url = new_database()
    move_store(path, url)
    before = asyncio.run(read_database(url))
    with pytest.raises(StoreRefused, match="is used by servers already: name an empty database"):
        move_store(path, url)
    assert asyncio.run(read_database(url))["jobs"] == before["jobs"]


def test_a_file_that_a_server_has_is_refused(tmp_path: Path) -> None:
    with live(tmp_path, "--token", TOKEN), pytest.raises(StoreRefused, match="in use by another"):
        move_store(tmp_path / "pagehand.db", new_database())


def test_a_database_that_a_server_has_is_refused(path: Path, tmp_path: Path) -> None:
    url, other = new_database(), tmp_path / "other"
    other.mkdir()
    with live(other, "--token", TOKEN, "--store", url), pytest.raises(StoreRefused, match="stop all of its"):
        move_store(path, url)


def test_a_move_that_fails_leaves_an_empty_database(path: Path) -> None:
    url = new_database()
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE tallies SET jobs = jobs + 1 WHERE state = 'succeeded'")
        file.commit()
    with pytest.raises(StoreRefused, match="jobs after the move, and the file"):
        move_store(path, url)
    with psycopg.connect(url, options="-c search_path=pagehand") as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_each_column_of_each_table_is_filled_or_said_to_be_left() -> None:
    tables = re.findall(
        r"CREATE TABLE (\w+) \((.*?)\n?\)(?: WITH [^;]*)?;", "".join(text for _, text in migrations()), re.S
    )
    assert {name for name, _ in tables} | {"meta"} == {table.name for table in TABLES} | LEFT
    for name, body in tables:
        lines = body.splitlines() if "\n" in body else body.split(", ")
        columns = {found[1] for line in lines if (found := re.match(r"\s*([a-z_]+) +[a-z]", line))}
        for table in (table for table in TABLES if table.name == name):
            assert set(table.columns) == columns, name


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--from", "pagehand.db", "--to", "postgresql://h/d"], "must be sqlite:///path"),
        (["--from", "sqlite:///a.db", "--to", "memory:"], "must be postgresql://"),
    ],
)
def test_other_addresses_are_refused(capsys: pytest.CaptureFixture[str], flags: list[str], words: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(flags)
    assert words in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--from", f"sqlite:///{tmp_path}/none.db", "--to", new_database()]) == 3
    assert "there is no store to move; check --from" in capsys.readouterr().err


def test_the_command_says_what_has_gone_over(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    assert main(["--from", f"sqlite:///{path}", "--to", new_database()]) == 0
    said = capsys.readouterr()
    assert said.out == "moved 22 jobs; start the server with --store and the new address\n"
    assert "pagehand move: job_tags: 40\n" in said.err


def test_the_command_of_the_documentation_moves_a_store(path: Path) -> None:
    command, *lines, last = only("docs/scaling.md", "console", "pagehand move").splitlines()
    words = command.removeprefix("$ pagehand ").replace("sqlite:///pagehand.db", f"sqlite:///{path}")
    said = spawned(*words.replace("postgresql://pagehand@db.example/pagehand", new_database()).split())
    assert (said.status, said.out.strip()) == (0, last)
    assert all(line in said.err.splitlines() for line in lines if line != "…")
