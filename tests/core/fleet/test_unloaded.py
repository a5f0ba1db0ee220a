"""The tasks that pages could not load: counted as pages come, change and go, so that nobody walks the pages."""

from __future__ import annotations

import random
from itertools import count

from dispatcher.core.fleet.unloaded import UnloadedTasks
from dispatcher.core.fleet.worker import Worker, WorkerState
from dispatcher.core.jobs.views.unloaded import MOST_NAMED_PAGES, MOST_WHYS, Unloaded, UnloadedWhy
from tests.support.operations import operations

BAD, WORSE = "E-TSK-01: line 3: bad", "E-TSK-01: line 4: worse"


def page(number: int, **unloaded: str) -> Worker:
    name = f"KASSE-{number}"
    return Worker(f"w{number}", f"b{number}", name, (), 1, f"s{number}", attempts={}, unloaded=unloaded)


def tasks_of(*pages: Worker) -> UnloadedTasks:
    ticks = count(1)
    tasks = UnloadedTasks(lambda: float(next(ticks)))
    for one in pages:
        tasks.update(one)
    return tasks


def test_of_each_task_it_tells_how_many_pages_lack_it_why_and_since_when() -> None:
    tasks = tasks_of(page(1, label=BAD), page(2, label=BAD, fax=WORSE), page(3, label=WORSE), page(4))
    assert (tasks.pages("label"), tasks.pages("fax"), tasks.pages("echo")) == (3, 1, 0)
    assert tasks.whys("label") == [
        UnloadedWhy(BAD, 2, [("w1", "KASSE-1"), ("w2", "KASSE-2")]),
        UnloadedWhy(WORSE, 1, [("w3", "KASSE-3")]),
    ]
    assert tasks.whys("echo") == []
    assert (tasks.first(2), tasks.first(1)) == ({"label": 1.0, "fax": 3.0}, {"label": 1.0})


def test_a_page_that_loads_it_or_goes_away_is_not_counted_any_more_and_nothing_is_left_of_it() -> None:
    first, second, third = page(1, label=BAD), page(2, label=BAD), page(3, label=BAD)
    tasks = tasks_of(first, second, third)
    first.unloaded = {}
    second.state = WorkerState.AWAY
    for one in (first, second):
        tasks.update(one)
    assert (tasks.pages("label"), tasks.first(9)) == (1, {"label": 1.0})
    third.unloaded = {"label": WORSE}
    tasks.update(third)
    assert (tasks.whys("label"), tasks.first(9)) == ([UnloadedWhy(WORSE, 1, [("w3", "KASSE-3")])], {"label": 1.0})
    tasks.remove(third)
    tasks.remove(third)
    assert (tasks._tasks, tasks._of) == ({}, {})


def test_what_is_told_is_bounded_and_says_that_there_is_more() -> None:
    pages = [page(number, label=f"why {number % 5}") for number in range(50)]
    whys = tasks_of(*pages).whys("label")
    assert [(one.pages, len(one.workers)) for one in whys] == [(10, MOST_NAMED_PAGES)] * MOST_WHYS
    assert whys[0].words() == "why 0 (KASSE-0, KASSE-5, KASSE-10, KASSE-15, KASSE-20 and 5 more)"
    assert Unloaded(50, 60, whys).why().endswith("; and others")


def test_a_sentence_says_who_could_not_load_it_and_why() -> None:
    why = UnloadedWhy(BAD, 2, [("w1", "KASSE-1"), ("w2", "KASSE-2")])
    assert Unloaded(2, 3, [why]).words() == f"2 of 3 pages could not load the task: {BAD} (KASSE-1, KASSE-2)"
    assert Unloaded(2, 2, [why]).sentence() == f"All 2 pages could not load the task: {BAD} (KASSE-1, KASSE-2)."
    assert [Unloaded(pages, pages, [why]).who() for pages in (1, 2)] == ["the only page", "all 2 pages"]


def test_it_knows_what_a_walk_over_all_pages_would_find() -> None:
    rng, pages = random.Random(7), [page(number) for number in range(20)]
    tasks = tasks_of(*pages)
    for _ in range(400):
        one = rng.choice(pages)
        one.unloaded = {name: rng.choice((BAD, WORSE)) for name in ("label", "fax") if rng.random() < 0.5}
        one.session = rng.choice((None, "s"))
        tasks.update(one)
        here = [each for each in pages if each.is_connected()]
        for name in ("label", "fax"):
            found = {why.why: why.pages for why in tasks.whys(name)}
            said = [each.unloaded[name] for each in here if name in each.unloaded]
            assert found == {why: said.count(why) for why in set(said)}
            assert tasks.pages(name) == len(said)


def test_a_look_and_a_change_cost_the_same_at_100_and_at_10_000_pages() -> None:
    costs = []
    for number in (100, 10_000):
        tasks = tasks_of(*(page(one, label=BAD) for one in range(number)))
        again, same = page(7, label=WORSE), page(number + 1, label=BAD)
        costs.append(
            [
                operations(lambda tasks=tasks: tasks.whys("label")),  # type: ignore[misc]
                operations(lambda tasks=tasks, again=again: tasks.update(again)),  # type: ignore[misc]
                operations(lambda tasks=tasks, same=same: tasks.update(same)),  # type: ignore[misc]
            ]
        )
        assert operations(lambda tasks=tasks, same=same: tasks.update(same)) < 10  # type: ignore[misc]
    assert costs[0] == costs[1]
