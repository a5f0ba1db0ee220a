"""The contract of a store: idempotency keys, limits, items that cannot be stored, and payloads to the byte."""

from __future__ import annotations

import json

import pytest

from dispatcher.core.jobs.turn import Cancel, Demand, Logged, OfferedTypes, Progressed, Started, Verdict
from tests.store.conftest import OpenDesk
from tests.store.contract import HOLDER, Desk, Kind, error, result
from tests.support.jobs import spec

#: Python reads such text from a JSON escape, but it cannot be written as UTF-8.
SURROGATE = '"\ud800"'
HUGE = 2**70


# idempotency keys


def test_an_equal_key_gives_the_earlier_job_and_makes_none(desk: Desk) -> None:
    (first,) = desk.submit(spec(key="k", fingerprint="f"))
    claim = desk.claim_one()
    desk.report(Started(claim.attempt, HOLDER))
    (again,) = desk.turn(submissions=[spec(key="k", fingerprint="f")]).accepted
    assert again.replayed
    assert desk.taken(again).id == first.id
    assert desk.taken(again).state == "running"
    assert len(desk.listed()) == 1


def test_an_equal_key_with_another_body_is_a_conflict(desk: Desk) -> None:
    desk.submit(spec(key="k", fingerprint="f"))
    (other,) = desk.turn(submissions=[spec(key="k", fingerprint="g")]).accepted
    assert (other.job, other.replayed, other.error) == (None, False, "key_conflict")
    assert "'k'" in (other.detail or "")
    assert len(desk.listed()) == 1


def test_of_equal_keys_in_one_turn_the_first_makes_the_job(desk: Desk) -> None:
    specs = [spec(key="k", fingerprint="f"), spec(key="k", fingerprint="f"), spec(key="k", fingerprint="g"), spec()]
    accepted = desk.turn(submissions=specs, demand=[Demand(1, ("echo",), 9)])
    first, again, conflict, other = accepted.accepted
    assert (first.replayed, again.replayed) == (False, True)
    assert desk.taken(first).id == desk.taken(again).id
    assert conflict.error == "key_conflict"
    assert [claim.job for claim in accepted.claims] == [desk.taken(first).id, desk.taken(other).id]
    assert len(desk.listed()) == 2


def test_a_key_holds_when_its_job_has_ended(desk: Desk) -> None:
    (job,) = desk.submit(spec(key="k", fingerprint="f"))
    desk.report(result(desk.claim_one().attempt))
    (again,) = desk.turn(submissions=[spec(key="k", fingerprint="f")]).accepted
    assert again.replayed
    assert (desk.taken(again).id, desk.taken(again).state) == (job.id, "succeeded")


def test_a_key_holds_over_a_restart(durable: Desk) -> None:
    (job,) = durable.submit(spec(key="k", fingerprint="f"))
    durable.reopen()
    same, other = durable.turn(submissions=[spec(key="k", fingerprint="f"), spec(key="k", fingerprint="g")]).accepted
    assert same.replayed
    assert durable.taken(same).id == job.id
    assert other.error == "key_conflict"


def test_keys_are_compared_to_the_letter(desk: Desk) -> None:
    keys = ["k", "K", "k ", " k", "k%", "0", "00", "1e0", "null", '"k"', "k\\", "x" * 255, "x" * 254]
    jobs = desk.submit(*[spec(key=key, fingerprint="f") for key in keys])
    assert len({job.id for job in jobs}) == len(keys)
    accepted = desk.turn(submissions=[spec(key=key, fingerprint="f") for key in reversed(keys)]).accepted
    assert [desk.taken(item).id for item in reversed(accepted)] == [job.id for job in jobs]


def test_jobs_without_a_key_are_never_the_same(desk: Desk) -> None:
    jobs = desk.submit(spec(), spec(), spec())
    assert len({job.id for job in jobs}) == 3


# limits


def test_more_jobs_than_the_queue_holds_are_refused_and_leave_no_trace(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, queue_depth=3)
    desk.submit(spec(), spec(delay_s=9.0))
    report = desk.turn(submissions=[spec(), spec("new", key="k"), spec("new")])
    assert [accepted.error for accepted in report.accepted] == [None, "queue_full", "queue_full"]
    assert len(desk.listed()) == 3
    assert [view.type for view in desk.run(desk.store.types())] == ["echo"]
    assert desk.counts() == {"queued": 2, "scheduled": 1}


def test_the_limit_counts_open_jobs_and_room_comes_back_when_they_end(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, queue_depth=2)
    desk.submit(spec(), spec())
    claims = desk.claim(2)
    (refused,) = desk.turn(submissions=[spec(key="k")]).accepted
    assert refused.error == "queue_full"
    # A result makes room in its own turn.
    report = desk.turn(reports=[result(claims[0].attempt)], submissions=[spec(key="k"), spec()])
    assert [accepted.error for accepted in report.accepted] == [None, "queue_full"]
    desk.command(Cancel(claims[1].job, "room"))
    assert desk.turn(submissions=[spec()]).accepted[0].error is None


