"""Every turn says which node speaks, and a change says who asked for it."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor
from tests.support.house import House
from tests.support.scenes import asked_for, submit, three_for_commands

pytestmark = pytest.mark.gen_test


async def test_every_turn_says_which_node_speaks_and_in_which_life():
    house = await House().start()
    await submit(house)
    assert {(turn.node, turn.epoch) for turn in house.store.turns} == {("main", house.store.epoch)}


@pytest.mark.parametrize("given", [{}, {"actor": Actor("anna")}])
async def test_the_changes_of_each_command_have_its_actor(given):
    house = await House().start()
    await three_for_commands(house)
    dispatcher = house.dispatcher
    await dispatcher.cancel("waiting", "", **given)
    await dispatcher.retry("waiting", **given)
    await dispatcher.decide("doubt", None, "", **given)
    await dispatcher.reopen("doubt", "it came out", **given)
    await dispatcher.adopt("late", **given)
    wanted = [(state, "anna") for state in ("cancelled", "queued", "failed", "in_doubt", "succeeded")]
    assert asked_for(house) == (wanted if given else [])
