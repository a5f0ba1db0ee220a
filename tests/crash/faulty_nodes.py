"""The server on PostgreSQL with one planted fault: ``faulty_nodes.py FAULT N -- flags of server.py``. For tests only.

- ``no-epoch-fence``: nothing looks whether the node's life is over, neither a turn nor a new connection;
- ``no-row-lock``: a turn takes ready jobs without a lock, so two nodes may take the same one;
- ``asynchronous-commit``: no COMMIT waits for the database's disk, so a crash of the database loses the last ones;
- ``acknowledge-before-commit``: the N-th turn with submissions is answered and its commit never comes; the process dies
  a moment later.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import server
from dispatcher.core.jobs.turn import Turn, TurnReport
from dispatcher.store.postgres import schema
from dispatcher.store.postgres.link import Link, Rows
from dispatcher.store.postgres.queries import QUERIES
from dispatcher.store.postgres.store import PostgresStore

#: Between the lie and the death: the answers leave in this time.
LIE_S = 0.1


def _without(name: str, words: str) -> None:
    """A statement without these words."""
    assert words in QUERIES[name], name
    QUERIES[name] = QUERIES[name].replace(words, "")


def _no_epoch_fence(number: int) -> None:
    _without("fence", "AND epoch = %(epoch)s")
    sound, lives = Link.one, list[int]()

    def one(link: Link, name: str, /, **values: Any) -> Rows:
        rows = sound(link, name, **values)
        if name == "begin_life":
            lives.append(rows[0][0])
        return [(lives[-1],)] if name == "epoch" else rows  # what it is asked when it connects again

    setattr(Link, "one", one)  # noqa: B010 - mypy refuses the assignment


def _no_row_lock(number: int) -> None:
    for name in ("ready_lanes", "ready_group"):
        _without(name, "FOR UPDATE OF j SKIP LOCKED")


def _asynchronous_commit(number: int) -> None:
    vars(schema)["_SETTINGS"] += ("SET synchronous_commit = off",)


def _acknowledge_before_commit(number: int) -> None:
    sound, left = PostgresStore.apply, iter(range(number - 1, -1, -1))
    lied = asyncio.Event()

    async def apply(store: Any, turn: Turn) -> TurnReport:
        if lied.is_set():
            await asyncio.Event().wait()
        if not turn.submissions or next(left, 1):
            return await sound(store, turn)
        lied.set()
        report: TurnReport = await store._thread.turn(lambda: _uncommitted(store, turn))
        asyncio.get_running_loop().call_later(LIE_S, os.kill, os.getpid(), signal.SIGKILL)
        return report

    setattr(PostgresStore, "apply", apply)  # noqa: B010 - mypy refuses the assignment


def _uncommitted(store: Any, turn: Turn) -> TurnReport:
    store._see_to_connection()
    store._rows.begin(whole=False)
    report: TurnReport = store._clock.told(store._part(store._clock.dated(turn)))
    return report


FAULTS: dict[str, Callable[[int], None]] = {
    "no-epoch-fence": _no_epoch_fence,
    "no-row-lock": _no_row_lock,
    "asynchronous-commit": _asynchronous_commit,
    "acknowledge-before-commit": _acknowledge_before_commit,
}


def main(arguments: list[str]) -> int:
    """Runs the server with the fault."""
    fault, number, dashes, *flags = arguments
    assert dashes == "--", arguments
    FAULTS[fault](int(number))
    return server.main(flags)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
