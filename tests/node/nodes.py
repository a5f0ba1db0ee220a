"""Two nodes of one database, in one process: each a whole dispatcher, with pages that the test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import psycopg

from dispatcher.core.jobs.news import Hint
from dispatcher.store.applier.hand import Ids
from dispatcher.store.port import Limits
from dispatcher.store.postgres.store import PostgresStore
from tests.support.house import JSON, House
from tests.support.postgres import new_database

__all__ = ["Nodes", "two_nodes"]

#: Longer than a node may be silent.
_SILENT = "interval '11 seconds'"


class _Unhinted(PostgresStore):
    """It hears the hints of the test alone: a node has a turn when the test says so, a silent one has none."""

    hinted: Callable[[Hint], None]

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        """See port.Store."""
        self.hinted = hinted


class Nodes:
    """The houses ``a`` and ``b``. What one has done the other hears in its next turn."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.a: House
        self.b: House
        self._workers = count(1, 1_000)
        #: Nodes that are gone, and those that have stopped.
        self._silent: set[str] = set()
        self._closed: set[str] = set()

    async def open(self, node: str, **settings: Any) -> House:
        """A new life of a node, and its house."""
        first = next(self._workers)
        jobs, attempts = count(1), count(first * 1_000_000)
        ids = Ids(lambda: f"{node}{first}-{next(jobs)}", lambda: f"{next(attempts):032x}")
        store = await _Unhinted.open(self.url, ids, limits=Limits(), node=node)
        house = await House(store=store, first_worker=first, **settings).start()
        house.dispatcher.let_in()
        return house

    async def beat(self, *houses: House) -> None:
        """Each has a turn or more: it hears what the others have done."""
        for house in houses or (self.a, self.b):
            await house.pass_time(1.0)

    def hint(self, house: House, *, lanes: list[str] | None = None, settled: list[str] | None = None) -> None:
        """Another node has told something, and the house hears of it at once."""
        assert isinstance(house.store, _Unhinted)
        house.store.hinted(Hint(lanes or [], settled or []))

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement answers."""
        with psycopg.connect(self.url, autocommit=True, options="-c search_path=pagehand") as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    async def close(self, node: str) -> None:
        """The node stops in good order."""
        self._closed.add(node)
        await getattr(self, node).dispatcher.close()

    def falls_silent(self, node: str) -> None:
        """By the database's clock the node has not been heard of for so long that it is gone; the others were there."""
        self._silent.add(node)
        self.sql(f"UPDATE nodes SET seen_at = seen_at - {_SILENT} WHERE node = %s", node)
        self.sql(f"UPDATE nodes SET since = since - {_SILENT}")

    async def end(self) -> None:
        """After the test: nodes that are gone have nothing more to write."""
        for node, house in (("a", self.a), ("b", self.b)):
            if node in self._closed:
                continue
            if node in self._silent:
                house.dispatcher._timer.stop()
                await house.store.close()
            else:
                await house.dispatcher.close()


@asynccontextmanager
async def two_nodes(**settings: Any) -> AsyncIterator[Nodes]:
    """Both live; what is left open is closed at the end."""
    nodes = Nodes(new_database())
    nodes.a, nodes.b = await nodes.open("a", **settings), await nodes.open("b", **settings)
    await nodes.beat()
    try:
        yield nodes
    finally:
        await nodes.end()


def credentials(told: JSON) -> JSON:
    """What a page shows of itself when it comes again, after this answer to its registration."""
    return {"worker": told["worker"], "secret": told["secret"]}
