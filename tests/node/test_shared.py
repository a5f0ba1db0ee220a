"""A node whose store other nodes may have, too: here the store is one in memory that says so."""

from __future__ import annotations

import pytest

from tests.support.house import House, TroubledStore, memory_store

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
