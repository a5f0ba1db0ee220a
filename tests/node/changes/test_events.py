"""The ring keeps the newest changes under their numbers, and says what is missing."""

from __future__ import annotations

import random
from functools import partial

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.changes import ChangeFilter
from dispatcher.errors import BadParameter
from dispatcher.node.changes.events import Ring
from tests.support.operations import operations

ALL = ChangeFilter()
NEW = Change("job", "echo", None, JobState.QUEUED, 1.0, None, None, None)


def changes(first: int, count: int) -> list[Change]:
    """Changes of the jobs ``first``, ``first`` + 1 and so on."""
    return [replace(NEW, job=str(number)) for number in range(first, first + count)]


def filled(count: int, kept: int) -> Ring:
    ring = Ring(kept, "life")
    ring.add(changes(1, count))
    return ring


def jobs(ring: Ring, after: int, wanted: ChangeFilter = ALL, **given: int) -> list[int]:
    items, _ = ring.take(after, wanted, **({"most": 10**6, "judged": 10**6} | given))
    assert [getattr(item.event, "job", None) for item in items] == [str(item.number) for item in items]
    return [item.number for item in items]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_turns_bring_the_newest_changes_are_kept_in_order(seed: int) -> None:
    rng = random.Random(seed)
    kept = rng.randint(1, 12)
    ring, told = Ring(kept, "life"), 0
    for _ in range(30):
        count = rng.randint(0, 2 * kept)
        ring.add(changes(told + 1, count))
        told += count
        assert (ring.end, ring.passed) == (told, max(0, told - kept))
        after = rng.randint(ring.passed, ring.end)
        assert jobs(ring, after) == list(range(after + 1, told + 1))


def test_a_long_way_through_the_ring_is_gone_in_steps() -> None:
    ring, wanted = filled(10, 10), ChangeFilter(job=frozenset({"9"}))
    assert ring.take(0, wanted, most=5, judged=4) == ([], 4)
    assert ring.take(4, wanted, most=5, judged=4) == ([], 8)
    assert jobs(ring, 8, wanted, judged=4) == [9]
    items, after = ring.take(0, ALL, most=3, judged=100)
    assert ([item.number for item in items], after) == ([1, 2, 3], 3)


def test_a_change_costs_the_same_in_a_large_ring() -> None:
    def act(ring: Ring) -> None:
        ring.add(changes(1, 5))
        ring.take(ring.end - 5, ALL, most=9, judged=9)

    costs = [operations(partial(act, filled(kept + 1, kept))) for kept in (100, 10_000)]
    assert costs[0] == costs[1]


def test_an_id_leads_to_its_place() -> None:
    ring = filled(10, 4)
    assert ring.place(None) == (10, None)
    assert ring.place("oldest") == (6, None)
    assert ring.place("life-8") == (8, None)
    assert (ring.gap(8), ring.gap(6), ring.gap(5) is None) == (None, None, False)


def test_what_has_passed_is_said_and_counted() -> None:
    ring = filled(10, 4)
    place, gap = ring.place("life-3")
    assert (place, gap) == (3, None)
    said = ring.gap(place)
    assert said is not None
    assert (said.reason, said.detail[:49]) == ("passed", "3 changes are no longer kept (--events-kept). Rea")


def test_the_id_of_another_life_leads_to_the_oldest_change_and_a_gap() -> None:
    place, gap = filled(10, 4).place("other-9")
    assert gap is not None
    assert (place, gap.reason) == (6, "other_life")


@pytest.mark.parametrize(
    "name", ["life-11", "life", "life-", "life-x", "-3", "7", "LIFE-3", "life-3 ", "life--3", "x" * 400]
)
def test_what_was_never_an_id_is_refused(name: str) -> None:
    with pytest.raises(BadParameter) as refused:
        filled(10, 4).place(name)
    assert refused.value.parameter == "after"
    assert len(refused.value.detail) < 250
