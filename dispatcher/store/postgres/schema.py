"""Connects to the database, and makes or upgrades its schema. No word of it tells a password."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dispatcher.errors import StoreRefused
from dispatcher.store.numbered import numbered
from dispatcher.store.postgres.link import Link, words_of
from dispatcher.store.postgres.lives import take_store

__all__ = [
    "OpenedDatabase",
    "connect",
    "kept_if_well",
    "migrate",
    "migrations",
    "open_schema",
    "place_of",
]

_SQL = Path(__file__).resolve().parent / "sql"
_LEAST_VERSION = 140_000
#: Half of what a node may be silent: it must be back in time when the database was away.
_CONNECT_S = 5
#: What the connection is given if the address says nothing else.
_USUAL = {
    "application_name": "pagehand",
    "connect_timeout": str(_CONNECT_S),
    # A standby that may only be read is no store.
    "target_session_attrs": "read-write",
    # A database whose machine is gone is noticed, with a turn on its way and without.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SETTINGS = (
    "SET search_path = pagehand",
    "SET client_encoding = 'UTF8'",
    # Whatever the machine's or the role's own settings say, what is answered must outlive a power cut of the database.
    # (``off`` would not; ``remote_apply`` and so on wait for more.)
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
    # A server that stops in the middle of a turn must not hold its locks for ever, nor may one that waits.
    "SET idle_in_transaction_session_timeout = '15s'",
    "SET lock_timeout = '15s'",
    "SET statement_timeout = '60s'",
    # Each statement of ours has its index, also while a table is small or has not been analysed yet.
    "SET enable_seqscan = off",
    "SET jit = off",
    # The server notices a client whose machine is gone, so that the node's lock is free again.
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)


class OpenedDatabase(NamedTuple):
    """A connection to a store of this schema, and what the store says of itself."""

    link: Link
    #: It was made just now.
    is_new: bool
    key: bytes


def migrations() -> list[tuple[int, str]]:
    """(version, SQL) of every migration, in order."""
    return numbered(_SQL)


def place_of(url: str) -> str:
    """Where the database is, for people: without password and options. Raises StoreRefused."""
    fields = _fields(url)
    if "service" in fields:
        return f"PostgreSQL, service {fields['service']}"
    user = f"{fields['user']}@" if fields.get("user") else ""
    host = fields.get("host") or fields.get("hostaddr") or ""
    port = f":{fields['port']}" if fields.get("port") else ""
    return f"postgresql://{user}{host}{port}/{fields.get('dbname') or ''}"


def _fields(url: str) -> dict[str, Any]:
    """The parts of the address. It is refused, too, where an @ or / of a password stands as it is."""
    try:
        fields = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        fields = {"port": "none"}
    places = "".join(str(fields.get(name) or "") for name in ("host", "dbname"))
    if "@" in places or not re.fullmatch(r"[0-9,]*", str(fields.get("port") or "")):
        # libpq's own words may quote the address with its password.
        raise StoreRefused(
            "--store is no address that PostgreSQL understands: postgresql://USER@HOST/DATABASE; "
            "write what is special in a password as %XX, or give it in PGPASSWORD or a passfile"
        )
    return fields


def connect(url: str, node: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection with our settings. Raises StoreRefused."""
    connection = _reach(url)
    try:
        _refuse_shared(connection, url)
        connection.prepared_max = 400
        for statement in _SETTINGS:
            connection.execute(statement)
        connection.execute("SELECT set_config('pagehand.node', %s, false)", (node,))
        _check(connection, url)
    except psycopg.Error as error:
        connection.close()
        raise StoreRefused(f"{place_of(url)} cannot be used: {words_of(error)}") from None
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def kept_if_well(connection: psycopg.Connection[tuple[Any, ...]], place: str) -> Iterator[None]:
    """Whatever goes wrong closes the connection. Raises StoreRefused if the database has gone away."""
    try:
        yield
    except psycopg.OperationalError as error:
        connection.close()
        raise StoreRefused(f"{place} has gone away: {words_of(error)}: start this server again") from None
    except BaseException:
        connection.close()
        raise


