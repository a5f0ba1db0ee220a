"""Lists of workers for people, with filters and pages, and counts that cost nothing to read."""

from __future__ import annotations

import random

import pytest

from dispatcher.core.fleet.roster import MOST_LOOKED_AT, NameNews, Roster, shown_state
from dispatcher.core.fleet.worker import Attempt, AttemptState, Worker, WorkerState
from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import WorkerFilter
from tests.core.workers.support import claim
from tests.support.operations import operations


def worker(number: int, name: str = "", *lanes: str, state: WorkerState = WorkerState.CONNECTED) -> Worker:
    return Worker(f"w{number:05d}", f"b{number}", name, lanes or ("echo",), 1, None, state=state, attempts={})


def roster_of(*workers: Worker) -> Roster:
    roster = Roster()
    for one in workers:
        roster.update(one)
    return roster


def walked(roster: Roster, **wanted: object) -> list[str]:
    """All pages of a list, one after the other."""
    asked, found, after = WorkerFilter(**wanted), [], None  # type: ignore[arg-type]
    while True:
        ids, after = roster.page(asked, after)
        assert len(ids) <= asked.limit
        found += ids
        if after is None:
            return found


def test_workers_stand_by_name_and_then_by_id():
    roster = roster_of(worker(3, "b"), worker(2, "a"), worker(1, "b"))
    assert walked(roster) == ["w00002", "w00001", "w00003"]


def test_names_stand_as_people_count():
    names = ["DESK", "DESK-1", "DESK-2", "DESK-2-9", "DESK-2-10", "DESK-9", "DESK-01", "DESK-10", "DESK-11"]
    names += ["DESK-100", f"DESK-{'1' * 30}", f"DESK-{'2' * 25}", "DESK-A"]
    shuffled = random.Random(7).sample(names, len(names))
    roster, called = Roster(), {}
    for number, name in enumerate(shuffled):
        roster.update(one := worker(number, name))
        called[one.id] = name
    assert [called[id_] for id_ in walked(roster, limit=3)] == names
    assert [called[id_] for id_ in walked(roster, name="DESK-1", limit=2)] == [
        "DESK-1",
        "DESK-10",
        "DESK-11",
        "DESK-100",
        f"DESK-{'1' * 30}",
    ]
    assert [called[id_] for id_ in walked(roster, name="DESK-2-", limit=1)] == ["DESK-2-9", "DESK-2-10"]
    assert [roster.called(name) for name in names] == [1] * len(names)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_show_every_worker_once(limit):
    roster = roster_of(*(worker(n, f"page-{n % 3}") for n in range(7)))
    assert walked(roster, limit=limit) == walked(roster, limit=1_000)
    assert len(set(walked(roster, limit=limit))) == 7


def test_the_last_page_says_that_it_is_the_last():
    roster = roster_of(worker(1, "a"), worker(2, "a"), worker(3, "b"))
    assert roster.page(WorkerFilter(limit=3), None)[1] is None
    assert roster.page(WorkerFilter(limit=2, name="a"), None)[1] is None, "what follows has another name"
    assert roster.page(WorkerFilter(limit=2), None)[1] == ("a", "w00002")


def test_a_list_goes_on_where_a_worker_has_gone_meanwhile():
    there = [worker(n, "a") for n in range(4)]
    roster = roster_of(*there)
    _, after = roster.page(WorkerFilter(limit=2), None)
    roster.remove(there[1])
    assert roster.page(WorkerFilter(limit=2), after) == (["w00002", "w00003"], None)


def test_filters_are_all_asked():
    roster = roster_of(
        worker(1, "DESK-1", "echo", "scan"),
        worker(2, "DESK-2", "echo", state=WorkerState.QUIET),
        worker(3, "KIOSK", "scan"),
    )
    assert walked(roster, name="DESK") == ["w00001", "w00002"]
    assert walked(roster, type="scan") == ["w00001", "w00003"]
    assert walked(roster, state="quiet") == ["w00002"]
    assert walked(roster, name="DESK", type="scan", state="connected") == ["w00001"]
    assert walked(roster, type="scan", state="quiet") == []
    assert walked(roster, type="nobody's") == []
    assert walked(roster, name="x") == []


