"""Picks and opens a store by its URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatcher.errors import StoreRefused
from dispatcher.store.applier.hand import Ids
from dispatcher.store.memory import MemoryStore
from dispatcher.store.port import Limits, Store
from dispatcher.store.sqlite.store import SqliteStore

__all__ = ["open_store"]


async def open_store(
    url: str,
    *,
    limits: Limits,
    ids: Ids,
    new_key: Callable[[], bytes],
) -> Store:
    """The store that the URL names: ``sqlite:///path`` (relative) or ``sqlite:////path``, or ``memory:``.

    ``ids.attempt`` gives the random part of an attempt's id: 128 bits. Raises StoreRefused.
    """
    if url == "memory:":
        return MemoryStore(ids, key=new_key(), limits=limits)
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///")).absolute()
        return await SqliteStore.open(path, ids, limits=limits)
    raise StoreRefused(f"{url}: no such kind of store; use sqlite:///path/to/file.db or memory:")
