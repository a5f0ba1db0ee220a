"""Plans for many jobs together, with a network and a clock that the test plays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.sdk.client import together
from dispatcher.sdk.client.errors import ChangesMissed, NotFound, NotPagehand
from dispatcher.sdk.client.exchange import ServerAnswer
from dispatcher.sdk.client.facts import JobFacts
from tests.sdk.client.played import LOST, Play, problem, says


def jobs(count: int) -> list[JobFacts]:
    fields = {"type": "echo", "state": "queued", "batch": "b1", "attempts": []}
    return [JobFacts({"id": f"j{n}", **fields}, "http://x") for n in range(count)]


def standing(*states: str | None, done: bool) -> ServerAnswer:
    return says(200, {"items": [{"id": f"j{n}", "state": state} for n, state in enumerate(states)], "done": done})


def asked(play: Play) -> list[dict[str, Any]]:
    return [json.loads(sent.call.body or b"{}") for sent in play.sent]


def test_jobs_that_are_over_know_their_state_and_ask_for_the_rest() -> None:
    play = Play(standing("failed", "running", None, done=False), standing("failed", "succeeded", None, done=True))
    given = jobs(3)
    found = play.run(together.waited(play.plans, given, None, first=False))
    assert (found.done, found.not_done) == (given, [])
    assert [job.state for job in given] == ["failed", "succeeded", "unknown"]
    assert all("attempts" not in job.fields and job.batch == "b1" for job in given)
    assert asked(play) == [{"ids": ["j0", "j1", "j2"], "any": False, "timeout_s": 30}] * 2


def test_the_first_one_ends_the_waiting_and_the_others_are_not_done() -> None:
    play = Play(standing("queued", "succeeded", done=True))
    given = jobs(2)
    found = play.run(together.waited(play.plans, [*given, given[1]], None, first=True))
    assert (found.done, found.not_done) == ([given[1], given[1]], [given[0]])
    assert "attempts" in given[0].fields


def test_behind_the_deadline_one_more_look_says_which_are_over() -> None:
    play = Play(standing("queued", "queued", done=False), standing("queued", "succeeded", done=False), each_s=3)
    found = play.run(together.waited(play.plans, jobs(2), 1_002.5, first=False))
    assert ([job.id for job in found.done], [job.id for job in found.not_done]) == (["j1"], ["j0"])
    assert [sent["timeout_s"] for sent in asked(play)] == [2, 0]


def test_a_server_that_stays_away_leaves_all_jobs_open() -> None:
    play = Play(LOST, each_s=1)
    found = play.run(together.waited(play.plans, jobs(2), 1_003.0, first=False))
    assert ([job.id for job in found.not_done], play.now_s < 1_020) == (["j0", "j1"], True)


def test_more_jobs_than_one_request_takes_are_waited_for_one_part_after_the_other() -> None:
    parts = [
        {"items": [{"id": f"j{n}", "state": "failed"} for n in part], "done": True}
        for part in (range(1_000), range(1_000, 1_001))
    ]
    play = Play(*(says(200, part) for part in parts))
    assert len(play.run(together.waited(play.plans, jobs(1_001), None, first=False)).done) == 1_001
    assert [len(sent["ids"]) for sent in asked(play)] == [1_000, 1]
    with pytest.raises(ValueError, match=r"at most 1,000 jobs, and these are 1,001"):
        play.run(together.waited(play.plans, jobs(1_001), None, first=True))


def test_nothing_to_wait_for_asks_nobody() -> None:
    play = Play(LOST)
    assert play.run(together.waited(play.plans, [], None, first=False)) == ([], [])
    assert play.sent == []


def test_a_batch_is_waited_for_to_its_end_or_the_deadline() -> None:
    open_, over = (
        {"id": "b1", "jobs": 1, "counts": {state: 1}, "ended": state == "failed"} for state in ("queued", "failed")
    )
    play = Play(says(200, open_), says(200, over))
    assert play.run(together.batch_over(play.plans, "b1", None)) == over
    assert [sent.call.target for sent in play.sent] == ["/api/v1/batches/b1?wait=30"] * 2
    late = Play(says(200, open_), each_s=5)
    assert late.run(together.batch_over(late.plans, "b1", 1_004.0)) is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(404, "not_found"), NotFound),
        (says(200, []), NotPagehand),
        (ServerAnswer(200, {"content-type": "application/x-ndjson; charset=utf-8"}, b'{"id": 1\n'), NotPagehand),
        (ServerAnswer(200, {"content-type": "application/x-ndjson"}, b"7\n"), NotPagehand),
    ],
)
def test_results_that_are_none_are_refused(answer: ServerAnswer, error: type[Exception]) -> None:
    play = Play(answer)
    with pytest.raises(error):
        play.run(together.batch_results(play.plans, "b1"))


def test_the_first_page_of_changes_says_where_it_begins_and_the_next_ones_wait() -> None:
    play = Play(says(200, {"items": [], "after": "L-7", "gap": None}))
    page = play.run(together.changes(play.plans, {"type": ["a", "b"], "state": None}, None))
    play.run(together.changes(play.plans, {}, page["after"]))
    assert [sent.call.target for sent in play.sent] == [
        "/api/v1/changes?type=a&type=b",
        "/api/v1/changes?after=L-7&wait=30",
    ]
    assert together.items_of(page) == []


def test_a_gap_is_raised_with_the_place_behind_it() -> None:
    with pytest.raises(ChangesMissed, match="too old") as raised:
        together.items_of({"items": [], "after": "L-9", "gap": {"detail": "too old"}})
    assert raised.value.after == "L-9"
