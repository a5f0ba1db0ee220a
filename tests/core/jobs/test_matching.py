"""What a job requires of its worker, and the key of the lane that follows from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core.jobs.matching import (
    lane_of,
    lane_parts,
    matches,
    missing,
    requirement_of,
    requires,
    said,
    wanted_of,
)
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState

_labels = st.text("abAB09._-", min_size=1, max_size=50)
_texts = st.one_of(
    st.text(min_size=1, max_size=200), st.text('"\\,:[]{} \n\x00u0041é\u2028😀', min_size=1, max_size=12)
)
_wanted = st.dictionaries(_labels, st.one_of(_texts, st.lists(_texts, min_size=1, max_size=4)), max_size=4)
_types = st.text("abAB09._-", min_size=1, max_size=100)


def test_a_job_that_requires_nothing_has_its_type_for_a_lane():
    assert lane_of("print-label", ()) == "print-label"
    assert lane_parts("print-label") == ("print-label", ())


def test_the_key_of_a_lane_is_compact_and_in_one_order():
    wanted = requirement_of({"site": "berlin", "printer": ["zebra", "brother", "zebra"]})
    assert wanted == (("printer", ("brother", "zebra")), ("site", ("berlin",)))
    assert lane_of("print", wanted) == 'print {"printer":["brother","zebra"],"site":"berlin"}'


def test_a_list_of_one_value_is_that_value():
    assert requirement_of({"site": ["berlin"]}) == requirement_of({"site": "berlin"})


@given(_types, _wanted)
def test_every_key_is_json_and_is_read_back(type_name, wanted):
    requirement = requirement_of(wanted)
    key = lane_of(type_name, requirement)
    assert lane_parts(key) == (type_name, requirement)
    if requirement:
        fields = json.loads(key.removeprefix(type_name))
        assert requirement_of(fields) == requirement


@given(_types, _wanted, _types, _wanted)
def test_two_lanes_have_two_keys(type_name, wanted, other_type, other):
    one, two = (type_name, requirement_of(wanted)), (other_type, requirement_of(other))
    assert (lane_of(*one) == lane_of(*two)) == (one == two)


@pytest.mark.parametrize(
    ("wanted", "lacks"),
    [
        ({}, ""),
        ({"name": "DESK-7"}, ""),
        ({"name": ["DESK-6", "DESK-7"]}, ""),
        ({"name": "desk-7"}, "name:desk-7"),
        ({"site": "berlin"}, ""),
        ({"site": ["berlin", "bonn"], "name": "DESK-7"}, ""),
        ({"site": "bonn"}, "site:bonn"),
        ({"site": "berlin", "printer": ["zebra", "brother"]}, "printer:brother or zebra"),
        ({"site": "bonn", "printer": "zebra", "name": "DESK-7"}, "printer:zebra, site:bonn"),
    ],
)
def test_all_labels_must_match_and_of_a_list_any_value(wanted, lacks):
    requirement, labels = requirement_of(wanted), {"site": "berlin", "floor": "2"}
    assert said(missing(requirement, labels, "DESK-7")) == lacks
    assert matches(requirement, labels, "DESK-7") == (not lacks)


def test_a_requirement_is_shown_as_a_submitter_writes_it():
    wanted = {"name": "DESK-7", "printer": ["brother", "zebra"]}
    assert wanted_of(requirement_of(wanted)) == wanted
    assert wanted_of(()) == {}


def test_a_label_is_required_alone_or_among_others():
    required = requirement_of({"printer": ["brother", "zebra"], "site": "berlin"})
    assert requires(required, ())
    assert requires(required, [("printer", "zebra"), ("site", "berlin"), ("printer", "brother")])
    assert not requires(required, [("printer", "zebra"), ("site", "bonn")])
    assert not requires((), [("site", "berlin")])


def test_a_filter_knows_whether_it_asks_for_the_state_alone():
    alone = JobFilter(states=(JobState.QUEUED,), limit=5)
    assert alone.only_states()
    others = [JobFilter(type="a"), JobFilter(worker="DESK"), JobFilter(requires=(("site", "berlin"),))]
    assert not any(other.only_states() for other in others)


def test_the_name_is_the_workers_name_and_no_label():
    assert not matches((("name", ("x",)),), {"name": "x"}, "y")
