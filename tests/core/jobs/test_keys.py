"""Idempotency keys: each owner's own, and those of a batch's jobs."""

from __future__ import annotations

from dispatcher.core.jobs.keys import KEY_MARK, OWNER_MARK, key_in_batch, key_of_owner, key_shown


def test_the_same_key_of_two_owners_is_two_keys() -> None:
    anna, bob = key_of_owner("order-1", "anna"), key_of_owner("order-1", "bob")
    assert anna != bob
    assert anna == key_of_owner("order-1", "anna")
    odd = key_of_owner("order-1", f"{KEY_MARK}1{OWNER_MARK}")
    assert (odd.count(KEY_MARK), odd.count(OWNER_MARK)) == (0, 1), "a name may be of any characters"


def test_a_key_is_shown_as_it_was_written() -> None:
    for key in ("order-1", key_of_owner("order-1", "Ännä §")):
        assert key_shown(key) == "order-1"
    assert key_shown(key_in_batch(key_of_owner("k", "anna"), 3)) == key_in_batch("k", 3)
