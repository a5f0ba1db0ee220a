"""Several nodes on one database, in the loop of a test: their stores alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from dispatcher.core.jobs.turn import Turn, TurnReport
from dispatcher.store.applier.hand import Ids
from dispatcher.store.port import Limits
from dispatcher.store.postgres.store import PostgresStore
from tests.store.contract import NOW, POSTGRES, Desk

__all__ = ["Node", "checked", "close", "silence", "sql", "two_nodes"]

#: Instants of all nodes: no two turns have the same.
_instants = itertools.count(1)
#: No two jobs and no two attempts have the same, whichever life makes them.
_numbers = itertools.count(1)


class Node:
    """One of several nodes, in the loop of the test."""

    def __init__(self, store: PostgresStore, utc: Callable[[], float] | None) -> None:
        self.store, self._utc = store, utc

    @classmethod
    async def open(cls, url: str, name: str, *, utc: Callable[[], float] | None = None, **limits: Any) -> Node:
        """Its ids are its own; ``utc``: its clock, as for the store; None: one that is turned by its turns."""
        ids = Ids(lambda: f"{name}-{next(_numbers)}", lambda: f"{name}{next(_numbers):030x}")
        return cls(await PostgresStore.open(url, ids, limits=Limits(**limits), node=name, utc=utc), utc)

    async def turn(self, *, after_s: float = 0.0, **items: Any) -> TurnReport:
        """Applies one turn with these items, so long after the last one."""
        at = next(_instants) / 1_000 + after_s
        now_at = NOW + at if self._utc is None else self._utc()
        return await self.store.apply(
            Turn(node=self.store.node, epoch=self.store.epoch, now_at=now_at, elapsed_s=at, **items)
        )

    async def counts(self) -> dict[str, int]:
        """The counts by state; states without jobs are left out."""
        return {state: jobs for state, jobs in (await self.store.counts()).items() if jobs}


async def two_nodes(url: str, **limits: Any) -> tuple[Node, Node]:
    """The nodes ``one`` and ``two``."""
    return await Node.open(url, "one", **limits), await Node.open(url, "two", **limits)


async def close(*nodes: Node) -> None:
    """Closes their stores."""
    for node in nodes:
        await node.store.close()


def checked(url: str, tmp_path: Path) -> None:
    """A look at all rows, as a third node sees them."""
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    faults = desk.faults()
    assert faults == []
    desk.end()


def sql(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a statement answers."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=pagehand") as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def silence(url: str, *nodes: str, seconds: int = 11) -> None:
    """By the database's clock these have not been heard of for so long (10 s: gone), and the others were there."""
    silent = f"interval '{seconds} seconds'"
    sql(url, f"UPDATE nodes SET since = since - {silent}")
    sql(url, f"UPDATE nodes SET seen_at = seen_at - {silent} WHERE node = ANY(%s)", list(nodes))