def test_workers_are_found_by_a_label():
    roster = roster_of(one := worker(1, "a"), two := worker(2, "b"), worker(3, "c"))
    one.labels, two.labels = (("floor", "2"), ("site", "berlin:mitte")), (("site", "berlin"),)
    for changed in (one, two):
        roster.update(changed)
    assert walked(roster, label="site:berlin:mitte") == ["w00001"]
    assert walked(roster, label="site:berlin", type="echo") == ["w00002"]
    assert walked(roster, label="site:berlin", name="a") == walked(roster, label="site") == []
    one.labels = ()
    roster.update(one)
    assert walked(roster, label="floor:2") == []
    assert walked(roster, type="echo") == ["w00001", "w00002", "w00003"]


def test_workers_are_found_by_their_whole_name_as_by_a_label():
    roster = roster_of(worker(1, "DESK-1"), worker(2, "DESK-1", "scan"), worker(3, "DESK-10"), worker(4, "DESK"))
    assert walked(roster, label="name:DESK-1") == walked(roster, label="name:DESK-1", name="DE") == ["w00001", "w00002"]
    assert walked(roster, label="name:DESK-1", type="scan") == ["w00002"]
    assert walked(roster, label="name:DESK-1", name="K") == walked(roster, label="name:DESK-2") == []


def test_workers_of_one_name_are_counted_unless_they_are_away():
    workers = [worker(1, "a"), worker(2, "a"), worker(3, "a", state=WorkerState.QUIET), worker(4, "ab"), worker(5, "b")]
    roster = roster_of(*workers)
    assert [roster.called(name) for name in ("a", "ab", "b", "c", "")] == [3, 1, 1, 0, 0]
    workers[0].aside, workers[1].state = True, WorkerState.AWAY
    for one in workers:
        roster.update(one)
    assert roster.called("a") == 2


def test_a_worker_that_is_set_aside_is_shown_as_that():
    one = worker(1, "a")
    one.aside = True
    assert shown_state(one) == "set_aside"
    roster = roster_of(one)
    assert roster.states() == {"set_aside": 1}
    assert walked(roster, state="set_aside") == ["w00001"]


def test_what_nobody_is_or_offers_any_more_leaves_nothing_behind():
    roster = roster_of(one := worker(1, "a", "x"))
    one.name, one.types, one.state, one.labels = "b", ("y",), WorkerState.AWAY, (("site", "x"),)
    roster.update(one)
    assert (roster.offering("x"), roster.offering("y"), roster.states()) == (0, 1, {"away": 1})
    roster.remove(one)
    roster.remove(one)
    assert not roster._lists
    assert not roster._entries


def test_a_worker_of_which_only_the_name_changes_stands_where_it_belongs():
    roster = roster_of(one := worker(1, "z"), worker(2, "m"))
    one.name = "a"
    roster.update(one)
    assert walked(roster) == walked(roster, type="echo") == walked(roster, state="connected") == ["w00001", "w00002"]


def test_two_filters_that_exclude_each_other_are_given_up_after_a_while():
    half = MOST_LOOKED_AT + 10
    workers = [worker(n, "", "a") for n in range(half)]
    workers += [worker(half + n, "", "b", state=WorkerState.AWAY) for n in range(half)]
    roster = roster_of(*workers)
    found, after = roster.page(WorkerFilter(type="a", state="away"), None)
    assert (found, after is not None) == ([], True)
    assert walked(roster, type="a", state="away") == []


def attempt(name: str, *, live: bool = True) -> Attempt:
    state = AttemptState.RUNNING if live else AttemptState.REVOKED
    return Attempt(claim(name), state, "w", "b", "n")


