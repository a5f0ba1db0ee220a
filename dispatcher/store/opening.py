"""Picks and opens a store by its URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dispatcher.errors import StoreRefused
from dispatcher.store.memory import MemoryStore
from dispatcher.store.port import Store
from dispatcher.store.rows import Limits
from dispatcher.store.sqlite.store import SqliteStore

__all__ = ["open_store"]


async def open_store(
    url: str,
    *,
    limits: Limits,
    new_job_id: Callable[[], str],
    new_attempt_id: Callable[[], str],
    new_key: Callable[[], bytes],
) -> Store:
    """The store that the URL names: ``sqlite:///path`` (relative) or ``sqlite:////path``, or ``memory:``.

    ``new_attempt_id`` gives the random part of an attempt's id: 128 bits. Raises StoreRefused.
    """
    if url == "memory:":
        return MemoryStore(new_job_id=new_job_id, new_attempt_id=new_attempt_id, key=new_key(), limits=limits)
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///")).absolute()
        return await SqliteStore.open(path, new_job_id=new_job_id, new_attempt_id=new_attempt_id, limits=limits)
    raise StoreRefused(f"{url}: no such kind of store; use sqlite:///path/to/file.db or memory:")
