"""Which worker of a pool is next."""

from __future__ import annotations

from collections import Counter

from dispatcher.core.fleet.worker import Worker, WorkerState
from tests.core.fleet.farm import Farm


def test_equal_workers_take_exact_turns():
    farm = Farm()
    for name in "abcde":
        farm.join(name, "x")
    given = []
    for _ in range(50):
        name = farm.give(farm.number("a"))
        given.append(name)
        farm.free(farm.workers[name])
    assert given == list("abcde") * 10


def test_each_of_k_workers_gets_its_share_of_n_jobs_when_they_end_in_any_order():
    farm = Farm()
    for n in range(7):
        farm.join(f"w{n}", "x")
    given: Counter[str] = Counter()
    for n in range(100):
        busy = [farm.give(farm.number("w0")) for _ in range(1 + n % 7)]
        given.update(busy)
        for name in reversed(busy):
            farm.free(farm.workers[name])
    assert max(given.values()) - min(given.values()) <= 1


def test_round_robin_holds_across_overlapping_pools():
    farm = Farm()
    farm.ready(a=100)
    farm.join("a1", "a")
    farm.join("ab", "a", "b")
    farm.join("a2", "a")
    given = []
    for _ in range(9):
        first = farm.pools.demand(1)[0]
        name = farm.give(first.pool)
        given.append(name)
        farm.free(farm.workers[name])
    assert Counter(given) == {"a1": 3, "ab": 3, "a2": 3}
    assert given[:3] == given[3:6] == given[6:]


def test_the_demand_lists_runs_of_workers_by_last_use_then_what_room_is_left():
    farm = Farm()
    farm.ready(a=100, b=100)
    farm.join("w1", "a", slots=3)
    farm.join("w2", "b")
    farm.join("w3", "a")
    for name in ("w1", "w2", "w3"):
        farm.hold(farm.workers[name], "x")
        farm.free(farm.workers[name])
    assert farm.demand() == [(("a",), 1), (("b",), 1), (("a",), 3)]


def test_the_demand_joins_neighbours_of_one_pool():
    farm = Farm()
    farm.ready(a=100, b=100)
    farm.join("w1", "a")
    farm.join("w2", "a")
    farm.join("w3", "b")
    assert sorted(farm.demand()) == [(("a",), 2), (("b",), 1)]


def test_one_pool_asks_for_its_room_and_never_for_more_than_wanted():
    farm = Farm()
    farm.ready(a=100)
    farm.join("w1", "a", slots=4)
    assert farm.demand() == [(("a",), 4)]
    assert farm.demand(3) == [(("a",), 3)]


def test_nobody_with_room_is_no_demand():
    farm = Farm()
    farm.ready(a=100)
    assert farm.demand() == []
    worker = farm.join("w1", "a")
    farm.hold(worker, "x")
    assert farm.demand() == []


def test_a_worker_takes_as_many_jobs_as_it_has_slots():
    farm = Farm()
    farm.join("w1", "a", slots=2)
    farm.join("w2", "a")
    number = farm.number("w1")
    assert [farm.give(number) for _ in range(4)] == ["w1", "w2", "w1", None]


def test_another_worker_is_preferred_to_the_one_to_avoid():
    farm = Farm()
    farm.join("w1", "a")
    farm.join("w2", "a")
    number = farm.number("w1")
    assert farm.give(number, avoid="w1") == "w2"
    assert farm.give(number, avoid="w1") == "w1"


def test_all_that_have_had_a_job_are_avoided_while_there_is_another():
    farm = Farm()
    for name in ("w1", "w2", "w3"):
        farm.join(name, "a")
    number = farm.number("w1")
    assert farm.give(number, avoid=("w2", "w1")) == "w3"
    assert farm.give(number, avoid=("w2", "w1")) == "w1", "nobody else is left: by turns again"


def test_the_avoided_worker_keeps_its_turn():
    farm = Farm()
    for name in ("w1", "w2", "w3"):
        farm.join(name, "a")
    number = farm.number("w1")
    assert [farm.give(number, avoid="w1"), farm.give(number)] == ["w2", "w1"]


