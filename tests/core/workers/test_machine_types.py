"""The types that pages name: told to the store once, limited for each page, and what is said where there is no room."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import OfferedTypes
from dispatcher.core.workers.effects import Refuse, Request
from dispatcher.core.workers.registry import MOST_TYPES_BROUGHT, MOST_TYPES_TOLD
from tests.core.workers.support import Node, all_of, only


def test_types_are_told_to_the_store_once():
    node = Node()
    assert only(node.join(types=("b", "a")), Request).command == OfferedTypes(("a", "b"), "w1")
    assert not all_of(node.join(types=("a",)), Request)
    assert only(node.join("s2", "w2", types=("a", "c")), Request).command == OfferedTypes(("c",), "w2")


def test_types_that_nobody_offers_any_more_are_told_anew_and_nothing_of_them_is_kept():
    node = Node()
    node.join(types=("a",))
    assert not all_of(node.join(types=("a",)), Request), "it offers them itself"
    node.bye("s1")
    assert not node.machine.roster.offering("a")
    assert only(node.join("s2", "w2", types=("a",)), Request).command == OfferedTypes(("a",), "w2")


def test_a_page_that_changes_between_two_sets_of_types_brings_each_once():
    node = Node()
    for _ in range(3):
        assert not all_of(node.join(types=many("x", MOST_TYPES_BROUGHT - 1)), Refuse)
        assert not all_of(node.join(types=("y",)), Refuse)
    assert all_of(node.join(types=("z",)), Refuse)


def many(name: str, count: int = MOST_TYPES_BROUGHT) -> tuple[str, ...]:
    return tuple(f"{name}-{number}" for number in range(count))


def test_a_page_brings_so_many_new_types_and_no_more():
    node = Node()
    node.join(types=many("x"))
    assert only(node.join(types=("one-more",)), Refuse).code == "too_many_types"
    assert node.machine.workers["w1"].types == tuple(sorted(many("x"))), "it goes on with what it had"
    assert not all_of(node.join(types=many("x", 10)), Refuse), "what is known costs nothing"
    assert not all_of(node.join("s2", "w2", types=("one-more",)), Refuse), "another page may"
    assert not all_of(node.join(types=("one-more",)), Refuse)


def test_eighty_registrations_bring_no_more_types_than_one():
    node, brought = Node(), 0
    for number in range(80):
        for request in all_of(node.join(types=many(f"x{number}")), Request):
            assert isinstance(request.command, OfferedTypes)
            brought += len(request.command.types)
    assert brought == MOST_TYPES_BROUGHT


@pytest.mark.parametrize("after", [None, "b1"])
def test_a_new_boot_of_a_worker_brings_no_more_types(after):
    node = Node()
    node.join(types=many("x"))
    assert only(node.join("s2", boot="b2", after=after, types=("one-more",)), Refuse).code == "too_many_types"


def test_a_page_that_becomes_another_worker_brings_no_more_types():
    node = Node()
    node.join(types=many("x", MOST_TYPES_BROUGHT - 1))
    assert not all_of(node.join(worker="w2", types=("last",)), Refuse), "in the same session"
    assert only(node.join(worker="w2", types=("one-more",)), Refuse).code == "too_many_types"
    assert only(node.join(worker="w3", types=("one-more",)), Refuse).code == "too_many_types"


# -- the store has no room for them


def test_a_page_is_told_of_the_first_of_its_types_that_found_no_room():
    node = Node()
    asked = only(node.join(types=many("x", 20)), Request).command
    assert isinstance(asked, OfferedTypes)
    told = only(node.no_room(asked.worker, asked.types), Refuse)
    assert (told.session, told.code, told.attempt) == ("s1", "types_full", None)
    assert told.detail.endswith(f"of: {', '.join(asked.types[:MOST_TYPES_TOLD])}")


@pytest.mark.parametrize("how", ["bye", "quiet"])
def test_nobody_is_told_where_the_page_has_left_meanwhile(how):
    node = Node()
    node.join(types=("x",))
    getattr(node, how)("s1")
    assert node.no_room("w1", ("x",)) == []
