"""Which of many jobs is asked for next."""

from __future__ import annotations

from dispatcher.sdk.client.watch import WatchList


def listed(count: int, connections: int = 4) -> WatchList:
    found = WatchList(connections)
    for number in range(count):
        found.add(str(number))
    return found


def test_the_oldest_are_waited_for_first_and_a_lone_one_longer() -> None:
    waits = listed(3)
    assert [waits.take() for _ in range(3)] == [("0", 1), ("1", 1), ("2", 2)]


def test_a_job_that_ends_behind_jobs_that_do_not_is_found_after_one_round_of_waits() -> None:
    """A thousand that never end: the last one is not a thousand seconds away."""
    waits = listed(1_000)
    waited_s = 0
    while (taken := waits.take())[0] != "999":
        waited_s += taken[1]
        waits.still_open(*taken)
    assert waited_s == 4


def test_a_fruitless_round_of_looks_is_followed_by_waiting_and_not_by_more_looks() -> None:
    waits = listed(10)
    seconds = []
    for _ in range(60):
        job_id, wait_s = waits.take()
        seconds.append(wait_s)
        waits.still_open(job_id, wait_s)
    assert sum(seconds) >= 16
    assert seconds[:14] == [1] * 4 + [0] * 10


def test_a_job_that_is_over_says_that_waiting_for_the_oldest_is_right() -> None:
    waits = listed(20)
    for _ in range(3):
        waits.still_open(*waits.take())
    waits.take()
    waits.over()
    assert [waits.take()[1] for _ in range(2)] == [1, 1]
