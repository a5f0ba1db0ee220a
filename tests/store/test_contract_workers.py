"""The contract of a store: the workers that were here and have gone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.jobs.acts.kept import ForgetWorker, Hold, KeepWorker, KeptWorker
from dispatcher.core.jobs.habits import CallRoll, Habit, RollHour, called, is_usual
from dispatcher.core.jobs.turn import WorkersMoved
from dispatcher.store import requests
from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.names import MemoryNames
from tests.store.conftest import OpenDesk
from tests.store.contract import Desk, Kind


def moved(desk: Desk, *, here: tuple[str, ...] = (), gone: tuple[str, ...] = (), nobody: bool = False) -> float:
    """One turn says so; returns its instant."""
    at = desk.now_at
    assert desk.command(WorkersMoved(here, gone, nobody)).done
    return at


def missing(desk: Desk, prefix: str = "", after: str | None = None, most: int = 100) -> dict[str, float]:
    return {one.name: one.gone_at for one in desk.run(desk.store.names.missing(prefix, after, most))}


def test_a_worker_is_missing_from_when_it_went_until_it_comes_back(desk: Desk) -> None:
    moved(desk, here=("B", "A"))
    assert missing(desk) == {}
    at = moved(desk, gone=("A",))
    desk.pass_time(50.0)
    assert missing(desk) == {"A": at}
    later = moved(desk, gone=("A", "C"))
    assert missing(desk) == {"A": later, "C": later}
    moved(desk, here=("A",))
    assert missing(desk) == {"C": later}


def test_whoever_was_here_in_an_earlier_life_is_missing_until_it_comes_back(desk: Desk) -> None:
    before = moved(desk, here=("A", "B", "C"), gone=("D",))
    at = moved(desk, here=("B",), nobody=True)
    assert missing(desk) == {"A": at, "C": at, "D": before}


def test_the_missing_are_listed_by_name_from_a_place_on(desk: Desk) -> None:
    names = ("a", "desk-1", "desk-2", "desk-3", "desk\U0010ffff", "desl", "é", "\U0001f600")
    moved(desk, gone=names[::-1])
    assert list(missing(desk)) == list(names)
    assert list(missing(desk, "desk")) == list(names[1:5])
    assert list(missing(desk, "desk-", "desk-1", 1)) == ["desk-2"]
    assert list(missing(desk, "desk\U0010ffff")) == ["desk\U0010ffff"]
    assert list(missing(desk, "", "desl")) == ["é", "\U0001f600"]
    assert list(missing(desk, "\U0010ffff")) == []


def test_the_missing_are_listed_as_people_count(desk: Desk) -> None:
    moved(desk, gone=("desk-10", "desk-2", "desk-1", "desk-1b", "desk-100", "till-1"))
    assert list(missing(desk)) == ["desk-1", "desk-1b", "desk-2", "desk-10", "desk-100", "till-1"]
    assert list(missing(desk, "desk-1")) == ["desk-1", "desk-1b", "desk-10", "desk-100"]
    assert list(missing(desk, "desk-1", "desk-1b", 1)) == ["desk-10"]
    assert list(missing(desk, "", "desk-2", 2)) == ["desk-10", "desk-100"]


def test_the_missing_outlive_a_restart(durable: Desk) -> None:
    at = moved(durable, here=("A",), gone=("B",))
    durable.reopen()
    assert missing(durable) == {"B": at}
    assert set(missing(durable, "A")) == set()
    moved(durable, nobody=True)
    assert list(missing(durable)) == ["A", "B"]


def test_the_missing_are_forgotten_after_their_retention_by_the_queue_clock(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, worker_retention_s=1_000.0)
    moved(desk, here=("here",), gone=("first",))
    desk.now_at += 1e9  # a wall clock that is wrong for a while
    desk.pass_time(600.0)
    moved(desk, gone=("second",))
    desk.pass_time(399.0)
    desk.turn()
    assert list(missing(desk)) == ["first", "second"]
    desk.pass_time(PURGE_EVERY_S)
    desk.turn()
    assert list(missing(desk)) == ["second"]
    desk.pass_time(2_000.0)
    desk.turn()
    moved(desk, nobody=True)
    assert list(missing(desk)) == ["here"]


def test_no_more_than_a_bounded_number_of_them_is_kept(desk: Desk) -> None:
    moved(desk, gone=tuple(f"old-{number}" for number in range(20)))
    desk.pass_time(PURGE_EVERY_S)
    moved(desk, gone=tuple(f"new-{number}" for number in range(requests.MOST_MISSING)))
    desk.pass_time(PURGE_EVERY_S)
    desk.turn()
    assert missing(desk, "old") == {}
    assert len(missing(desk, "", None, 20_000)) == requests.MOST_MISSING


def test_a_name_that_the_store_cannot_hold_keeps_nothing_else_from_being_stored(desk: Desk) -> None:
    report = desk.turn(commands=[WorkersMoved(gone=("\ud800",)), WorkersMoved(gone=("A",))])
    assert [one.done for one in report.commands] == [False, True]
    assert list(missing(desk)) == ["A"]


@pytest.mark.parametrize("count", [10, 1_000])
def test_memory_keeps_no_trace_of_who_came_back(count: int) -> None:
    kept = MemoryNames()
    for number in range(count):
        kept.went(f"desk-{number}", 1.0, float(number))
    for number in range(count):
        kept.came(f"desk-{number}")
    assert (kept._gone, kept._names, kept._ages) == ({}, [], [])


def usual(desk: Desk, *hours: int, past: bool = False, most: int = 100) -> tuple[int, int, list[str]]:
    found = desk.run(desk.store.names.usual([RollHour(hour, past) for hour in hours], most))
    return found.workers, found.gone, [one.name for one in found.some]


def call(desk: Desk, hour: int, since_s: float = 0.0) -> None:
    assert desk.command(CallRoll(hour, desk.now_at - since_s)).done


def test_a_roll_call_notes_who_is_here_and_who_has_only_just_gone(desk: Desk) -> None:
    moved(desk, here=("A", "B"), gone=("C",))
    desk.pass_time(100.0)
    moved(desk, gone=("B",))
    desk.pass_time(10.0)
    call(desk, 5, since_s=60.0)
    call(desk, 6, since_s=5.0)
    assert usual(desk, 5, 5) == (2, 1, ["B"])
    assert usual(desk, 5, 6) == (1, 0, [])
    assert usual(desk, 6, 7) == (0, 0, [])


def test_a_habit_stays_when_its_worker_goes_and_comes_and_outlives_a_restart(durable: Desk) -> None:
    moved(durable, here=("A", "B"))
    call(durable, 167)
    moved(durable, gone=("A",))
    call(durable, 0)
    moved(durable, here=("A",), gone=("B",))
    moved(durable, nobody=True)
    durable.reopen()
    assert usual(durable, 167, 167) == (2, 2, ["A", "B"])
    assert usual(durable, 167, 0) == (1, 1, ["B"])


def test_those_that_went_last_are_told_first_and_no_more_than_are_wanted(desk: Desk) -> None:
    moved(desk, here=("A", "B", "C", "D"))
    call(desk, 5)
    for names in (("C",), ("B", "A")):
        desk.pass_time(10.0)
        moved(desk, gone=names)
    assert usual(desk, 5, 5) == (4, 3, ["A", "B", "C"])
    assert usual(desk, 5, 5, most=2) == (4, 3, ["A", "B"])


def test_each_store_takes_for_usual_what_the_rule_does(desk: Desk) -> None:
    """Workers are known from one roll call on, and here at some, in all ways; each hour is called twice."""
    hours = (6, 7, 8, 30, 31, 32) * 2
    habits: dict[str, Habit] = {}
    for number, hour in enumerate(hours):
        names = [f"{known:02d}-{ways:02d}" for known in range(number + 1) for ways in range(32)]
        here = {name: bool(int(name[3:]) >> (number + int(name[:2])) % 5 & 1) for name in names}
        moved(desk, here=tuple(filter(here.get, names)), gone=tuple(name for name in names if not here[name]))
        call(desk, hour)
        habits = {name: called(habits.get(name, Habit()), hour, here=here[name]) for name in names}
        for first, last in ((6, 7), (7, 8), (6, 8), (30, 31), (31, 32), (30, 32)):
            for past in range(first - 1, last + 1):
                asked = [RollHour(one, one <= past) for one in range(first, last + 1)]
                found = desk.run(desk.store.names.usual(asked, 0))
                assert found.workers == sum(is_usual(habit, asked) for habit in habits.values())


def test_a_sign_that_is_not_there_yet_is_that_of_the_day_before(desk: Desk) -> None:
    moved(desk, here=("A", "B"))
    call(desk, 6)
    moved(desk, gone=("B",))
    call(desk, 29)
    assert usual(desk, 30, 30)[0] == 2, "24 hours after 6"
    assert usual(desk, 29, 30)[0] == 1
    call(desk, 30)
    assert usual(desk, 30, 30)[0] == 1
    call(desk, 150)
    assert usual(desk, 6, 6)[0] == 2, "the week goes round, and 6 has a sign of its own"
    assert usual(desk, 150, 6)[0] == 1
    assert usual(desk, 174 % 168, 150)[0] == 1


def test_the_sign_of_a_week_earlier_stays_when_the_roll_is_called_anew(desk: Desk) -> None:
    moved(desk, here=("A",), gone=("B",))
    call(desk, 5)
    moved(desk, here=("B",), gone=("A",))
    call(desk, 5)
    assert usual(desk, 5, 5, past=True) == (1, 1, ["A"])
    assert usual(desk, 5, 5) == (1, 0, [])
    call(desk, 5)
    assert usual(desk, 5, 5, past=True) == (1, 0, [])


def test_a_worker_that_is_forgotten_is_missing_no_more_and_nothing_is_kept_of_it(desk: Desk) -> None:
    moved(desk, here=("A", "B", "C"))
    call(desk, 5)
    moved(desk, gone=("A", "B"))
    hold = Hold(1.0, "ann")
    kept = [KeptWorker(id=worker, called=name, paused=hold) for worker, name in (("w1", "A"), ("w2", "A"))]
    desk.turn(commands=[KeepWorker(one, "worker.pause") for one in kept])
    ann = Actor("ann")
    part = replace(ann, operation="o1")
    forgotten = [
        ForgetWorker("w1", "A", "scrapped", ann),
        ForgetWorker("", "C", "", ann),
        ForgetWorker("w9", "D", "", part),
    ]
    assert all(report.done for report in desk.turn(commands=forgotten).commands)
    assert list(missing(desk)) == ["B"]
    assert usual(desk, 5, 5) == (2, 1, ["B"]), "C is here, whatever somebody says"
    assert desk.run(desk.store.kept.workers()) == kept[1:]
    acts = desk.run(desk.store.acts(AuditFilter(action="worker.forget"))).items
    assert [(act.target, act.detail) for act in acts] == [("name:C", ""), ("w1", "scrapped")]
    moved(desk, gone=("A",))
    assert usual(desk, 5, 5)[0] == 2, "its habit begins anew"
