"""Which databases a store takes, how its schema is made and upgraded, and what it says of those that it refuses."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from dispatcher.errors import StoreRefused, WrongState
from dispatcher.store.applier.hand import Ids
from dispatcher.store.opening import migrate_store, open_store
from dispatcher.store.port import Limits, Store
from dispatcher.store.postgres.queries import QUERIES
from dispatcher.store.postgres.schema import migrations, place_of
from tests.store.contract import NOW, POSTGRES, Desk
from tests.support.postgres import Postgres

IDS = Ids(lambda: "job", lambda: "attempt")


async def _open(url: str) -> Store:
    return await open_store(url, limits=Limits(), ids=IDS, new_key=lambda: b"")


async def _opened_and_closed(url: str) -> bool:
    store = await _open(url)
    await store.close()
    return store.created


async def _named(url: str, node: str) -> int:
    """The number of the life that a node of this name has had."""
    store = await open_store(url, limits=Limits(), ids=IDS, new_key=lambda: b"", node=node)
    await store.close()
    return store.epoch


def _migrated(url: str) -> tuple[int, int]:
    return asyncio.run(migrate_store(url, limits=Limits(), ids=IDS))


@pytest.fixture
def url(server: Postgres) -> str:
    return server.url(server.new_database())


def _sql(server: Postgres, url: str, statement: str) -> list[tuple[object, ...]]:
    return server.sql(url.partition("@/")[2].partition("?")[0], statement)


def test_an_empty_database_becomes_a_store_and_is_one_from_then_on(url: str) -> None:
    assert asyncio.run(_opened_and_closed(url))
    assert not asyncio.run(_opened_and_closed(url))
    assert _migrated(url) == (len(migrations()), len(migrations()))


def test_two_servers_that_begin_with_an_empty_database_at_once_make_one_store(url: str) -> None:
    def life(_: int) -> tuple[bytes, int, bool]:
        async def run() -> tuple[bytes, int, bool]:
            store = await _open(url)
            await store.close()
            return store.key, store.epoch, store.created

        return asyncio.run(run())

    with ThreadPoolExecutor(2) as pool:
        lives = list(pool.map(life, range(2)))
    assert {key for key, _, _ in lives} == {lives[0][0]}
    assert len(lives[0][0]) == 32
    assert sorted(epoch for _, epoch, _ in lives) == [1, 2]
    assert sorted(created for _, _, created in lives) == [False, True]


def test_a_second_server_is_refused_while_the_first_one_lives(server: Postgres, url: str, tmp_path: Path) -> None:
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    with pytest.raises(StoreRefused, match=r"node 'main' of .* in use by another server: .* own with --node"):
        asyncio.run(_open(url))
    with pytest.raises(StoreRefused, match="in use by another server"):
        _migrated(url)
    assert desk.submit()
    other = asyncio.run(_named(url, "other"))
    assert (other, desk.store.epoch) == (2, 1), "a server of another name is welcome"
    desk.end()
    assert not asyncio.run(_opened_and_closed(url))


def test_no_server_begins_while_the_schema_is_changed(server: Postgres, url: str) -> None:
    asyncio.run(_opened_and_closed(url))
    with psycopg.connect(url, autocommit=True) as migrating:
        migrating.execute(QUERIES["lock_store"])
        with pytest.raises(StoreRefused, match="is being migrated: start this server again when that is done"):
            asyncio.run(_open(url))
    assert not asyncio.run(_opened_and_closed(url))


def test_an_older_schema_is_refused_until_somebody_migrates_it(server: Postgres, url: str) -> None:
    asyncio.run(_opened_and_closed(url))
    _sql(server, url, "UPDATE pagehand.meta SET schema = 0")
    with pytest.raises(StoreRefused, match=r"older schema 0.* run: pagehand migrate; nothing was changed"):
        asyncio.run(_open(url))
    _sql(server, url, "DROP SCHEMA pagehand CASCADE; CREATE SCHEMA pagehand;"
         "CREATE TABLE pagehand.meta (schema integer NOT NULL, key bytea NOT NULL);"
         "INSERT INTO pagehand.meta VALUES (0, decode(repeat('ab', 32), 'hex'))")  # fmt: skip
    assert _migrated(url) == (0, len(migrations()))
    assert not asyncio.run(_opened_and_closed(url))


def test_a_migration_that_fails_changes_nothing(server: Postgres, url: str) -> None:
    asyncio.run(_opened_and_closed(url))
    _sql(server, url, "UPDATE pagehand.meta SET schema = 0")  # its tables are there already
    with pytest.raises(StoreRefused, match=r"cannot be migrated.*already exists.*nothing was changed"):
        _migrated(url)
    assert _sql(server, url, "SELECT schema FROM pagehand.meta") == [(0,)]


def test_a_newer_schema_is_refused(server: Postgres, url: str) -> None:
    asyncio.run(_opened_and_closed(url))
    _sql(server, url, "UPDATE pagehand.meta SET schema = 1000")
    for call in (lambda: asyncio.run(_open(url)), lambda: _migrated(url)):
        with pytest.raises(StoreRefused, match=r"newer Pagehand .schema 1000"):
            call()


def test_a_database_without_a_store_has_nothing_to_migrate(url: str) -> None:
    with pytest.raises(StoreRefused, match="no store to migrate"):
        _migrated(url)


def test_a_database_of_another_encoding_is_refused(server: Postgres) -> None:
    server.sql("postgres", "CREATE DATABASE odd ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreRefused, match="encoding LATIN1: make a database with the encoding UTF8"):
        asyncio.run(_open(server.url("odd")))


@pytest.mark.parametrize(
    "made",
    [
        "postgresql://anna:s3cret@127.0.0.1:1/jobs",
        "postgresql://127.0.0.1:1/jobs?user=anna&password=s3cret",
        "postgresql://anna:s@s3cret@127.0.0.1:1/jobs",
        "postgresql://anna:s3/cret@127.0.0.1:1/jobs",
        "postgresql://anna:s3cret@127.0.0.1:1/jobs?nonsense=1",
        "postgresql://anna:s3%zzcret@127.0.0.1/jobs",
        "postgresqlx://anna:s3cret@127.0.0.1/jobs",
    ],
)
def test_what_is_said_of_a_store_that_cannot_be_opened_never_has_the_password(made: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        asyncio.run(_open(made))
    error: BaseException | None = refused.value
    while error is not None:
        assert "s3" not in str(error)
        assert "cret" not in str(error)
        error = error.__cause__


def test_where_a_store_is_is_said_without_password_and_options() -> None:
    assert place_of("postgresql://anna:s3cret@db:5433/jobs?sslmode=require") == "postgresql://anna@db:5433/jobs"
    assert place_of("postgresql:///?service=farm") == "PostgreSQL, service farm"


def test_backups_are_for_pg_dump(url: str, tmp_path: Path) -> None:
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    with pytest.raises(WrongState, match="pg_dump"):
        desk.run(desk.store.begin_backup(NOW))
    assert desk.run(desk.store.backups()) == []
    desk.end()
