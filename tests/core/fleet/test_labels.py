"""Jobs that require labels or a name: which workers get them, and in which order."""

from __future__ import annotations

from collections import Counter

from dispatcher.core.fleet.misses import Miss
from dispatcher.core.fleet.worker import Labels, Standing, WorkerState
from dispatcher.core.jobs.turn import LaneReady
from dispatcher.core.workers.effects import Offer
from tests.core.fleet.farm import Farm, lane
from tests.core.workers.support import Node, all_of, claim

BERLIN: Labels = (("site", "berlin"),)


def rounds(farm: Farm, key: str, turns: int) -> list[str | None]:
    """Which worker gets the lane's job in each turn; each is free again after its turn."""
    given = []
    for _ in range(turns):
        first = farm.pools.demand(1, {key: 1})[0]
        assert key in first.lanes
        given.append(farm.give(first.pool, lane=key))
        farm.free(farm.workers[given[-1]])
        farm.left({key: 0})
    return given


def test_a_job_for_a_name_goes_to_nobody_else():
    farm = Farm()
    farm.join("w1", "print", name="DESK-1")
    farm.join("w2", "print", name="DESK-2")
    assert rounds(farm, lane("print", name="DESK-2"), 3) == ["w2"] * 3


def test_all_workers_of_one_name_are_targets_by_turns():
    farm = Farm()
    for worker_id, name in (("w1", "DESK"), ("w2", "other"), ("w3", "DESK")):
        farm.join(worker_id, "print", name=name)
    assert rounds(farm, lane("print", name="DESK"), 4) == ["w1", "w3"] * 2


def test_workers_with_one_of_the_values_take_exact_turns_whatever_else_they_match():
    farm = Farm()
    for number, printer in enumerate(("zebra", "brother", "epson", "zebra")):
        farm.join(f"w{number}", "print", *(["scan"] if number else []), labels={"printer": printer})
    key = lane("print", printer=["zebra", "brother"])
    assert rounds(farm, key, 6) == ["w0", "w1", "w3"] * 2
    assert rounds(farm, lane("scan", printer="zebra"), 2) == ["w3", "w3"]
    assert rounds(farm, key, 3) == ["w0", "w1", "w3"], "w3 was used since"


def test_round_robin_of_a_type_goes_on_when_one_of_its_workers_is_required_by_name():
    farm = Farm()
    for number in range(3):
        farm.join(f"w{number}", "print", name=f"DESK-{number}")
    assert rounds(farm, "print", 4) == ["w0", "w1", "w2", "w0"]
    assert rounds(farm, lane("print", name="DESK-2"), 1) == ["w2"]
    assert rounds(farm, "print", 4) == ["w1", "w0", "w2", "w1"]


def test_a_target_that_is_away_holds_up_nobody():
    farm = Farm()
    away = farm.join("w1", "print", name="DESK-1")
    farm.join("w2", "print", name="DESK-2")
    away.state = WorkerState.AWAY
    farm.pools.update(away)
    first, never = lane("print", name="DESK-1"), lane("print", name="nobody")
    farm.pools.reported([LaneReady(first, 5, 1.0), LaneReady(never, 5, 2.0), LaneReady("print", 1, 3.0)], claimed=True)
    assert farm.demand() == [(("print",), 1)]
    away.state = WorkerState.CONNECTED
    farm.pools.update(away)
    assert [lanes for lanes, _ in farm.demand() if first in lanes] == [(first, "print")]


def test_a_worker_that_comes_finds_the_jobs_that_wait_for_its_name_and_its_labels():
    farm = Farm()
    keys = [lane("print", name="DESK"), lane("print", site="berlin"), lane("print", site="paris")]
    farm.left(dict.fromkeys(keys, 1))
    assert not farm.pools.hungry()
    farm.join("w1", "print", name="DESK", labels={"site": "berlin"}, slots=2)
    assert farm.pools.hungry()
    assert [set(lanes) for lanes, _ in farm.demand()] == [set(keys[:2])]


def test_a_worker_that_says_otherwise_of_itself_is_matched_anew():
    farm = Farm()
    worker = farm.join("w1", "print", name="DESK", labels={"site": "berlin"})
    farm.left(dict.fromkeys([lane("print", name="DESK"), lane("print", site="berlin"), lane("print", site="rome")], 1))
    worker.name, worker.labels = "other", (("site", "rome"),)
    farm.pools.update(worker)
    assert farm.demand() == [((lane("print", site="rome"),), 1)]


def test_a_name_that_is_first_required_is_no_new_room():
    farm = Farm()
    farm.join("w1", "print", name="DESK")
    farm.left({"print": 5})
    key = lane("print", name="DESK")
    farm.pools.demand(9, {key: 1})
    farm.pools.reported([LaneReady(key, 1, 1.0), LaneReady("print", 5, 1.0)], claimed=False)
    assert not farm.pools.hungry(), "what was asked for is not there"


