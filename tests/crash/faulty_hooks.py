"""The server with a fault in how it tells webhooks: ``faulty_hooks.py FAULT 1 -- flags of server.py``. For tests only.

- ``outbox-after-commit``: the messages of a turn are written in a transaction of their own, a moment after the turn's;
- ``struck-before-answered``: a message is struck from the store when it is sent, and not when it is answered.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import server
from dispatcher.core.jobs.turn import Turn, TurnReport
from dispatcher.node.webhooks.posting import HookAnswer
from dispatcher.node.webhooks.sender import Sender
from dispatcher.store.sqlite.store import SqliteStore

#: From the commit of a turn to that of its messages.
LATE_S = 0.1


class LateOutbox:
    """A store that forgets a turn's messages when it is killed between the turn and them."""

    def __init__(self, store: SqliteStore) -> None:
        self._store, self._hooks = store, store._rows.hooks
        self._add, self._late = self._hooks._add, list[tuple[Any, ...]]()
        vars(self._hooks)["_add"] = lambda *write: self._late.append(write)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, turn: Turn) -> TurnReport:
        """See port.Store."""
        report = await self._store.apply(turn)
        if any(messages for messages, _ in self._late):
            await asyncio.sleep(LATE_S)
        await self._store._thread.run(self._write)
        return report

    def _write(self) -> None:
        self._store._db.execute("BEGIN IMMEDIATE")
        for write in self._late:
            self._add(*write)
        self._store._db.execute("COMMIT")
        self._late.clear()


def _outbox_after_commit() -> None:
    sound = vars(server)["open_store"]

    async def open_late(*args: Any, **fields: Any) -> Any:
        return LateOutbox(await sound(*args, **fields))

    vars(server)["open_store"] = open_late


def _struck_before_answered() -> None:
    sound = Sender._attempt

    async def attempt(sender: Any, endpoint: Any, message: Any) -> Any:
        await sender._keep(sender._judged(message, HookAnswer(204), sender._clock.utc(), 0))
        return await sound(sender, endpoint, message)

    setattr(Sender, "_attempt", attempt)  # noqa: B010 - mypy refuses the assignment


FAULTS: dict[str, Callable[[], None]] = {
    "outbox-after-commit": _outbox_after_commit,
    "struck-before-answered": _struck_before_answered,
}


def main(arguments: list[str]) -> int:
    """Runs the server with the fault."""
    fault, _, dashes, *flags = arguments
    assert dashes == "--", arguments
    FAULTS[fault]()
    return server.main(flags)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
