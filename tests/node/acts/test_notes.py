"""What a server notes about itself: its start and its end, and other versions of its tasks."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.node.acts.notes import ServerNotes
from tests.support.house import House

pytestmark = pytest.mark.gen_test

OLD, NEW, TOUCHED = "aaaaaaaaaaaa-1764400000", "bbbbbbbbbbbb-1764500000", "aaaaaaaaaaaa-1764600000"


class Life:
    """One life of a server in this house."""

    def __init__(self, house: House) -> None:
        self.house, self.files = house, {"echo": OLD, "fax": OLD}
        self.notes = ServerNotes(house.dispatcher.access, node="main", version="9.9", offered=lambda: self.files)

    async def noted(self, action: str) -> list[tuple[str, str]]:
        await self.house.dispatcher.idle()
        page = await self.house.store.acts(AuditFilter(action=action))
        return [(act.target, act.detail) for act in reversed(page.items)]


async def test_a_version_is_noted_once_with_the_one_before_also_over_a_restart() -> None:
    house = await House().start()
    life = Life(house)
    await life.notes.begin()
    life.notes.look()
    seen = [("echo", OLD), ("fax", OLD)]
    assert await life.noted("task.version") == seen
    life.files["fax"] = NEW
    life.notes.look()
    life.notes.look()
    seen.append(("fax", f"{NEW} was {OLD}"))
    assert await life.noted("task.version") == seen
    again = Life(house)
    again.files = {"echo": TOUCHED, "fax": OLD, "scan": NEW}
    await again.notes.begin()
    assert await again.noted("task.version") == [*seen, ("fax", f"{OLD} was {NEW}"), ("scan", NEW)]


async def test_a_start_and_the_beginning_of_the_end_are_noted_with_node_and_version() -> None:
    life = Life(await House().start())
    await life.notes.begin()
    life.notes.end()
    assert await life.noted("server.start") == await life.noted("server.stop") == [("main", "9.9")]
