"""The list of servers that share the store: here the one that has it for itself."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_a_server_that_has_its_store_for_itself_is_one_node(ask: Ask, house: House) -> None:
    await house.register("s1")
    told = body_of(await ask("/api/v1/nodes"))
    [node] = told["items"]
    assert (node["name"], node["state"], node["epoch"], node["workers"], node["attempts"]) == ("main", "live", 1, 1, 0)
    assert node["self"] is True
    assert told["next_cursor"] is None


async def test_a_worker_says_which_node_has_its_page(ask: Ask, house: House) -> None:
    who = await house.register("s1")
    assert body_of(await ask(f"/api/v1/workers/{who['worker']}"))["node"] == "main"
    assert [worker["node"] for worker in body_of(await ask("/api/v1/workers"))["items"]] == ["main"]
