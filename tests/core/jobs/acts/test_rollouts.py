"""When a canary says that new files do harm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.rollouts import RolloutOrder, RolloutState, RolloutView, TryTally, harm


@pytest.mark.parametrize(
    ("new", "rest", "harms"),
    [
        ((0, 0), (0, 0), False),
        ((2, 2), (0, 0), False),
        ((3, 3), (0, 0), True),
        ((100, 5), (0, 0), False),
        ((100, 6), (0, 0), True),
        ((100, 25), (100, 10), False),
        ((100, 26), (100, 10), True),
        ((10, 3), (0, 0), True),
    ],
)
def test_three_failures_and_a_share_well_above_that_of_the_others_do(
    new: tuple[int, int], rest: tuple[int, int], harms: bool
) -> None:
    assert bool(harm(TryTally(*new), TryTally(*rest))) is harms


def test_it_says_so_in_figures() -> None:
    words = harm(TryTally(10, 4), TryTally(1_200, 12))
    assert words == "4 of 10 tries failed on the reloaded pages, and 12 of 1,200 on the others"
    assert harm(TryTally(3, 3), TryTally()).endswith("and no job on the others")
    words = harm(TryTally(3, 3), TryTally(), "fax on DESK-1")
    assert words == "3 of 3 tries failed on the reloaded pages (fax on DESK-1), and no job on the others"


def test_tries_are_counted_one_by_one() -> None:
    tally = TryTally().more(failed=True).more(failed=False)
    assert (tally, tally.share, TryTally().share) == (TryTally(2, 1), 0.5, 0.0)


def test_a_rollout_begins_with_nothing_done() -> None:
    view = RolloutView(order=RolloutOrder(at_a_time=5, actor=Actor("anna")), started_at=1.0)
    assert (view.state, view.reloaded, view.reloading, view.stopped) == (RolloutState.RUNNING, 0, [], None)
    assert view.runs
    assert not replace(view, ended_at=2.0).runs


def test_pages_with_one_of_some_labels_or_with_a_name_are_left_out() -> None:
    order = RolloutOrder(at_a_time=5, without=(("site", "berlin"), ("name", "DESK-7")), actor=Actor("ann"))
    labels = (("printer", "zebra"), ("site", "berlin"))
    assert order.leaves_out("DESK-1", labels)
    assert order.leaves_out("DESK-7", ())
    assert not order.leaves_out("DESK-1", (("name", "DESK-9"), ("site", "ulm")))
    assert not RolloutOrder(at_a_time=5, actor=Actor("ann")).leaves_out("DESK-7", labels)
