"""The contract of a store: whose the names of workers are, and the diaries that stand beside them."""

from __future__ import annotations

from dispatcher.core.jobs.diaries import Diary, KeepDiaries, KnownWorker
from dispatcher.core.jobs.habits import CallRoll, RollHour
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.turn import WorkersMoved
from tests.store.contract import Desk
from tests.support.jobs import spec

DIARY = Diary(at=7.0, day=3, done=2, jobs=("j1",), tries=((9, 1),), passages=((1.0, "away"),), labels=(("a", "b"),))


def come(desk: Desk, gone: tuple[str, ...] = (), dropped: tuple[str, ...] = (), **here: str) -> float:
    """Workers come: ``name=worker``; whose the names are of those that go the store knows."""
    at = desk.now_at
    assert desk.command(WorkersMoved(tuple(here), gone, whose=here, dropped=dropped)).done
    return at


def known(desk: Desk, *workers: str, names: tuple[str, ...] = ()) -> list[KnownWorker]:
    return desk.run(desk.store.names.known(workers, names))


def missing(desk: Desk) -> list[tuple[str, str | None]]:
    return [(one.name, one.worker) for one in desk.run(desk.store.names.missing())]


def usual(desk: Desk) -> tuple[int, list[str]]:
    found = desk.run(desk.store.names.usual([RollHour(3, False)]))
    return found.workers, [one.name for one in found.some]


def test_a_worker_is_known_by_its_id_and_by_its_name_and_when_it_has_gone(desk: Desk) -> None:
    come(desk, A="w1", B="w2")
    assert known(desk, "w1", "nobody") == known(desk, names=("A",)) == [KnownWorker("A", "w1", None)]
    assert known(desk, "w2", names=("A",)) == [KnownWorker("A", "w1", None), KnownWorker("B", "w2", None)]
    at = come(desk, gone=("A",))
    assert known(desk, "w1") == [KnownWorker("A", "w1", at)]
    assert missing(desk) == [("A", "w1")]
    assert known(desk) == []


def test_a_diary_stands_beside_its_name_over_a_restart(durable: Desk) -> None:
    come(durable, A="w1")
    assert durable.command(KeepDiaries({"A": DIARY, "nobody": DIARY})).done
    come(durable, gone=("A",))
    durable.reopen()
    [one] = known(durable, "w1")
    assert one.diary == DIARY
    assert known(durable, names=("nobody",)) == []


def test_the_diary_of_another_worker_does_not_stand_beside_a_name(desk: Desk) -> None:
    come(desk, A="w1")
    desk.command(KeepDiaries({"A": DIARY}))
    come(desk, gone=("A",))
    come(desk, A="w2")
    assert known(desk, names=("A",)) == [KnownWorker("A", "w2", None)]
    assert known(desk, "w1") == []


def test_a_worker_that_comes_under_another_name_is_not_missed_and_takes_its_habit_along(desk: Desk) -> None:
    come(desk, OLD="w1", OTHER="w2")
    desk.command(KeepDiaries({"OLD": DIARY}))
    desk.command(CallRoll(3, desk.now_at))
    come(desk, gone=("OLD",), NEW="w1")
    assert missing(desk) == []
    [one] = known(desk, "w1")
    assert (one.name, one.diary) == ("NEW", DIARY)
    assert usual(desk) == (2, [])
    come(desk, gone=("NEW",))
    assert usual(desk) == (2, ["NEW"])


def test_it_is_the_same_when_it_had_gone_before(desk: Desk) -> None:
    come(desk, OLD="w1")
    desk.command(CallRoll(3, desk.now_at))
    come(desk, gone=("OLD",))
    come(desk, NEW="w1")
    assert (missing(desk), usual(desk)) == ([], (1, []))


def test_a_place_that_has_a_habit_keeps_it_when_another_worker_takes_its_name(desk: Desk) -> None:
    come(desk, TILL="w1")
    desk.command(CallRoll(3, desk.now_at))
    come(desk, gone=("TILL",), SPARE="w2")
    desk.command(CallRoll(4, desk.now_at))
    come(desk, gone=("SPARE",), TILL="w2")
    assert (missing(desk), usual(desk)) == ([], (1, []))


def test_a_name_that_somebody_else_has_stays_theirs(desk: Desk) -> None:
    come(desk, SHARED="w1")
    come(desk, NEW="w1")
    assert [one.name for one in known(desk, names=("SHARED", "NEW"))] == ["NEW", "SHARED"]


def test_a_name_that_is_given_up_for_none_is_not_missed(desk: Desk) -> None:
    come(desk, A="w1")
    come(desk, gone=("A",), dropped=("A",))
    assert (missing(desk), known(desk, "w1")) == ([], [])


def test_some_jobs_are_listed_by_their_ids(desk: Desk) -> None:
    ids = [job.id for job in desk.submit(*(spec() for _ in range(4)))]
    found = desk.run(desk.store.jobs(JobFilter(ids=(ids[0], ids[2], "no-such-job"))))
    assert ([job.id for job in found.items], found.next_cursor) == ([ids[2], ids[0]], None)
