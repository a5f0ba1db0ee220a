"""The SQLite store answers a turn when its commit has ended, and knows an error that is no full disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dispatcher.errors import StorageTrouble
from tests.store.contract import KINDS, Desk, result
from tests.support.jobs import spec

[SQLITE] = [kind for kind in KINDS if kind.name == "sqlite"]
PATIENCE_S = 20.0


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(SQLITE)


def test_a_turn_is_not_answered_before_its_commit_has_ended(desk: Desk) -> None:
    store: Any = desk.store
    turn = desk.make_turn(submissions=[spec()])
    may_commit = threading.Event()

    async def scenario() -> None:
        loop, reached = asyncio.get_running_loop(), asyncio.Event()

        def hold_the_commit(statement: str) -> None:
            if statement == "COMMIT":
                loop.call_soon_threadsafe(reached.set)
                may_commit.wait(PATIENCE_S)

        await store._thread.run(lambda: store._db.set_trace_callback(hold_the_commit))
        answer = asyncio.ensure_future(store.apply(turn))
        try:
            await asyncio.wait_for(reached.wait(), PATIENCE_S)
            for _ in range(3):
                await asyncio.sleep(0)  # an answer that the thread has already given would come out now
            assert not answer.done(), "it has answered, and a crash would now lose the job"
        finally:
            may_commit.set()
        assert (await asyncio.wait_for(answer, PATIENCE_S)).accepted[0].job is not None

    desk.run(scenario())


def test_an_error_that_is_no_full_disk_is_not_taken_for_one(desk: Desk) -> None:
    claim = desk.start()
    store: Any = desk.store
    once = iter([True])
    # What interrupts a statement once: as an I/O error, it says nothing of what was done.
    interrupt = lambda: next(once, False)  # noqa: E731
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(interrupt, 1)))
    with pytest.raises(StorageTrouble, match="interrupted"):
        desk.turn(reports=[result(claim.attempt)], submissions=[spec()])
