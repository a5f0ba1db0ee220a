"""The contract of a store: jobs are listed by their owner, and what is told of them says whose they are."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from dispatcher.core.jobs.keys import key_of_owner
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel
from tests.store.contract import Desk
from tests.support.jobs import spec


def _ids(desk: Desk, **fields: Any) -> list[str]:
    return [job.id for job in desk.listed(**fields)]


def test_a_list_shows_the_jobs_of_one_owner_with_every_other_filter(desk: Desk) -> None:
    anna = [job.id for job in desk.submit(*[spec(owner="anna", tags=("a",)) for _ in range(3)])]
    desk.submit(spec(owner="bob", tags=("a",)), spec(tags=("a",)))
    desk.command(Cancel(anna[1], "no"))
    for limit in (1, 2, 100):
        assert _ids(desk, owner="anna", limit=limit) == anna[::-1]
        assert _ids(desk, owner="anna", tags=("a",), limit=limit) == anna[::-1]
        assert _ids(desk, owner="anna", states=(JobState.QUEUED,), limit=limit) == [anna[2], anna[0]]
        assert _ids(desk, owner="anna", states=(JobState.CANCELLED,), limit=limit) == [anna[1]]
    assert _ids(desk, owner="anna", type="other") == []
    assert _ids(desk, owner="an") == _ids(desk, owner="") == []


def test_a_search_finds_the_jobs_of_one_owner(desk: Desk) -> None:
    (mine, _, _) = desk.submit(spec(data='"blue"', owner="anna"), spec(data='"blue"', owner="bob"), spec(data='"blue"'))
    desk.submit(spec(data='"red"', owner="anna"))
    assert _ids(desk, owner="anna", search="blue") == [mine.id]


def test_the_same_key_of_two_owners_is_two_jobs_and_a_filter_finds_each(desk: Desk) -> None:
    keys = {name: key_of_owner("order-1", name) for name in ("anna", "bob")}
    jobs = {
        name: desk.submit(spec(key=key, owner=name, fingerprint=name))[0] for name, key in keys.items()
    }  # fmt: skip
    assert jobs["anna"].id != jobs["bob"].id
    for name, key in keys.items():
        assert _ids(desk, key=key) == [jobs[name].id]
        assert jobs[name].key == "order-1", "as it was written"
        (again,) = desk.turn(submissions=[spec(key=key, owner=name, fingerprint=name)]).accepted
        assert (again.replayed, desk.taken(again).id) == (True, jobs[name].id)
    (conflict,) = desk.turn(submissions=[spec(key=keys["anna"], fingerprint="other")]).accepted
    assert (conflict.error, "the key 'order-1'" in str(conflict.detail)) == ("key_conflict", True)


def test_standing_batches_and_changes_say_whose_the_jobs_are(desk: Desk) -> None:
    mine, nobodys = desk.submit(spec(owner="anna"), spec())
    standing = desk.run(desk.store.standing([mine.id, nobodys.id]))
    assert {job_id: job.owner for job_id, job in standing.items()} == {mine.id: "anna", nobodys.id: None}
    desk.submit(*[replace(spec(owner="anna"), batch="b") for _ in range(2)])
    desk.submit(replace(spec(), batch="c"))
    owners = [batch.owner if (batch := desk.run(desk.store.batches.view(name))) else "none" for name in "bcd"]
    assert owners == ["anna", None, "none"]
    report = desk.turn(commands=[Cancel(mine.id, ""), Cancel(nobodys.id, "")])
    assert [change.owner for change in report.changes] == ["anna", None]


def test_an_owner_is_found_after_a_restart(durable: Desk) -> None:
    (mine, _) = durable.submit(spec(owner="Ännä 'quoted'"), spec(owner="bob"))
    durable.reopen()
    assert _ids(durable, owner="Ännä 'quoted'") == [mine.id]
    assert durable.job(mine.id).about.owner == "Ännä 'quoted'"
