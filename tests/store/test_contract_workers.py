"""The contract of a store: the workers that were here and have gone."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import WorkersMoved
from dispatcher.store import requests
from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.missing import Missing
from tests.store.conftest import OpenDesk
from tests.store.contract import Desk, Kind


def moved(desk: Desk, *, here: tuple[str, ...] = (), gone: tuple[str, ...] = (), nobody: bool = False) -> float:
    """One turn says so; returns its instant."""
    at = desk.now_at
    assert desk.command(WorkersMoved(here, gone, nobody)).done
    return at


def missing(desk: Desk, prefix: str = "", after: str | None = None, most: int = 100) -> dict[str, float]:
    return {one.name: one.gone_at for one in desk.run(desk.store.missing(prefix, after, most))}


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
    kept = Missing()
    for number in range(count):
        kept.add(f"desk-{number}", 1.0, float(number))
    for number in range(count):
        kept.remove(f"desk-{number}")
    assert (kept._gone, kept._names, kept._ages) == ({}, [], [])
