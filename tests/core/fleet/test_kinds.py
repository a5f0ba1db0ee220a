"""Connected pages by what they have: nobody walks the pages to say which of them have an old task."""

from __future__ import annotations

import random

from dispatcher.core.fleet.kinds import PageKinds
from dispatcher.core.fleet.worker import Worker, WorkerState
from tests.support.operations import operations

OLD, NEW = "aaaaaaaaaaaa-1", "bbbbbbbbbbbb-2"


def page(number: int, version: str = OLD, *types: str) -> Worker:
    names = types or ("echo",)
    return Worker(
        f"w{number}", f"b{number}", f"desk-{number}", names, 1, f"s{number}", attempts={},
        versions={name: version for name in names if version},
    )  # fmt: skip


def kinds_of(*pages: Worker) -> PageKinds:
    kinds = PageKinds()
    for one in pages:
        kinds.update(one)
    return kinds


def told(kinds: PageKinds, offered: dict[str, str]) -> list[tuple[list[str], list[str] | None]]:
    return [(sorted(kind.workers), kind.old) for kind in kinds.old(offered)]


def test_pages_that_have_the_same_are_one_kind_whichever_page_came_with_it_first() -> None:
    kinds = kinds_of(page(1), page(2), page(3, NEW), page(4, ""))
    assert sorted(sorted(kind.workers) for kind in kinds.all()) == [["w1", "w2"], ["w3"], ["w4"]]
    assert told(kinds, {"echo": NEW}) == [(["w1", "w2"], ["echo"])]


def test_a_page_that_goes_away_or_has_something_else_leaves_its_kind() -> None:
    first, second = page(1), page(2)
    kinds = kinds_of(first, second)
    first.state = WorkerState.AWAY
    second.versions = {"echo": NEW}
    for one in (first, second):
        kinds.update(one)
    assert [sorted(kind.workers) for kind in kinds.all()] == [["w2"]]
    kinds.remove(second)
    kinds.remove(second)
    assert (list(kinds.all()), kinds._of) == ([], {})


def test_a_file_that_changes_makes_its_pages_old_and_one_that_changes_back_makes_them_new() -> None:
    kinds, offered = kinds_of(page(1, OLD, "echo", "fax")), {"echo": OLD, "fax": OLD}
    assert told(kinds, offered) == []
    offered["fax"] = NEW
    assert told(kinds, offered) == [(["w1"], ["fax"])]
    assert told(kinds, {"echo": OLD}) == []


def test_kinds_are_those_that_a_walk_over_all_pages_would_find() -> None:
    rng, pages = random.Random(7), [page(number) for number in range(20)]
    kinds = kinds_of(*pages)
    for _ in range(400):
        one = rng.choice(pages)
        one.versions = {"echo": rng.choice((OLD, NEW))}
        one.state = rng.choice((WorkerState.CONNECTED, WorkerState.QUIET))
        one.session = rng.choice((None, "s"))
        kinds.update(one)
        here = [each for each in pages if each.is_connected()]
        old = {each.id for each in here if each.versions["echo"] == OLD}
        assert {worker for kind in kinds.old({"echo": NEW}) for worker in kind.workers} == old
        assert sum(len(kind.workers) for kind in kinds.all()) == len(here)


def test_a_look_and_a_change_cost_the_same_at_100_and_at_10_000_pages() -> None:
    costs = []
    for count in (100, 10_000):
        kinds = kinds_of(*(page(number, NEW if number % 2 else OLD) for number in range(count)))
        looks = operations(lambda kinds=kinds: kinds.old({"echo": NEW}))  # type: ignore[misc]
        again = page(count + 1)
        costs.append((looks, operations(lambda kinds=kinds, again=again: kinds.update(again))))  # type: ignore[misc]
        assert operations(lambda kinds=kinds, again=again: kinds.update(again)) < 10  # type: ignore[misc]
    assert costs[0] == costs[1]
