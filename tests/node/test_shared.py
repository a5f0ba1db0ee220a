"""A node whose store other nodes may have, too: here the store is one in memory that says so."""

from __future__ import annotations

import json

import pytest

from dispatcher.errors import StorageAway
from tests.node.nodes import credentials
from tests.support.house import House, TroubledStore, memory_store
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)

BEAT_S = 1.0


class SharedStore(TroubledStore):
    """Others may have it, too."""

    beat_s = BEAT_S


async def test_an_idle_node_has_a_turn_at_each_beat_so_that_others_hear_of_it() -> None:
    store = memory_store(SharedStore)
    house = await House(store=store, store_check_s=60.0).start()
    for number in range(1, 4):
        before = len(store.turns)
        await house.pass_time(BEAT_S)
        assert len(store.turns) == before + 1, number


async def test_a_node_that_is_alone_has_turns_only_as_often_as_its_store_is_looked_at() -> None:
    house = await House(store_check_s=60.0).start()
    before = len(house.store.turns)
    await house.pass_time(59.0)
    assert len(house.store.turns) == before


@pytest.mark.expect_log("the database does not answer")
async def test_a_page_that_comes_in_a_turn_that_does_not_happen_is_registered_when_the_database_is_back() -> None:
    """Found by the simulator: what was asked meanwhile was thrown away, and the page waited for ever."""
    store = memory_store(SharedStore)
    house = await House(store=store).start()
    who = await house.register("s1", boot="b1")
    store.go.clear()
    before = len(store.turns)
    house.enlist("s2", "echo")
    house.dispatcher._turns.due()
    await eventually(lambda: len(store.turns) > before, what="a turn is under way")
    house.open("s3")
    page = {"op": "register", "types": ["echo"], "boot": "b1", "version": 1, **credentials(who)}
    house.pages.message("s3", json.dumps(page), house.clock.monotonic())
    store.trouble = StorageAway("the database does not answer", retry_after_s=1)
    store.go.set()
    await house.dispatcher.idle()
    store.trouble = None
    await house.pass_time(2.0)
    assert [message["op"] for message in await house.hear("s3")] == ["registered"]