def test_a_replay_is_answered_although_the_queue_is_full(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, queue_depth=1)
    (job,) = desk.submit(spec(key="k"))
    replay, other = desk.turn(submissions=[spec(key="k"), spec()]).accepted
    assert desk.taken(replay).id == job.id
    assert other.error == "queue_full"


def test_more_bytes_than_the_queue_holds_are_refused(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, queue_bytes=100)
    desk.submit(spec(data='"' + "x" * 58 + '"'))
    # 40 bytes fit, and bytes are counted, not characters.
    euros = '"' + "€" * 13 + '"'
    report = desk.turn(submissions=[spec(data='"' + "x" * 39 + '"'), spec(data=euros)])
    assert [accepted.error for accepted in report.accepted] == ["queue_full", "queue_full"]
    assert desk.turn(submissions=[spec(data='"' + "x" * 38 + '"')]).accepted[0].error is None
    assert desk.turn(submissions=[spec(data="1")]).accepted[0].error == "queue_full"


def test_limits_count_what_an_earlier_run_left(durable: Desk) -> None:
    durable.submit(spec(), spec(delay_s=9.0), spec())
    durable.report(result(durable.claim_one().attempt))
    durable.reopen(queue_depth=3)
    report = durable.turn(submissions=[spec(), spec()])
    assert [accepted.error for accepted in report.accepted] == [None, "queue_full"]


# items that cannot be stored


@pytest.mark.parametrize(
    "bad",
    [
        spec(data=SURROGATE),
        spec("\ud800"),
        spec(key="\ud800"),
        spec(key="bad", fingerprint="\ud800"),
    ],
    ids=["data", "type", "key", "fingerprint"],
)
def test_a_job_that_cannot_be_stored_is_refused_and_fails_no_other(desk: Desk, bad) -> None:
    claim = desk.start()
    report = desk.turn(
        reports=[result(claim.attempt)],
        commands=[OfferedTypes(("echo",))],
        submissions=[spec(data="1", key="a"), bad, spec(data="2", key="b"), spec(data="1", key="a")],
        demand=[Demand(1, ("echo",), 9)],
    )
    assert report.verdicts[0].verdict is Verdict.RECORDED
    assert report.commands[0].done
    first, refused, second, again = report.accepted
    assert (refused.job, refused.error) == (None, "refused")
    assert refused.detail
    assert again.replayed
    assert desk.taken(again).id == desk.taken(first).id
    assert [claim.data for claim in report.claims] == ["1", "2"]
    assert [job.id for job in desk.listed()] == [desk.taken(second).id, desk.taken(first).id, claim.job]
    assert desk.counts() == {"running": 2, "succeeded": 1}
    assert [view.type for view in desk.run(desk.store.types())] == ["echo"]


def test_a_new_type_beside_a_job_that_was_refused_is_known_for_good(durable: Desk) -> None:
    report = durable.turn(submissions=[spec("new", key="k"), spec("worse", SURROGATE), spec("newer")])
    assert [accepted.error for accepted in report.accepted] == [None, "refused", None]
    durable.submit(spec("worse"), spec("newest"), spec("new"))
    assert [claim.type for claim in durable.claim(1, "worse")] == ["worse"]
    durable.reopen()
    types = durable.run(durable.store.types())
    queued = {view.type: view.counts.get("queued") for view in types}
    assert queued == {"new": 2, "newer": 1, "newest": 1, "worse": 0}
    assert [claim.type for claim in durable.claim(9, *queued)] == ["new", "newer", "newest", "new"]


def test_what_was_refused_leaves_its_key_free(desk: Desk) -> None:
    (refused,) = desk.turn(submissions=[spec(data=SURROGATE, key="k")]).accepted
    assert refused.error == "refused"
    (job,) = desk.submit(spec(key="k"))
    assert job.state == "queued"


@pytest.mark.parametrize("text", [SURROGATE, "\udfff"])
def test_a_result_that_cannot_be_stored_is_refused_and_the_attempt_stays_as_it_was(desk: Desk, text: str) -> None:
    first, second = desk.start(), desk.start()
    before = desk.job(first.job)
    report = desk.turn(reports=[result(first.attempt, text), result(second.attempt, "2")])
    assert [settled.verdict for settled in report.verdicts] == [Verdict.REFUSED, Verdict.RECORDED]
    assert [settled.finished for settled in report.verdicts] == [None, second.job]
    assert desk.job(first.job) == before
    assert desk.counts() == {"running": 1, "succeeded": 1}
    assert desk.report(result(first.attempt, "1")) is Verdict.RECORDED


