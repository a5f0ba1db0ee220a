"""The list of workers where several servers share the store: it says which of them has each page."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import WorkerFilter, WorkerStatus, WorkerView
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=60)


class _Elsewhere:
    """The reads of a store of which another node has a worker."""

    other = WorkerView(
        id="w-other", name="DESK-2", state=WorkerStatus.CONNECTED, paused=False, types=["echo"], slots=1, jobs=[],
        done=None, failed=None, connected_s=5.0, last_contact_s=None, page={}, remote="", node="b",
    )  # fmt: skip

    async def page(self, wanted: WorkerFilter, after: tuple[str, str] | None, most: int) -> list[WorkerView]:
        return [self.other] if after is None else []

    async def counts(self) -> dict[str, int]:
        return {"connected": 1}

    async def one(self, worker_id: str) -> WorkerView | None:
        return self.other if worker_id == self.other.id else None


async def test_with_one_node_there_is_no_column_of_nodes(browser: Browser, house: House) -> None:
    await house.register("s1", name="DESK-1")
    assert 'data-label="Node"' not in (await browser.get("/workers")).body.decode()


async def test_with_several_nodes_each_worker_has_its_node_and_what_is_not_known_is_left_out(
    browser: Browser, ask: Ask, house: House
) -> None:
    await house.register("s1", name="DESK-1")
    house.store.beat_s, house.store.seen = 1.0, _Elsewhere()
    page = (await browser.get("/workers")).body.decode()
    assert page.index("DESK-1") < page.index("DESK-2")
    assert page.count('data-label="Node"') == 2
    assert page.count('<td data-label="Done today">–</td>') == 1
    assert "2 connected" in page
    assert body_of(await ask("/api/v1/stats"))["workers"] == {"connected": 2}
    here, other = body_of(await ask("/api/v1/workers"))["items"]
    assert (here["node"], here["done"]) == ("main", 0)
    assert (other["node"], other["done"], other["failed"], other["last_contact_s"]) == ("b", None, None, None)
    assert (await browser.get("/workers/w-other")).code == 200
