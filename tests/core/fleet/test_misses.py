"""The nearest miss, if no worker matches a job though some offer its type."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.fleet.misses import MOST_LOOKED_AT, Miss, nearest
from dispatcher.core.jobs.matching import requirement_of
from tests.core.fleet.farm import Farm, lane
from tests.support.operations import operations


def fleet() -> Farm:
    farm = Farm()
    farm.join("w1", "print", name="DESK-1", labels={"site": "berlin", "printer": "brother"})
    farm.join("w2", "print", name="DESK-2", labels={"site": "bonn", "printer": "zebra"})
    farm.join("w3", "scan", name="DESK-2", labels={"site": "berlin", "floor": "2"})
    farm.join("w4", "scan", name="DESK-4", labels={"floor": "2"})
    return farm


@pytest.mark.parametrize(
    ("wanted", "miss"),
    [
        ({"site": "rome"}, Miss(requirement_of({"site": "rome"}))),
        ({"site": ["rome", "oslo"], "printer": "zebra"}, Miss(requirement_of({"site": ["rome", "oslo"]}))),
        ({"floor": "2", "site": "berlin"}, Miss(requirement_of({"floor": "2"}))),
        (
            {"site": "berlin", "printer": "zebra"},
            Miss(requirement_of({"site": "berlin", "printer": "zebra"}), together=True),
        ),
        ({"name": ["DESK-7", "DESK-8"], "site": "x"}, Miss(requirement_of({"name": ["DESK-7", "DESK-8"]}), 0)),
        ({"name": "DESK-4"}, Miss((), 1, offered=False)),
        ({"name": "DESK-2", "site": "berlin"}, Miss(requirement_of({"site": "berlin"}), 2)),
        (
            {"name": ["DESK-1", "DESK-2"], "site": "berlin", "printer": "zebra", "floor": "1"},
            Miss(requirement_of({"printer": "zebra", "floor": "1"}), 3),
        ),
    ],
)
def test_the_nearest_miss_is_what_the_nearest_worker_lacks(wanted, miss):
    assert nearest(fleet().pools, lane("print", **wanted)) == miss


def test_of_a_label_and_a_type_whichever_is_rarer_is_looked_through():
    farm = fleet()
    for number in range(5):
        farm.join(f"w1{number}", "scan", labels={"site": "oslo", "asset": f"{number}"})
    assert nearest(farm.pools, lane("print", site="oslo")) == Miss(requirement_of({"site": "oslo"}))
    assert nearest(farm.pools, lane("print", site=["oslo", "bonn"], printer="brother")).together


def test_what_is_looked_at_has_a_bound():
    """Beyond it a label counts as there: what is said then is vaguer, and still true."""
    costs = []
    for count in (2 * MOST_LOOKED_AT, 6 * MOST_LOOKED_AT):
        farm = Farm()
        for number in range(count):
            farm.join(f"a{number}", "print", name="DESK", labels={"asset": f"{number}"})
            farm.join(f"b{number}", "scan", name="DESK", labels={"site": "berlin", "asset": f"{number}"})
        wanted = lane("print", site="berlin")
        assert nearest(farm.pools, wanted).together
        assert nearest(farm.pools, lane("print", site="rome")) == Miss(requirement_of({"site": "rome"}))
        named = lane("print", name="DESK", site="rome")
        assert nearest(farm.pools, named) == Miss(requirement_of({"site": "rome"}), 2 * count)
        costs.append(operations(partial(nearest, farm.pools, wanted)))
    assert costs[0] == costs[1]
