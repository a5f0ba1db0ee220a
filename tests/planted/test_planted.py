"""The model test finds the bugs that it is there to find."""

from __future__ import annotations

import pytest

from tests.core import planted_bugs

#: ``make planted-bugs`` hunts all of them; an ordinary run these.
ALWAYS = [
    "a worker is never freed",
    "a lapsed offer is not requeued",
    "the backoff is dropped",
    "an accept does not set the timeout",
    "the last used worker is next",
    "a timer outlives its attempt",
    "any attempt can end its job",
    "the verdict on an accept answers a result",
    "a new boot keeps the old page's leases",
    "a closed connection starts no grace",
    "a crash is counted as an error",
    "numbers have gaps",
    "paused workers get offers",
    "slots are off by one",
    "a cancel leaves the attempt current",
    "priority is reversed",
    "expired jobs are offered",
    "go is not told",
    "what was lost after go runs again",
    "a restart forgets that it had gone",
    "a decision is taken for any running job",
    "progress does not count as a sign of life",
    "workers that were set aside get offers",
    "a worker stays set aside",
    "offers that the network lost set a worker aside",
    "a standstill makes what has arrived too late",
]


def test_every_planted_bug_still_has_its_place_in_the_source() -> None:
    assert planted_bugs.unplantable() == []


@pytest.mark.parametrize("name", ALWAYS)
def test_the_model_finds_that(name: str) -> None:
    assert planted_bugs.hunt(name) is not None, f"the model test does not see that {name}"
