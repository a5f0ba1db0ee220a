"""What a herd of pages brings is frozen once, and looked at again when most of them have left."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from dispatcher.node.calm import HERD, Calm


class Page:
    """It refers to itself, so that only the collector finds it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def calm() -> Iterator[Calm]:
    """Leaves the collector as it was."""
    before = gc.get_threshold()
    calm = Calm()
    calm.begin()
    yield calm
    gc.set_threshold(*before)
    gc.unfreeze()


def abandoned_page() -> weakref.ref[Page]:
    return weakref.ref(Page())


def test_what_stands_at_the_start_is_frozen_and_full_looks_are_rare(calm: Calm) -> None:
    assert gc.get_freeze_count() > 1_000
    assert gc.get_threshold()[0] >= 10_000


def test_a_herd_is_frozen_and_a_few_pages_are_none(calm: Calm) -> None:
    before = gc.get_freeze_count()
    brought = [Page() for _ in range(HERD)]
    calm.look(HERD - 1)
    assert gc.get_freeze_count() <= before
    calm.look(HERD)
    assert gc.get_freeze_count() >= before + len(brought)
    more = [Page() for _ in range(HERD)]
    frozen = gc.get_freeze_count()
    calm.look(2 * HERD - 1)
    assert gc.get_freeze_count() <= frozen
    calm.look(2 * HERD)
    assert gc.get_freeze_count() >= frozen + len(more)


def test_cycles_that_were_frozen_go_when_half_of_the_pages_have_left(calm: Calm) -> None:
    page = abandoned_page()
    calm.look(HERD)
    gc.collect()
    assert page() is not None, "it is frozen"
    calm.look(HERD // 2 + 1)
    assert page() is not None
    calm.look(HERD // 2)
    assert page() is None


def test_a_few_pages_that_come_and_go_let_nothing_be_looked_at(calm: Calm) -> None:
    page = abandoned_page()
    for pages in (HERD - 1, 0, HERD - 1, 0):
        calm.look(pages)
    assert page() is not None
