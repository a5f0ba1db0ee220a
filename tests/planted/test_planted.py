"""The tests find the bugs that they are there to find; ``make planted-bugs`` hunts all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.planted.bug import MODEL, ROOT, SCHEMA, Bug, Misfit, copy_tree, misfits, plant
from tests.planted.hunt import AREAS, Find, HuntFailed, bugs, hunt, passed

#: Bugs that an ordinary run hunts: those of each area that are found fast, and by many different tests.
ALWAYS = [
    "a worker is never freed",
    "an accept does not set the timeout",
    "any attempt can end its job",
    "a new boot keeps the old page's leases",
    "a closed connection starts no grace",
    "slots are off by one",
    "a cancel leaves the attempt current",
    "go is told before the accept is stored",
    # store
    "a turn is answered before it is committed",
    "a key is not kept",
    "the oldest late answer is adopted",
    "a purge leaves attempts behind",
    "the reserve is not given up",
    # protocol
    "a page is told of a cancel before it is durable",
    "the outbox is emptied before the answer is written",
    "the end of a page's last connection is not told",
    "a worker is taken over without its secret",
    "a page sends a result before it is in the stash",
    "a page's boot outlives its reload",
]
#: The most bugs that a person can read through; a new one replaces one that shows less. It was 90 until the promises of
#: webhooks and of orders came (S36 to S40), 100 until those of nodes, 106 until a page could answer for a job in doubt,
#: and 108 until a result could be taken back: no older promise has more than the two bugs that it needs.
MOST = 112
#: Enough examples for the bugs of the core in the list.
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
    assert len(bugs()) <= MOST
    for area in AREAS.values():
        assert len(area) >= 20
        assert len(set(ALWAYS) & set(area)) >= 5


def test_each_bug_breaks_a_promise_or_an_invariant_of_the_page() -> None:
    page = (ROOT / "docs/promises.md").read_text("utf-8")
    stated = set(re.findall(r"^(?:- \*\*(S\d+b?)\.|\| (I\d+) \|)", page, re.M))
    assert {bug.promise for bug in bugs().values()} - {name for pair in stated for name in pair} == set()


@pytest.mark.parametrize("name", ALWAYS)
def test_it_is_found_that(name: str, finds: dict[str, Future[Find]]) -> None:
    find = finds[name].result()
    assert find.test is not None, f"the tests do not see that {name}"


def test_where_nothing_is_planted_nothing_is_found(finds: dict[str, Future[Find]]) -> None:
    """Each test that has found a bug passes without it: that it failed was no fault of the copy."""
    found_by = {name: str(finds[name].result().test) for name in ALWAYS}
    passed((MODEL if bugs()[name].found_by == MODEL else f"tests/{test}" for name, test in found_by.items()),
           examples=EXAMPLES)  # fmt: skip


# the hunt itself


WAITERS = "dispatcher/node/waits/waiters.py::Waiters."
HARMLESS = Bug("S4", WAITERS + "__len__", "0 + self._count", "self._count", "tests/node/waits/test_waiters.py")


def test_what_changes_nothing_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AREAS["protocol"], "harmless", HARMLESS)
    assert hunt("harmless").test is None


@pytest.mark.parametrize("found_by", ["tests/node/test_nowhere.py", "tests/planted/bug.py", MODEL])
def test_tests_that_do_not_run_find_nothing(monkeypatch: pytest.MonkeyPatch, found_by: str) -> None:
    place = "dispatcher/core/workers/machine.py::Machine"
    broken = Bug(
        "S4", place, "raise SystemError\ndef tick(self): _", "def tick(self, now: float) -> list[Effect]: _", found_by
    )
    monkeypatch.setitem(AREAS["core"], "broken", broken)
    with pytest.raises(HuntFailed, match="did not run"):
        hunt("broken", examples=1)


@pytest.mark.parametrize(
    ("bug", "why"),
    [
        (Bug("S4", WAITERS + "wake", "", "this.was(never)"), "stands 0 times"),
        (Bug("S4", WAITERS + "wake", "", "self"), "times, not once"),
        (Bug("S4", WAITERS + "wait", ""), "Waiters.wait is not there"),
        (Bug("S4", WAITERS + "wake", "continue"), "'continue' not properly in loop"),
        (Bug("S4", "static/worker/attempts.js::Worker._start", ""), "Worker._start is not there"),
        (Bug("S4", "static/worker/attempts.js::Worker._onGo", "", "never()"), "stands 0 times"),
        (Bug("S4", "static/worker/attempts.js::Worker._onGo", "if ("), "unexpected token"),
        (Bug("S4", SCHEMA, "CREATE TRIGGER t AFTER INSERT ON nowhere BEGIN SELECT 1; END"), "no such table"),
    ],
)
def test_a_bug_without_a_place_is_named(tmp_path, bug: Bug, why: str) -> None:
    [said] = misfits({"the bug": bug})
    assert said.startswith("'the bug': ")
    assert why in said
    copy_tree(tmp_path)
    with pytest.raises(Misfit, match="plant it anew"):
        plant("the bug", bug, tmp_path)
