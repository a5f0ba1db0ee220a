"""A group of lanes, and the pools that match them."""

from __future__ import annotations

from dispatcher.core.fleet.groups import Group, Pool


def test_a_pool_that_has_left_the_group_does_not_stand_first() -> None:
    group, pools = Group(0), [Pool(number, (("a",), (), None), ()) for number in (1, 2)]
    for used, pool in enumerate(pools):
        group.add(pool)
        group.idle(used, pool.number)
    assert group.first_idle() is pools[0]
    group.remove(pools[0])
    assert group.first_idle() is pools[1]
    assert group.pop_idle() == (1, 2)
    assert group.first_idle() is None
    assert group.pop_idle() is None
