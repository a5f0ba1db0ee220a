"""The server with one planted fault in its store: ``faulty_server.py FAULT N -- flags of server.py``.

For tests only; the server itself knows nothing of it. FAULT, in the N-th turn that carries what its name says:

- ``kill-after-submission``, ``kill-after-claim``, ``kill-after-result``, ``kill-after-join``:
  the turn is durable, and the process dies by kill -9 before anybody hears of it;
- ``kill-after-open``, ``kill-after-look``, ``kill-after-turn``: it dies in its recovery, when the store is open,
  when it has been asked what was left open, when any turn is durable (N counts from there);
- ``hold-open``: the store is opened after SIGUSR1, and not before;
- ``acknowledge-before-commit``: a turn with submissions is answered and its commit never comes; the process dies a
  moment later. The lie that the tests must be able to see;
- ``fail``: a turn with submissions fails as it does when the disk does.

``no-fence`` is in force in every turn, whatever N: an attempt's end is taken for that of its job's newest attempt.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import server
from dispatcher.access.commands import JoinWorker
from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.turn import Ended, Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.store.sqlite.store import SqliteStore

#: Between the lie and the death: the answers leave in this time.
LIE_S = 0.1


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _submits(turn: Turn, report: TurnReport | None) -> bool:
    return bool(turn.submissions)


def _claims(turn: Turn, report: TurnReport | None) -> bool:
    return report is not None and bool(report.claims)


def _has_result(turn: Turn, report: TurnReport | None) -> bool:
    return any(isinstance(item, Ended) and item.value is not None for item in turn.reports)


def _joins(turn: Turn, report: TurnReport | None) -> bool:
    return any(isinstance(command, JoinWorker) for command in turn.commands)


class FaultyStore:
    """The store, but for one turn."""

    def __init__(self, store: SqliteStore, fault: str, number: int) -> None:
        self._store = store
        self._fault = fault
        self._left = number
        self._lied = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, turn: Turn) -> TurnReport:
        """See port.Store."""
        if self._lied:
            await asyncio.Event().wait()
        if self._fault in _BEFORE and _submits(turn, None) and self._counts():
            return await _BEFORE[self._fault](self, turn)
        report = await self._store.apply(turn)
        matches = _AFTER.get(self._fault)
        if matches is not None and matches(turn, report) and self._counts():
            _die()
        return report

    def _counts(self) -> bool:
        self._left -= 1
        return self._left == 0

    async def live_attempts(self) -> Any:
        """See port.Store."""
        found = await self._store.live_attempts()
        if self._fault == "kill-after-look":
            _die()
        return found

    async def acknowledge_first(self, turn: Turn) -> TurnReport:
        self._lied = True
        report = await self._store._thread.run(lambda: self._uncommitted(turn))
        asyncio.get_running_loop().call_later(LIE_S, _die)
        return report

    def _uncommitted(self, turn: Turn) -> TurnReport:
        self._store._db.execute("BEGIN IMMEDIATE")
        return self._store._part(turn)

    async def fail(self, turn: Turn) -> TurnReport:
        raise StorageTrouble("the store failed: planted by a test")


_BEFORE: dict[str, Callable[[FaultyStore, Turn], Any]] = {
    "acknowledge-before-commit": FaultyStore.acknowledge_first,
    "fail": FaultyStore.fail,
}
_AFTER = {
    "kill-after-submission": _submits,
    "kill-after-claim": _claims,
    "kill-after-result": _has_result,
    "kill-after-join": _joins,
    "kill-after-turn": lambda turn, report: True,
}
_AT_START = {"kill-after-open", "kill-after-look", "hold-open"}


def _open_the_fence() -> None:
    sound = vars(ledger)["_end"]

    def end(report: Any, attempt: Any, job: Any, current: bool, *rest: Any) -> Any:
        return sound(report, attempt, job, True, *rest)

    vars(ledger)["_end"] = end


def main(arguments: list[str]) -> int:
    """Runs the server with the fault."""
    fault, number, dashes, *flags = arguments
    assert dashes == "--", arguments
    if fault == "no-fence":
        _open_the_fence()
        return server.main(flags)
    assert fault in _BEFORE or fault in _AFTER or fault in _AT_START, fault
    sound = vars(server)["open_store"]
    go_on = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: go_on.set())

    async def open_faulty(*args: Any, **fields: Any) -> Any:
        if fault == "hold-open":
            await asyncio.to_thread(go_on.wait)
        store = await sound(*args, **fields)
        assert isinstance(store, SqliteStore)
        if fault == "kill-after-open":
            _die()
        return FaultyStore(store, fault, int(number))

    vars(server)["open_store"] = open_faulty
    return server.main(flags)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