def _reach(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return psycopg.connect(make_conninfo("", **(_USUAL | _fields(url))), autocommit=True, prepare_threshold=0)
    except psycopg.Error as error:
        raise StoreRefused(f"{place_of(url)} cannot be reached: {words_of(error)}") from None


def _refuse_shared(connection: psycopg.Connection[tuple[Any, ...]], url: str) -> None:
    """A pooler that lends its connections for a transaction would lend our locks, settings and statements to others.

    Behind a pooler the database's process is not the one that was told at the connect. Whether it stays ours shows
    while another client has a transaction open: that one gets the process that was used last, if it is free.
    """
    mine = _process(connection)
    if mine == connection.info.backend_pid:
        return
    with _reach(url) as other, other.transaction():
        if _process(other) == mine or _process(connection) != mine:
            raise StoreRefused(
                f"{place_of(url)} is a pooler that lends a connection for one transaction: "
                "set its pool_mode to session, or give the address of the database itself"
            )


def _process(connection: psycopg.Connection[tuple[Any, ...]]) -> int:
    return int(connection.execute("SELECT pg_backend_pid()", prepare=False).fetchall()[0][0])


def _check(connection: psycopg.Connection[tuple[Any, ...]], url: str) -> None:
    [(encoding, version)] = Link(connection).one("encoding")
    if version < _LEAST_VERSION:
        raise StoreRefused(f"{place_of(url)} is PostgreSQL {version // 10_000}: Pagehand needs 14 or newer")
    if encoding != "UTF8":
        raise StoreRefused(f"{place_of(url)} has the encoding {encoding}: make a database with the encoding UTF8")


def open_schema(connection: psycopg.Connection[tuple[Any, ...]], url: str) -> OpenedDatabase:
    """What the store says of itself. An empty database gets its schema. Raises StoreRefused for any other schema."""
    link = Link(connection)
    is_new = False
    if not link.one("schema")[0][0]:
        is_new = migrate_schema(connection, link, url) == 0
    schema, key = _meta(link, url)
    if schema < len(migrations()):
        raise StoreRefused(
            f"{place_of(url)} is of the older schema {schema}, this server's is {len(migrations())}: "
            "back it up (pg_dump), stop its servers and run: pagehand migrate; nothing was changed"
        )
    return OpenedDatabase(link, is_new, bytes(key))


def _meta(link: Link, url: str) -> tuple[int, bytes]:
    [(schema, key)] = link.one("settings")
    newest = len(migrations())
    if schema > newest:
        raise StoreRefused(
            f"{place_of(url)} was written by a newer Pagehand (schema {schema}, this one knows {newest}): "
            "update this server"
        )
    return schema, key


def migrate_schema(connection: psycopg.Connection[tuple[Any, ...]], link: Link, url: str) -> int:
    """Makes or upgrades the schema, in one transaction, one server at a time. Returns its number before."""
    with connection.transaction():
        link.one("no_hurry")
        link.one("lock_schema")
        if not link.one("schema")[0][0]:
            connection.execute("CREATE SCHEMA IF NOT EXISTS pagehand")
            link.one("make_meta")
            link.one("fill_meta", key=secrets.token_bytes(32))
        was, _ = _meta(link, url)
        for number, text in migrations()[was:]:
            connection.execute(text.encode(), prepare=False)
            link.one("set_schema", schema=number)
    return was


def migrate(url: str) -> tuple[int, int]:
    """Brings a store to this version's schema; returns the numbers of the old one and of the new one.

    Raises StoreRefused: there is no store, a server has it, or it cannot be used.
    """
    connection = connect(url, "")
    link = Link(connection)
    try:
        if not link.one("schema")[0][0]:
            raise StoreRefused(f"{place_of(url)}: there is no store to migrate; check --store")
        take_store(link, place_of(url))
        return migrate_schema(connection, link, url), len(migrations())
    except psycopg.Error as error:
        raise StoreRefused(f"{place_of(url)} cannot be migrated: {words_of(error)}; nothing was changed") from None
    finally:
        connection.close()
