"""Picks and opens a store by its URL."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from dispatcher.errors import StoreRefused
from dispatcher.store.applier.hand import Ids
from dispatcher.store.memory import MemoryStore
from dispatcher.store.port import NODE, Limits, Store
from dispatcher.store.sqlite.file import migrations
from dispatcher.store.sqlite.store import SqliteStore

__all__ = ["migrate_store", "open_store"]


_SQLITE = "sqlite:///"
#: As libpq has it.
_POSTGRES = ("postgresql://", "postgres://")


async def open_store(
    url: str,
    *,
    limits: Limits,
    ids: Ids,
    new_key: Callable[[], bytes],
    node: str = NODE,
    utc: Callable[[], float] | None = None,
) -> Store:
    """The store that the URL names: ``sqlite:///path`` (relative) or ``sqlite:////path``, ``postgresql://...`` as
    libpq has it, or ``memory:``.

    ``ids.attempt`` gives the random part of an attempt's id: 128 bits. ``node``: the name of this server among those
    that share a database. ``utc``: the clock that turns have, in whose place the database's counts; None: it counts
    itself. Raises StoreRefused.
    """
    if url == "memory:":
        return MemoryStore(ids, key=new_key(), limits=limits)
    if url.startswith(_SQLITE):
        return await SqliteStore.open(_path(url), ids, limits=limits)
    if url.startswith(_POSTGRES):
        _need_driver()
        from dispatcher.store.postgres.store import PostgresStore

        return await PostgresStore.open(url, ids, limits=limits, node=node, utc=utc)
    # The rest of it may hold a password.
    kind = url.partition(":")[0]
    raise StoreRefused(
        f"{kind}: no such kind of store; use sqlite:///path/to/file.db, postgresql://USER@HOST/DATABASE or memory:"
    )


async def migrate_store(url: str, *, limits: Limits, ids: Ids) -> tuple[int, int]:
    """Brings a store to this version's schema, as a start does; returns the numbers of the old schema and of the new.

    Raises StoreRefused: there is no store, a server has it, or it cannot be used.
    """
    if url.startswith(_POSTGRES):
        _need_driver()
        from dispatcher.store.postgres.schema import migrate

        return await to_thread(migrate, url)
    if not url.startswith(_SQLITE):
        raise StoreRefused(f"{url} is not kept: there is nothing to migrate; name a store with --store")
    path = _path(url)
    if not path.exists():
        raise StoreRefused(f"{path}: there is no store to migrate; check --store")
    store = await SqliteStore.open(path, ids, limits=limits)
    was = store.schema_was
    await store.close()
    return was, len(migrations())


def _need_driver() -> None:
    """PostgreSQL is an extra: a server with a file does without its driver. Raises StoreRefused."""
    if find_spec("psycopg") is None:
        raise StoreRefused("--store postgresql:// needs the driver for it: pip install 'pagehand[postgres]'")


def _path(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE)).absolute()