def test_workers_are_found_by_what_they_do():
    there = [worker(number, "a") for number in range(7)]
    there[1].attempts["a1"] = attempt("a1")
    there[2].attempts["a2"] = attempt("a2", live=False)
    there[3].held, there[4].paused = Hold(1.0, "ann"), True
    there[4].attempts["a4"] = attempt("a4")
    there[5].aside = True
    there[6].state = WorkerState.AWAY
    roster = roster_of(*there)
    told = {doing: walked(roster, state=doing, limit=2) for doing in WorkerDoing}
    assert told == {"ready": ["w00000"], "busy": ["w00001"], "stuck": ["w00002"], "paused": ["w00003", "w00004"]}
    assert walked(roster, state="busy", type="echo") == ["w00001"]
    there[4].paused = False
    roster.update(there[4])
    assert (walked(roster, state="paused"), walked(roster, state="busy")) == (["w00003"], ["w00001", "w00004"])
    for one in there:
        roster.remove(one)
    assert not roster._lists


def big(count: int) -> Roster:
    """``count`` workers, in all states, half of them with a type of their own."""
    rng, roster = random.Random(count), Roster()
    for number in rng.sample(range(count), count):
        lanes = ("echo", f"own-{number}") if number % 2 else ("echo",)
        one = worker(number, f"page-{number:05d}", *lanes, state=list(WorkerState)[number % 3])
        one.labels = (("asset", f"{number}"), ("site", "berlin"))
        roster.update(one)
    return roster


@pytest.mark.parametrize(
    "wanted",
    [
        WorkerFilter(limit=50),
        WorkerFilter(limit=50, name="page-0000"),
        WorkerFilter(limit=20, type="echo", state="quiet"),
        WorkerFilter(limit=50, type="own-77"),
        WorkerFilter(limit=50, label="asset:77"),
        WorkerFilter(limit=50, label="site:berlin"),
        WorkerFilter(limit=50, label="name:page-00077"),
        WorkerFilter(limit=20, state="ready"),
        WorkerFilter(limit=20, state="paused"),
    ],
    ids=str,
)
def test_a_page_of_the_list_costs_the_same_with_a_hundred_workers_and_with_ten_thousand(wanted):
    few, many = big(100), big(10_000)
    assert operations(lambda: many.page(wanted, None)) <= 1.1 * operations(lambda: few.page(wanted, None))


def test_counts_and_changes_cost_the_same_with_a_hundred_workers_and_with_ten_thousand():
    def use(roster: Roster) -> int:
        one = worker(77, "page-00077", "echo", "own-77")

        def act() -> None:
            roster.states(), roster.offering("echo"), roster.called("page-00077")
            roster.update(one)
            one.state = WorkerState.AWAY
            roster.update(one)
            roster.remove(one)

        return operations(act)

    assert use(big(10_000)) == use(big(100))


def test_it_tells_once_which_names_have_come_and_gone():
    first, second, nameless = worker(1, "DESK"), worker(2, "DESK"), worker(3, "page-w00003")
    roster = roster_of(first, second, nameless)
    assert roster.take_news() == {"DESK": NameNews("w00002", True)}
    assert roster.take_news() == {}
    roster.remove(first)
    assert (roster.take_news(), roster.is_here("DESK")) == ({}, True)
    second.name = "SHOP"
    roster.update(second)
    assert roster.take_news() == {"DESK": NameNews("w00002", False), "SHOP": NameNews("w00002", True)}
    roster.remove(second)
    roster.remove(nameless)
    assert (roster.take_news(), roster.is_here("SHOP")) == ({"SHOP": NameNews("w00002", False)}, False)


def test_a_name_that_its_worker_gives_up_for_none_is_told_as_that():
    roster = roster_of(one := worker(1, "DESK"))
    roster.take_news()
    one.name = "page-w00001"
    roster.update(one)
    assert roster.take_news() == {"DESK": NameNews("w00001", False, gave_up=True)}


def test_it_tells_once_which_workers_have_changed_in_its_lists():
    roster = roster_of(one := worker(1, "A"), other := worker(2, "B"))
    assert roster.take_stirred() == ["w00001", "w00002"]
    one.done = 7
    roster.update(one)
    assert roster.take_stirred() == []
    one.state = WorkerState.AWAY
    roster.update(one)
    roster.remove(other)
    assert roster.take_stirred() == ["w00001", "w00002"]