def test_a_worker_that_paused_and_went_on_is_still_avoided():
    """It stands in the heap twice then; the second time must not count as another worker."""
    farm = Farm()
    worker = farm.join("w1", "a")
    farm.join("w2", "a")
    for paused in (True, False, True, False):
        worker.paused = paused
        farm.pools.update(worker)
    assert farm.give(farm.number("w1"), avoid="w1") == "w2"


def test_a_worker_alone_is_not_avoided():
    farm = Farm()
    worker = farm.join("w1", "a")
    for paused in (True, False):
        worker.paused = paused
        farm.pools.update(worker)
    assert farm.give(farm.number("w1"), avoid="w1") == "w1"


def test_who_is_away_paused_or_gone_is_passed_over():
    farm = Farm()
    away, paused = farm.join("away", "a"), farm.join("paused", "a")
    farm.join("gone", "a")
    farm.join("there", "a")
    number = farm.number("there")
    away.state = WorkerState.AWAY
    paused.paused = True
    farm.pools.update(away)
    farm.pools.update(paused)
    farm.leave("gone")
    assert [farm.give(number), farm.give(number)] == ["there", None]


def test_a_pool_that_nobody_stands_in_takes_nobody():
    farm = Farm()
    farm.join("w1", "a")
    number = farm.number("w1")
    farm.leave("w1")
    assert farm.pools.take(number, ()) is None
    assert farm.pools.take(12_345, ()) is None


def test_a_worker_that_offers_other_types_changes_its_pool():
    farm = Farm()
    worker = farm.join("w1", "a")
    farm.join("w2", "a")
    old = farm.number("w1")
    worker.types = ("b",)
    farm.pools.update(worker)
    assert farm.number("w1") != old
    assert [farm.give(old), farm.give(old), farm.give(farm.number("w1"))] == ["w2", None, "w1"]


def test_room_that_grows_is_noticed_once():
    farm = Farm()
    worker = farm.join("w1", "a")
    assert not farm.pools.hungry(), "nobody wants it"
    farm.ready(a=3)
    assert farm.pools.hungry()
    farm.demand()
    assert not farm.pools.hungry()
    farm.hold(worker, "x")
    farm.pools.update(worker)
    assert not farm.pools.hungry()
    farm.free(worker)
    assert farm.pools.hungry()


def test_pools_and_heaps_stay_in_proportion_under_churn():
    farm = Farm()
    farm.join("stays", "a")
    for n in range(10_000):
        farm.join(f"w{n}", "a", *(["b"] if n % 2 else []))
        if n >= 5:
            farm.leave(f"w{n - 5}")
    assert len(farm.workers) == 6
    assert len(farm.pools._pools) == len(farm.pools._by_key) == 2
    assert sum(pool.room for pool in farm.pools._pools.values()) == 6
    assert all(len(pool.heap) <= 64 + 2 * pool.room for pool in farm.pools._pools.values())


def test_pools_of_types_that_nobody_offers_any_more_are_forgotten():
    farm = Farm()
    for n in range(1_000):
        farm.join("w", f"type-{n}")
        farm.leave("w")
    assert not farm.pools._pools
    assert not farm.pools._by_key


def test_leaving_without_having_joined_changes_nothing():
    farm = Farm()
    farm.pools.remove(Worker("w", "boot", "w", ("a",), 1, None))
    assert farm.demand() == []


def test_an_attempt_that_ends_before_its_worker_has_joined_changes_nothing():
    farm = Farm()
    farm.pools.freed(Worker("w", "boot", "w", ("a",), 1, None))
    assert farm.demand() == []


def test_a_slot_that_an_attempt_has_freed_is_room_again():
    farm = Farm()
    farm.ready(a=3)
    worker = farm.join("w", "a", slots=2)
    farm.hold(worker, "a1")
    farm.hold(worker, "a2")
    assert (farm.pools.take(worker.pool, ()), farm.demand(), farm.pools.hungry()) == (None, [], False)
    del worker.attempts["a1"]
    farm.pools.freed(worker)
    assert farm.pools.hungry()
    assert farm.give(worker.pool) == "w"