def test_how_the_workers_of_a_lane_stand_is_known_whether_the_lane_is_or_not():
    farm = Farm()
    for number in range(4):
        farm.join(f"w{number}", "print", name=f"DESK-{number % 2}", labels={"site": "berlin"} if number else {})
    farm.hold(farm.workers["w2"], "x")
    keys = [lane("print", name="DESK-0"), lane("print", name="DESK-0", site="berlin"), lane("print", site="berlin")]
    expected = [{Standing.IDLE: 1, Standing.BUSY: 1}, {Standing.BUSY: 1}, {Standing.IDLE: 2, Standing.BUSY: 1}]
    assert [+Counter(farm.pools.standing(key)) for key in keys] == expected
    assert not farm.pools.lanes._lanes, "to ask is not to need"
    farm.left(dict.fromkeys(keys, 1))
    assert [+Counter(farm.pools.standing(key)) for key in keys] == expected
    assert not +Counter(farm.pools.standing(lane("scan", name="DESK-0")))


# -- a retry prefers another worker among those that match


def test_a_retry_goes_to_another_pool_that_matches():
    farm = Farm()
    for number, site in enumerate(("berlin", "bonn", "berlin")):
        farm.join(f"w{number}", "print", labels={"site": site, "asset": f"{number}"})
    key = lane("print", site="berlin")
    farm.left({key: 1, "print": 1})
    farm.demand()
    assert farm.give(farm.number("w0"), "w0", key) == "w2", "w1 does not match"
    farm.free(farm.workers["w2"])
    assert farm.give(farm.number("w0"), ("w0", "w2"), key) == "w0", "nobody else matches"
    farm.free(farm.workers["w0"])
    assert farm.give(farm.number("w0"), ("w0", "w2"), "print") == "w1"


def test_a_retry_takes_nobody_who_was_promised_to_another_job():
    farm = Farm()
    for number in range(3):
        farm.join(f"w{number}", "print", labels={"asset": f"{number}"})
    farm.left({"print": 9})
    farm.demand()
    numbers = [farm.number(f"w{number}") for number in range(3)]
    assert farm.give(numbers[0], "w0", "print", {numbers[1]: 1}) == "w2"
    farm.free(farm.workers["w2"])
    assert farm.give(numbers[0], "w0", "print", {numbers[1]: 1, numbers[2]: 1}) == "w0"


def test_a_retry_passes_over_who_is_busy_and_finds_who_was_used_longest_ago():
    farm = Farm()
    for number in range(4):
        farm.join(f"w{number}", "print", labels={"asset": f"{number}"})
    farm.left({"print": 9})
    for number in (0, 2, 1):
        farm.hold(farm.workers[f"w{number}"], "x")
    for number in (0, 1, 2):
        farm.free(farm.workers[f"w{number}"])
    farm.hold(farm.workers["w3"], "x")
    assert farm.give(farm.number("w0"), "w0", "print") == "w2"
    assert farm.give(farm.number("w0"), "w0", "print") == "w1"
    assert farm.give(farm.number("w0"), "w0", "print") == "w0"


def test_a_claim_whose_pool_is_busy_is_not_handed_to_others():
    """It is given back at no cost, and the next turn finds a free worker."""
    farm = Farm()
    for number in range(2):
        farm.join(f"w{number}", "print", labels={"asset": f"{number}"})
    farm.left({"print": 9})
    farm.hold(farm.workers["w0"], "x")
    assert farm.give(farm.number("w0"), "w0", "print") is None


# -- the machine


def test_claims_of_one_report_do_not_take_each_others_workers():
    node = Node()
    for number in range(3):
        node.join(f"s{number}", f"w{number}", labels=(("asset", f"{number}"),))
    pools = [node.machine.workers[f"w{number}"].pool for number in range(3)]
    node.machine.demand(9)
    effects = node.claimed([claim("a1", pool=pools[0], had=("w0",)), claim("a2", pool=pools[1])])
    assert [(offer.session, offer.claim.attempt) for offer in all_of(effects, Offer)] == [("s2", "a1"), ("s1", "a2")]


def test_a_worker_keeps_what_its_page_says_of_itself_last():
    node = Node()
    node.join(labels=BERLIN)
    assert node.machine.workers["w1"].labels == BERLIN
    node.join()
    assert node.machine.workers["w1"].labels == ()


def test_the_machine_tells_who_offers_and_who_matches():
    node = Node()
    node.join(labels=BERLIN)
    node.join("s2", "w2")
    assert node.machine.offering("a") == 2
    assert node.machine.nearest(lane("a", site="bonn")).lacks == (("site", ("bonn",)),)
    assert node.machine.standing(lane("a", site="berlin")) == {Standing.IDLE: 1}
    assert node.machine.nearest(lane("a", site="bonn")) == Miss((("site", ("bonn",)),))
