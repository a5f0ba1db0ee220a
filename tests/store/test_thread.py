"""The store's thread: turns go before reads that wait, and whoever asks for a place in the order has it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.store.thread import StoreThread
from tests.store.conftest import OpenDesk
from tests.store.contract import SQLITE, Desk
from tests.support.jobs import spec

#: For what comes at once, or never.
PATIENCE_S = 10.0


class Queue:
    """A thread that is held up until everything has been asked for; it notes in which order that ran."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.thread = StoreThread(runner.get_loop())
        self.ran: list[str] = []

    def order(self, *asked: str) -> list[str]:
        """In which order calls run that were all asked for while the thread was busy: each is ``kind name``."""
        self.ran.clear()
        self._runner.run(self._all(asked))
        return list(self.ran)

    async def _all(self, asked: tuple[str, ...]) -> None:
        busy = threading.Event()
        futures: list[asyncio.Future[Any]] = [self.thread.run(partial(busy.wait, PATIENCE_S))]
        for name in asked:
            kind: Callable[[Callable[[], None]], asyncio.Future[None]] = getattr(self.thread, name.split()[0])
            futures.append(kind(partial(self.ran.append, name)))
        busy.set()
        await asyncio.gather(*futures)


@pytest.fixture
def queue() -> Iterator[Queue]:
    with asyncio.Runner() as runner:
        made = Queue(runner)
        yield made
        made.thread.stop()


def test_a_turn_goes_before_all_reads_that_wait(queue: Queue) -> None:
    reads = [f"read {n}" for n in range(16)]
    assert queue.order(*reads, "turn") == ["turn", *reads]


def test_after_each_turn_one_read_has_its_go_so_that_turns_without_end_do_not_keep_reads_waiting(queue: Queue) -> None:
    asked = ["read 1", "read 2", "turn 1", "turn 2", "turn 3", "turn 4"]
    assert queue.order(*asked) == ["turn 1", "read 1", "turn 2", "read 2", "turn 3", "turn 4"]


def test_turns_keep_their_order_and_reads_keep_theirs(queue: Queue) -> None:
    ran = queue.order(*(f"{kind} {n}" for n in range(5) for kind in ("turn", "read")))
    for kind in ("turn", "read"):
        assert [name for name in ran if name.startswith(kind)] == [f"{kind} {n}" for n in range(5)]


def test_a_call_with_a_place_runs_after_all_before_it_and_before_all_behind_it(queue: Queue) -> None:
    ran = queue.order("read 1", "turn 1", "turn 2", "run 1", "read 2", "turn 3", "run 2", "run 3")
    assert ran == ["turn 1", "read 1", "turn 2", "run 1", "turn 3", "read 2", "run 2", "run 3"]


def test_all_that_was_asked_for_before_the_stop_is_answered_and_nothing_is_taken_after_it() -> None:
    with asyncio.Runner() as runner:
        thread = StoreThread(runner.get_loop())
        all_asked = threading.Event()

        def stop_from_inside() -> None:
            all_asked.wait(PATIENCE_S)
            with suppress(RuntimeError):  # the thread cannot wait for its own end
                thread.stop()

        async def ask() -> list[str]:
            stopping = thread.run(stop_from_inside)
            asked = [thread.run(lambda: "run"), thread.read(lambda: "read"), thread.turn(lambda: "turn")]
            all_asked.set()
            await stopping
            return await asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S)

        assert runner.run(ask()) == ["run", "read", "turn"]
        for ask_for in (thread.read, thread.turn, thread.run):
            with pytest.raises(RuntimeError):
                ask_for(str)


def test_a_call_that_fails_fails_for_whoever_asked_and_the_thread_goes_on(queue: Queue) -> None:
    async def fail() -> None:
        with pytest.raises(ZeroDivisionError):
            await queue.thread.read(lambda: 1 // 0)

    queue._runner.run(fail())
    assert queue.order("turn") == ["turn"]


def test_a_turn_of_the_store_goes_before_sixteen_lists_that_wait(durable: Desk) -> None:
    store: Any = durable.store
    ended: list[str] = []

    async def ask(name: str, answer: Any) -> None:
        await answer
        ended.append(name)

    async def all_at_once() -> None:
        busy = threading.Event()
        held_up = store._thread.run(partial(busy.wait, PATIENCE_S))
        lists = [asyncio.ensure_future(ask("list", store.jobs(JobFilter()))) for _ in range(16)]
        await asyncio.sleep(0)  # they wait in the thread's queue
        turn = asyncio.ensure_future(ask("turn", store.apply(durable.make_turn(submissions=[spec()]))))
        await asyncio.sleep(0)
        busy.set()
        await asyncio.gather(held_up, turn, *lists)

    durable.run(all_at_once())
    assert ended == ["turn", *["list"] * 16]


def test_a_turn_that_comes_while_a_long_list_is_read_goes_before_its_next_slice(open_desk: OpenDesk) -> None:
    durable = open_desk(SQLITE)
    for _ in range(3):
        durable.submit(*[spec()] * 1_000)
    store: Any = durable.store
    ended: list[str] = []

    async def meet() -> None:
        begun, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def at_statement(text: str) -> None:
            if "j.seq >=" in text:
                loop.call_soon_threadsafe(begun.set)
                go_on.wait(PATIENCE_S)

        await store._thread.run(lambda: store._db.set_trace_callback(at_statement))
        listed = asyncio.ensure_future(store.jobs(JobFilter(states=(JobState.SUCCEEDED,))))
        listed.add_done_callback(lambda _: ended.append("list"))
        await begun.wait()
        turn = asyncio.ensure_future(store.apply(durable.make_turn(submissions=[spec()])))
        turn.add_done_callback(lambda _: ended.append("turn"))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(listed, turn)
        await store._thread.run(lambda: store._db.set_trace_callback(None))

    durable.run(meet())
    assert ended == ["turn", "list"]


def test_a_close_lets_everything_run_that_was_asked_for_before_it(durable: Desk) -> None:
    store: Any = durable.store

    async def close() -> int:
        busy = threading.Event()
        asked: list[Any] = [store._thread.run(partial(busy.wait, PATIENCE_S))]
        asked += [asyncio.ensure_future(store.apply(durable.make_turn(submissions=[spec()]))) for _ in range(5)]
        asked += [asyncio.ensure_future(store.jobs(JobFilter())), asyncio.ensure_future(store.close())]
        await asyncio.sleep(0)
        busy.set()
        await asyncio.gather(*asked)
        return sum(len(report.result().accepted) for report in asked[1:6])

    durable._is_open = False
    assert durable.run(close()) == 5