@pytest.mark.parametrize(
    "bad",
    [
        lambda name: error(name, text=SURROGATE),
        lambda name: Progressed(name, 1.0, "\ud800"),
        lambda name: Progressed(name, HUGE, None),
        lambda name: Logged(name, "\ud800"),
    ],
    ids=["error", "note", "percent", "line"],
)
def test_any_other_report_that_cannot_be_stored_is_refused_alone(desk: Desk, bad) -> None:
    claim = desk.start()
    before = desk.job(claim.job)
    reports = [Logged(claim.attempt, "before"), bad(claim.attempt), Logged(claim.attempt, "after")]
    verdicts = [settled.verdict for settled in desk.turn(reports=reports).verdicts]
    assert verdicts == [Verdict.RECORDED, Verdict.REFUSED, Verdict.RECORDED]
    job = desk.job(claim.job)
    assert [line.line for line in job.log] == ["before", "after"]
    assert (job.state, job.error, job.percent, job.note) == (before.state, before.error, before.percent, before.note)


def test_an_attempt_whose_name_is_no_text_ends_its_page_repeating_and_fails_no_other(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[result("\ud800"), result(claim.attempt)])
    assert report.verdicts[0].verdict in (Verdict.STALE, Verdict.REFUSED)
    assert report.verdicts[1].verdict is Verdict.RECORDED


def test_a_command_that_cannot_be_stored_is_not_obeyed_and_fails_no_other(desk: Desk) -> None:
    first, second = desk.submit(spec(), spec())
    commands = [Cancel(first.id, "\ud800"), Cancel(second.id, "good"), Cancel("\ud800", ""), OfferedTypes(("\ud800",))]
    report = desk.turn(commands=commands)
    assert [command.done for command in report.commands] == [False, True, False, False]
    assert report.finished == [second.id]
    assert desk.states(first.id, second.id) == ["queued", "cancelled"]


def test_the_order_of_a_turn_holds_although_it_is_applied_item_by_item(desk: Desk) -> None:
    due, expiring = desk.submit(spec(delay_s=5.0), spec(expires_s=5.0))
    desk.pass_time(10.0)
    report = desk.turn(
        commands=[Cancel(due.id, "first"), Cancel(expiring.id, "first")],
        submissions=[spec(data=SURROGATE), spec()],
        demand=[Demand(1, ("echo",), 9)],
    )
    assert [command.done for command in report.commands] == [True, True]
    assert report.finished == [due.id, expiring.id]
    assert desk.states(due.id, expiring.id) == ["cancelled", "cancelled"]
    assert [claim.job for claim in report.claims] == [desk.taken(report.accepted[1]).id]


# payloads


PAYLOADS = {
    "unicode": '"\N{SNOWMAN} \U0001f600 e\u0301 \u202e"',
    "escapes": r'"\u0041\u00e9\ud83d\ude00\n\/\\ \u0000"',
    "a float with a zero": "1.0",
    "an exponent": "1E+02",
    "minus zero": "-0.0",
    "a big integer": "1" + "0" * 400,
    "a long fraction": "0." + "123456789" * 20,
    "keys in their order and twice": '{"b": 1, "a": 2,\t"b" :3}',
    "spaces": ' \r\n\t{ "a" : [ ] } ',
    "null": "null",
    "an empty text": '""',
    "what looks like SQL": '"\'; DROP TABLE jobs; -- %s ?1 :a $b"',
    "1 MiB": json.dumps("x" * ((1 << 20) - 2)),
    "1 MiB of three bytes each": '"' + "€" * 349_525 + '"',
    "deep": "[" * 500 + "]" * 500,
}


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS)
def test_data_and_results_come_back_to_the_byte(desk: Desk, text: str) -> None:
    report = desk.turn(submissions=[spec(data=text)], demand=[Demand(1, ("echo",), 1)])
    (claim,) = report.claims
    assert claim.data == text
    desk.report(result(claim.attempt, text))
    job = desk.job(claim.job)
    assert (job.data, job.result) == (text, text)


def test_data_and_results_come_back_to_the_byte_after_a_restart(durable: Desk) -> None:
    jobs = durable.submit(*[spec(data=text) for text in PAYLOADS.values()])
    claims = durable.claim(len(jobs))
    durable.turn(reports=[result(claim.attempt, claim.data) for claim in claims])
    durable.reopen()
    found = [durable.job(job.id) for job in jobs]
    assert [(job.data, job.result) for job in found] == [(text, text) for text in PAYLOADS.values()]


def test_lists_leave_data_and_results_out(desk: Desk) -> None:
    claim = desk.start()
    desk.report(result(claim.attempt, "5"))
    (job,) = desk.listed()
    assert (job.data, job.result, job.attempts, job.log) == ("null", None, [], [])


def test_more_types_than_may_be_known_are_refused_and_leave_no_trace(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, most_types=2)
    desk.submit(spec("a"))
    desk.command(OfferedTypes(("b", "c")))
    refused, known = desk.turn(submissions=[spec("d"), spec("b")]).accepted
    assert (refused.job, refused.error) == (None, "too_many_types")
    assert "--most-types" in (refused.detail or "")
    assert desk.taken(known).type == "b"
    batch = [spec("a", batch=1), spec("e", batch=1)]
    assert [accepted.error for accepted in desk.turn(submissions=batch).accepted] == ["too_many_types"] * 2
    assert [view.type for view in desk.run(desk.store.types())] == ["a", "b"]
    assert desk.counts() == {"queued": 2}
