"""An offer that no poll has carried away leaves its outbox when it is over (S6, S7)."""

from __future__ import annotations

import pytest

from dispatcher.core.workers.effects import Offer, Withdraw
from tests.core.workers.support import all_of


@pytest.mark.parametrize(
    "over",
    [
        lambda node: node.away("s1"),
        lambda node: node.quiet("s1"),
        lambda node: node.ended("s1"),
        lambda node: node.drain(),
        lambda node: node.bye("s1"),
        lambda node: node.released("s1", "a1", ""),
        lambda node: node.result("s1", "a1", "1"),
        lambda node: node.error("s1", "a1", "{}", "", True),
        lambda node: node.accept("s1", "a1"),
        lambda node: node.join("s1", boot="b2"),
        lambda node: node.join("s1", worker="w2"),
        lambda node: node.join("s2", opened=1.0, finished=["a1"]),
        lambda node: node.join("s2", opened=1.0, holding=[("a1", 0.0)]),
        lambda node: node.join("s2", boot="b2", after="b1", finished=["a1"]),
        lambda node: node.join("s2", opened=1.0, holding=[("unheard of", 0.0)]),
    ],
)
def test_an_offer_that_is_over_or_that_the_page_has_is_withdrawn_once(node, over):
    node.offer("a1", written=False)
    assert all_of(over(node), Withdraw) == [Withdraw("s1", "a1")]


def test_an_offer_that_a_poll_has_carried_away_cannot_be_withdrawn(node):
    node.offer("a1")
    assert all_of([*node.cancelled("a1", ""), *node.away("s1"), *node.bye("s1")], Withdraw) == []


def test_an_offer_that_is_sent_anew_is_withdrawn_first(node):
    node.offer("a1", written=False)
    effects = [e for e in node.join("s2", opened=1.0) if isinstance(e, Withdraw | Offer)]
    assert [(type(e), e.session) for e in effects] == [(Withdraw, "s1"), (Offer, "s2")]
    assert all_of(node.away("s2"), Withdraw) == [Withdraw("s2", "a1")]
