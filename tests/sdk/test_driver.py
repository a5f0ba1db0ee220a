"""Simulated pages over real sockets, against a stub of the server."""

from __future__ import annotations

import asyncio
from functools import partial

from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from tests.sdk.stub import Stub

FAST = Reconnect(base_s=0.05, max_s=0.2)


def _farm(stub: Stub, **options) -> Farm:
    return Farm(stub.url, reconnect=FAST, seed=1, **options)


def _executed_more_than(farm: Farm, count: int) -> bool:
    return len(farm.executed) > count


def test_a_page_registers_accepts_runs_and_reports():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub)
            await farm.start()
            await farm.registered()
            stub.submit("a", '{"text":  "1.0"}')
            await farm.until(lambda: farm.stats["recorded"] == 1, timeout_s=5)
            assert stub.accepted == ["attempt-a"]
            assert farm.executed[0][:2] == ("a", "attempt-a")
            assert any(b'"value":{"text":  "1.0"}' in post for post in stub.posts), "the data came back verbatim"
            assert farm.idle
            await farm.stop()
            assert stub.ops("bye")
            assert stub.ops("close")

    asyncio.run(scenario())


def test_a_quick_page_sends_only_results():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub, quick=True, slots=4, types=("word-count",))
            await farm.start()
            for number in range(10):
                stub.submit(str(number), '"one two"', type="word-count")
            await farm.until(lambda: farm.stats["recorded"] == 10, timeout_s=5)
            assert stub.accepted == []
            await farm.stop()

    asyncio.run(scenario())


def test_a_farm_survives_its_server():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub, workers=4)
            await farm.start()
            await farm.registered()
            workers = {page.identity.worker for page in farm.pages if page.identity}
            await stub.stop()
            await farm.until(lambda: not any(page.registered for page in farm.pages), timeout_s=5)
            await stub.start()
            await farm.registered()
            assert {page.identity.worker for page in farm.pages if page.identity} == workers
            stub.submit("a")
            await farm.until(lambda: farm.stats["recorded"] == 1, timeout_s=5)
            await farm.stop()

    asyncio.run(scenario())


def test_lost_poll_answers_cut_polls_and_doubled_posts_lose_no_job():
    faults = Faults(drop_polls=0.2, repeat_posts=0.2, lose_post_answers=0.2, cut_polls_s=0.3)

    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub, workers=4, faults=faults, slots=2)
            await farm.start()
            for number in range(40):
                stub.submit(str(number), str(number))
            await farm.until(lambda: len(stub.recorded) == 40, timeout_s=20)
            assert stub.recorded == {f"attempt-{number}": number for number in range(40)}
            for name in ("dropped_polls", "repeated_posts", "lost_post_answers"):
                assert farm.stats[name], f"the fault {name} never happened"
            await farm.stop()

    asyncio.run(scenario())


def test_a_reload_between_stash_and_sending_delivers_the_result_from_the_next_boot():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub, faults=Faults(reload=1.0, stash=1.0))
            await farm.start()
            await farm.registered()
            while not farm.stats["recorded"]:
                name = str(len(farm.executed))
                stub.submit(name)
                executed = len(farm.executed)
                await farm.until(partial(_executed_more_than, farm, executed), timeout_s=5)
                await farm.until(lambda: all(page.registered and page.idle for page in farm.pages), timeout_s=5)
            boots = {register["boot"] for register in stub.ops("register")}
            assert len(boots) == len(farm.executed) + 1
            assert [register for register in stub.ops("register") if register["finished"]]
            assert len(stub.workers) == 1
            await farm.stop()

    asyncio.run(scenario())


def test_a_second_tab_shows_the_same_identity_from_another_boot():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub)
            await farm.start()
            await farm.registered()
            await farm.duplicate(0)
            await farm.registered()
            first, second = stub.ops("register")
            assert farm.pages[0].identity
            assert second["worker"] == farm.pages[0].identity.worker
            assert first["boot"] != second["boot"]
            await farm.stop(bye=False)

    asyncio.run(scenario())


def test_pings_are_answered():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub)
            await farm.start()
            await farm.registered()
            for session in stub.sessions.values():
                session.packet("2")
            await stub.until(lambda: bool(stub.ops("pong")))
            await farm.stop()

    asyncio.run(scenario())


def test_a_frozen_page_answers_nothing_and_goes_on_when_it_thaws():
    async def scenario() -> None:
        async with Stub() as stub:
            farm = _farm(stub)
            await farm.start()
            await farm.registered()
            farm.drivers[0].freeze()
            stub.submit("a")
            stub.submit("b")
            await stub.until(lambda: all(not session.outbox for session in stub.sessions.values()))
            assert not stub.accepted
            farm.drivers[0].thaw()
            await farm.until(lambda: farm.stats["recorded"] == 2, timeout_s=5)
            await farm.stop()

    asyncio.run(scenario())
