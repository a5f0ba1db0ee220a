"""Which pages load anew next, and what is wrong with one that was told to."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.fleet.rolling import BACK_S, REST_S, Rolling, RolloutTrouble
from dispatcher.core.fleet.worker import Worker, WorkerState

OLD, NEW, NEWER = "aaaaaaaaaaaa-1", "bbbbbbbbbbbb-2", "cccccccccccc-3"
OFFERED = {"echo": NEW}
#: When the pages of these tests have been here for long enough.
LATER = 1_000.0


def page(number: int, *, boot: str = "one", version: str = OLD, busy: bool = False, **fields: Any) -> Worker:
    types = fields.pop("types", ("echo",))
    attempts: dict[str, Any] = {"a1": None} if busy else {}
    versions = {name: version for name in types}
    return Worker(f"w{number}", boot, f"desk-{number}", types, 1, "s", attempts=attempts, versions=versions, **fields)


class Site:
    """Pages, and a rollout over them."""

    def __init__(self, *pages: Worker, offered: dict[str, str] | None = None) -> None:
        self.workers = {one.id: one for one in pages}
        self.offered = OFFERED if offered is None else offered
        self.rolling = Rolling()

    def told(self, *, most: int = 10, room: int = 10, now: float = LATER) -> list[str]:
        """Names of those that are told now."""
        old = list(self.workers.values())
        return [one.name for one in self.rolling.step(old, self.offered, now, most=most, room=room)]

    def seen(self, now: float = LATER) -> str:
        """The code of what is wrong; empty: nothing is."""
        trouble: RolloutTrouble | None = self.rolling.see(self.workers, self.offered, now)
        return "" if trouble is None else trouble.code

    def back(self, number: int, **fields: Any) -> None:
        """The page has loaded anew."""
        self.workers[f"w{number}"] = page(number, **({"boot": "two", "version": NEW} | fields))


def test_so_many_are_told_at_once_and_the_next_when_one_is_back() -> None:
    site = Site(*(page(number) for number in range(4)))
    assert site.told(most=2) == ["desk-0", "desk-1"]
    assert (site.rolling.reloading, site.rolling.left, site.rolling.is_over) == (["desk-0", "desk-1"], 2, False)
    assert site.told(most=2) == []
    site.back(0)
    assert site.seen() == ""
    assert (site.rolling.reloaded, site.rolling.types) == ({"w0"}, ["echo"])
    del site.workers["w0"]
    assert site.told(most=2) == ["desk-2"]
    assert site.told(most=10, room=0) == []


def test_idle_pages_come_first_and_a_busy_one_only_if_there_is_no_idle_one() -> None:
    site = Site(page(1, busy=True), page(2), page(3, busy=True))
    assert site.told() == ["desk-2"]
    assert site.told() == ["desk-1", "desk-3"]


def test_a_page_that_has_just_come_is_left_alone_for_a_minute() -> None:
    site = Site(page(1, registered=LATER))
    assert (site.told(now=LATER + REST_S - 1), site.rolling.left) == ([], 1)
    assert site.told(now=LATER + REST_S) == ["desk-1"]


def test_it_is_over_when_all_are_back_and_none_is_old() -> None:
    site = Site(page(1))
    site.told()
    site.back(1)
    assert site.seen() == ""
    site.workers.clear()
    assert (site.told(), site.rolling.is_over) == ([], True)


def test_a_page_that_does_not_come_back_within_a_minute_stops_it() -> None:
    site = Site(page(1))
    site.told()
    assert (site.seen(LATER), site.seen(LATER + BACK_S - 1)) == ("", "")
    assert site.seen(LATER + BACK_S) == "not_back"


@pytest.mark.parametrize("here", [True, False])
def test_a_page_that_is_away_or_gone_is_not_back(here: bool) -> None:
    site = Site(page(1))
    site.told()
    site.workers = {"w1": page(1, boot="two", version=NEW, state=WorkerState.AWAY)} if here else {}
    assert site.seen() == ""
    assert site.seen(LATER + BACK_S) == "not_back"


def test_a_busy_page_has_all_the_time_that_its_job_takes() -> None:
    site = Site(page(1, busy=True))
    site.told()
    assert site.seen(LATER + 10 * BACK_S) == ""
    site.workers["w1"].attempts = {}
    assert (site.seen(LATER + 10 * BACK_S), site.seen(LATER + 11 * BACK_S)) == ("", "not_back")


def test_a_page_that_comes_back_without_a_type_stops_it_unless_the_site_has_it_no_more() -> None:
    site = Site(page(1, types=("echo", "fax")), offered={"echo": NEW, "fax": NEW})
    site.told()
    site.back(1, types=("echo",))
    assert (site.seen(), site.seen(LATER + BACK_S)) == ("", "type_gone")
    site.offered = {"echo": NEW}
    assert site.seen(LATER + BACK_S) == ""


def test_a_page_that_comes_back_with_an_old_file_stops_it_unless_the_file_has_changed_once_more() -> None:
    site = Site(page(1))
    site.told()
    site.back(1, version=OLD)
    assert site.seen() == "still_old"
    site.workers["w1"] = page(1)
    site.told()
    site.back(1)
    site.offered = {"echo": NEWER}
    assert (site.seen(), site.rolling.reloaded) == ("", set())
    assert site.told(now=LATER + REST_S) == ["desk-1"]


def test_a_page_that_has_come_to_another_node_is_waited_for_no_more() -> None:
    site = Site(page(1))
    site.told()
    site.rolling.came_elsewhere("w1")
    site.rolling.came_elsewhere("w2")
    site.workers.clear()
    assert (site.seen(LATER + BACK_S), site.rolling.reloading) == ("", [])


def test_what_the_reloaded_pages_had_before_is_known_by_type() -> None:
    site = Site(page(1), page(2, version="9ldest-1"))
    site.told()
    site.back(1)
    site.back(2)
    assert (site.seen(), site.rolling.had) == ("", {"echo": [OLD, "9ldest-1"]})


def test_when_the_site_offers_something_else_those_that_were_told_are_waited_for_and_none_counts() -> None:
    site = Site(page(1), page(2), page(3))
    site.told(most=2)
    site.back(1)
    site.seen()
    site.offered = {"echo": OLD}
    site.rolling.begin_again()
    assert (site.rolling.reloaded, site.rolling.reloading, site.rolling.types) == (set(), ["desk-2"], ["echo"])
    site.back(2, version=OLD)
    assert (site.seen(), site.rolling.reloaded) == ("", {"w2"})


def test_a_page_that_is_lost_is_neither_waited_for_nor_told_again() -> None:
    site = Site(page(1), page(2))
    assert site.told() == ["desk-1", "desk-2"]
    trouble = [site.rolling.see(site.workers, site.offered, now) for now in (LATER, LATER + BACK_S)][-1]
    assert trouble is not None
    assert (trouble.worker, trouble.name) == ("w1", "desk-1")
    site.rolling.lose("w1")
    site.rolling.lose("w2")
    assert (site.seen(LATER + 2 * BACK_S), site.told(now=LATER + 2 * BACK_S), site.rolling.is_over) == ("", [], True)
