"""The tests find the bugs that they are there to find; ``make planted-bugs`` hunts all of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.planted.bug import MODEL, Bug, Misfit, copy_tree, misfits, plant
from tests.planted.hunt import AREAS, Find, HuntFailed, bugs, control, hunt

#: Hunted in an ordinary run: of each area those that are found fast, and by many different tests.
ALWAYS = [
    "a worker is never freed",
    "an accept does not set the timeout",
    "any attempt can end its job",
    "a new boot keeps the old page's leases",
    "a closed connection starts no grace",
    "slots are off by one",
    "a cancel leaves the attempt current",
    "go is not told",
    "a restart forgets that it had gone",
    "progress does not count as a sign of life",
    # store
    "a turn that was rolled back stays in the counts",
    "what was due is forgotten with the turn that was rolled back",
    "a turn is answered before it is committed",
    "the oldest late answer is adopted",
    "a purge removes jobs that wait",
    "a purge leaves attempts behind",
    "on a full disk jobs go on being claimed",
    # protocol
    "a second turn begins while one is in flight",
    "a page is told of a cancel before it is durable",
    "the outbox is emptied before the answer is written",
    "a POST is answered before its messages are heard",
    "a page that comes back stays away",
    "an answered ping is overdue all the same",
    "a refused message does not name its attempt",
    "a page sends a result before it is in the stash",
    "a page's boot outlives its reload",
]
#: Enough for those of the core that are in the list.
EXAMPLES = 400


@pytest.fixture(scope="module")
def hunters() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def finds(hunters: ThreadPoolExecutor) -> dict[str, Future[Find]]:
    """All hunts, begun at once; a test waits for its own."""
    return {name: hunters.submit(hunt, name, examples=EXAMPLES) for name in ALWAYS}


def test_every_planted_bug_still_has_its_place_in_the_source() -> None:
    assert misfits(bugs()) == []


def test_no_area_is_left_out() -> None:
    assert sum(len(area) for area in AREAS.values()) == len(bugs()), "two bugs have one name"
    for area in AREAS.values():
        assert len(area) >= 25
        assert len(set(ALWAYS) & set(area)) >= 7


@pytest.mark.parametrize("name", ALWAYS)
def test_it_is_found_that(name: str, finds: dict[str, Future[Find]]) -> None:
    find = finds[name].result()
    assert find.test is not None, f"the tests do not see that {name}"


def test_where_nothing_is_planted_nothing_is_found() -> None:
    control(ALWAYS, examples=EXAMPLES)


# the hunt itself


HARMLESS = Bug(
    "dispatcher/node/waiters.py", '"""Who waits for which job."""', '"""Who waits."""', "tests/node/test_waiters.py"
)


def test_what_changes_nothing_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AREAS["protocol"], "harmless", HARMLESS)
    assert hunt("harmless").test is None


@pytest.mark.parametrize("found_by", ["tests/node/test_nowhere.py", "tests/planted/bug.py", MODEL])
def test_tests_that_do_not_run_find_nothing(monkeypatch: pytest.MonkeyPatch, found_by: str) -> None:
    broken = Bug("dispatcher/core/workers/machine.py", "class Machine(", "raise SystemError\nclass Machine(", found_by)
    monkeypatch.setitem(AREAS["core"], "broken", broken)
    with pytest.raises(HuntFailed, match="did not run"):
        hunt("broken", examples=1)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("this was never there", "", "stands 0 times"),
        ("self", "other", "times in dispatcher/node/waiters.py, not once"),
        ("class Waiters:", "class Waiters", "would not compile"),
    ],
)
def test_a_bug_without_a_place_is_named(tmp_path, old: str, new: str, why: str) -> None:
    bug = Bug("dispatcher/node/waiters.py", old, new)
    [said] = misfits({"the bug": bug})
    assert said.startswith("'the bug': ")
    assert why in said
    copy_tree(tmp_path)
    with pytest.raises(Misfit, match="plant it anew"):
        plant("the bug", bug, tmp_path)
