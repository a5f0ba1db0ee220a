"""What the worker page says while it runs, and what a person sees: progress, pause, drain, refusals, status."""

from __future__ import annotations

import json

import pytest

from .harness import HANDSHAKE, REGISTERED, Page, job, joined, ops
from .test_worker import SLOW, running


def test_progress_is_sent_at_most_four_times_a_second_and_the_newest_wins() -> None:
    page = running()
    page.run("for (var i = 0; i <= 100; i += 1) { seen.progress(i, 'step ' + i); }")
    assert page.take() == [{"op": "progress", "attempt": "a1", "percent": 0, "note": "step 0"}]
    page.advance(250)
    assert page.take() == [{"op": "progress", "attempt": "a1", "percent": 100, "note": "step 100"}]
    page.advance(1_000)
    assert page.requests("POST") == []
    (shown,) = page.status()["jobs"]
    assert (shown["percent"], shown["note"]) == (100, "step 100")


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        ("seen.progress(-5);", {"percent": 0}),
        ("seen.progress(500);", {"percent": 100}),
        ("seen.progress(NaN, 'x');", {"note": "x"}),
        ("seen.progress(null, 'x');", {"note": "x"}),
        ("seen.progress('12', 5);", {"note": "5"}),
        ("seen.progress();", {}),
    ],
)
def test_progress_takes_what_tasks_give_it(call: str, fields: dict[str, object]) -> None:
    page = running()
    page.run(call)
    assert page.take() == [{"op": "progress", "attempt": "a1", **fields}]


def test_progress_and_lines_are_cut_to_what_the_protocol_takes() -> None:
    page = running()
    page.run("seen.log(new Array(5000).join('x')); seen.progress(1, new Array(5000).join('y'));")
    line, progress = page.take_all()
    assert len(line["line"]) == len(progress["note"]) == 2_000


def test_a_task_that_has_ended_says_nothing_more() -> None:
    page = running()
    page.run("end(null, 1); seen.progress(5); seen.log('late');")
    assert ops(page.take_all()) == ["result"]


def test_lines_of_a_time_without_session_come_later() -> None:
    page = running()
    page.answer(page.poll, 0, "")
    page.run("seen.log('while away');")
    page.advance(2_000)
    page.open(sid="s2")
    page.push(REGISTERED)
    assert page.take_all() == [{"op": "log", "attempt": "a1", "line": "while away", "n": 1}]


def test_lines_of_a_long_time_without_session_are_bounded() -> None:
    page = running()
    page.answer(page.poll, 0, "")
    page.run("for (var i = 0; i < 5000; i += 1) { seen.log('line ' + i); }")
    page.advance(2_000)
    page.open(sid="s2")
    page.push(REGISTERED)
    assert len(page.take_all()) == 500


def test_pause_is_said_and_remembered_and_offers_that_cross_it_are_declined() -> None:
    page = joined()
    page.run("worker.pause();")
    assert ops(page.take()) == ["pause"]
    assert page.state == "paused"
    page.push(job())
    assert page.take()[0]["reason"] == "declined"
    page.load()
    page.join()
    assert ops(page.take()) == ["pause"]
    page.run("worker.resume();")
    assert ops(page.take()) == ["resume"]
    assert page.state == "ready"


def test_a_running_job_is_finished_before_the_pause() -> None:
    page = running()
    page.run("worker.pause();")
    page.take()
    assert (page.state, page.status()["paused"]) == ("working", True)
    page.run("end(null, 1);")
    assert ops(page.take()) == ["result"]
    assert page.state == "paused"


def test_a_resume_while_there_is_no_session_is_said_in_the_next() -> None:
    page = joined()
    page.run("worker.pause();")
    page.take()
    page.answer(page.poll, 0, "")
    page.run("worker.resume();")
    page.advance(2_000)
    page.open(sid="s2")
    page.push(REGISTERED)
    assert ops(page.take()) == ["resume"]


def test_a_server_that_drains_is_shown_and_running_work_goes_on() -> None:
    page = running()
    page.push({"op": "drain"})
    assert page.state == "maintenance"
    page.run("end(null, 1);")
    assert ops(page.take()) == ["result"]
    page.push({"op": "resume"})
    assert page.state == "ready"


def test_a_server_that_drained_and_went_away_is_still_in_maintenance_until_it_is_back() -> None:
    page = joined()
    page.push({"op": "drain"})
    page.answer(page.poll, 0, "")
    assert page.state == "maintenance"
    page.advance(2_000)
    page.open(sid="s2")
    page.push(REGISTERED)
    assert page.state == "ready"


def test_a_reload_is_done_but_not_more_than_once_a_minute() -> None:
    page = joined()
    page.push({"op": "reload"}, {"op": "reload"})
    assert page.run("return fakeWindow.reloads();") == 1
    page.load()
    page.join()
    page.push({"op": "reload"})
    assert page.run("return fakeWindow.reloads();") == 1
    page.advance(61_000 - 45_000)
    page.push_packets("2")
    page.take()
    page.advance(45_000 - 1_000)
    page.push({"op": "reload"})
    assert page.run("return fakeWindow.reloads();") == 2


def test_a_page_where_somebody_guesses_says_so_and_comes_back_slowly() -> None:
    page = Page().load()
    page.open()
    page.push({"op": "refused", "code": "too_many_wrong_tokens", "detail": "try again in 3 s"})
    assert (page.state, page.error) == ("not_allowed", "E-TOK-04")
    assert 15_000 <= page.status()["retryMs"] <= 30_000


def test_a_page_whose_token_ends_while_it_works_says_so_and_comes_back_slowly() -> None:
    page = joined()
    page.push({"op": "refused", "code": "token_ended", "detail": "it was revoked"})
    assert (page.state, page.error) == ("not_allowed", "E-TOK-03")
    assert 15_000 <= page.status()["retryMs"] <= 30_000


def test_a_refused_token_is_shown_and_asked_for_again_slowly() -> None:
    page = Page().load()
    page.open()
    page.push({"op": "refused", "code": "bad_token", "detail": "no"})
    assert (page.state, page.error) == ("not_allowed", "E-TOK-01")
    assert page.packets() == ["1"]
    page.take()
    assert 15_000 <= page.status()["retryMs"] <= 30_000
    page.advance(30_001)
    page.open(sid="s2")
    page.push({"op": "refused", "code": "bad_token", "detail": "no"})
    assert 30_000 <= page.status()["retryMs"] <= 60_000
    page.take()
    page.run("worker.reconnect();")
    page.open(sid="s3")
    page.push(REGISTERED)
    assert page.state == "ready"


def test_a_page_of_another_version_says_so_and_reloads_once() -> None:
    page = Page().load()
    page.open()
    page.push({"op": "refused", "code": "bad_version", "detail": "reload"})
    assert (page.state, page.error) == ("out_of_date", "E-VER-01")
    assert page.run("return fakeWindow.reloads();") == 1
    page.advance(100_000)
    page.load()
    page.open()
    page.push({"op": "refused", "code": "bad_version", "detail": "reload"})
    assert page.run("return fakeWindow.reloads();") == 1
    assert page.state == "out_of_date"
    assert page.status()["retryMs"] >= 15_000


def test_a_register_that_is_refused_for_another_reason_is_not_repeated_at_once() -> None:
    page = Page().load()
    page.open()
    page.push({"op": "refused", "code": "bad_message", "detail": "bad register"})
    assert (page.state, page.error) == ("reconnecting", "E-MSG-01")
    assert page.status()["retryMs"] >= 15_000


def test_a_page_some_of_whose_types_found_no_room_says_so_and_goes_on() -> None:
    page = running()
    page.run("end(null, 1);")
    page.take()
    page.push({"op": "refused", "code": "types_full", "detail": "takes no jobs of: scan"})
    assert (page.state, page.error) == ("ready", "E-MSG-01")
    assert page.requests("POST") == [], "its result is repeated later, as it is"
    assert page.status()["unreported"] == 1


def test_a_refusal_that_names_an_attempt_ends_its_repeating() -> None:
    page = running()
    page.run("end(null, 1);")
    page.take()
    page.push({"op": "refused", "code": "too_large", "detail": "x", "attempt": "a1"})
    page.advance(30_000)
    assert page.requests("POST") == []
    assert page.world()["session"].keys() == {"pagehand.worker"}


def test_a_refused_line_does_not_end_a_running_task() -> None:
    page = running()
    page.push({"op": "refused", "code": "bad_message", "detail": "bad log", "attempt": "a1"})
    page.run("end(null, 1);")
    assert ops(page.take()) == ["result"]


def test_a_session_that_the_server_does_not_know_is_registered_again() -> None:
    page = running()
    page.push({"op": "refused", "code": "not_registered", "detail": "register first"})
    (register,) = page.take()
    assert register["holding"][0]["attempt"] == "a1"
    page.push({"op": "refused", "code": "not_registered", "detail": "register first"})
    assert page.requests("POST") == []
    page.push(REGISTERED)
    assert page.state == "working"


def test_a_message_that_is_not_understood_is_noted_and_ends_nothing() -> None:
    page = joined()
    for message in ("{", "[]", '"x"', "{}", '{"op":"dance"}', '{"op":"job","attempt":"a"}', '{"op":"toString"}'):
        page.push_packets("4" + message)
        assert (page.state, page.error) == ("ready", "E-MSG-02")


def test_a_listener_that_throws_stops_nothing() -> None:
    page = joined()
    page.run("worker.on('status', function () { throw new Error('x'); });")
    page.push(job())
    assert ops(page.take()) == ["result"]


def test_the_events_of_a_job_are_told_in_their_order() -> None:
    page = joined(SLOW)
    page.js.eval(
        "var told = []; worker.on('job', function (j) { told.push('job ' + j.id); })"
        ".on('ended', function (e) { told.push('ended ' + e.attempt + ' ' + e.succeeded); }); null;"
    )
    page.push(job(type_="slow"))
    page.take()
    page.run("end(null, 1);")
    assert page.run("return told;") == ["job job-a1", "ended a1 true"]


def test_the_status_says_what_a_person_must_see() -> None:
    page = running()
    page.advance(3_000)
    status = page.status()
    assert status["state"] == "working"
    assert (status["name"], status["worker"], status["server"]) == ("DESK", "w1", "http://site.test")
    assert status["heardMs"] == 3_000
    (shown,) = status["jobs"]
    assert (shown["id"], shown["type"], shown["number"], shown["phase"]) == ("job-a1", "slow", 1, "running")


def test_done_and_failed_are_counted_per_local_day() -> None:
    page = joined(
        "Pagehand.task('t', function (job) { if (job.data) { return 1; } throw new Error('no'); });", {"slots": 9}
    )
    page.push(job("a1", "t", 1), job("a2", "t", 1), job("a3", "t", 0))
    page.take_all()
    assert (page.status()["done"], page.status()["failed"]) == (2, 1)
    page.load()
    assert (page.status()["done"], page.status()["failed"]) == (2, 1)
    page.run("fakeWindow.stepDate(86400000);")
    assert (page.status()["done"], page.status()["failed"]) == (0, 0)


def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    page = running()
    page.run("fakeWindow.stepDate(-1e12);")
    page.advance(2_000)
    page.run("fakeWindow.stepDate(3e12);")
    page.advance(2_000)
    assert page.state == "working"
    assert page.reconnect()["holding"][0]["elapsed_ms"] < 10_000


def test_a_handshake_that_never_comes_is_tried_again() -> None:
    page = Page().load()
    page.advance(16_500)
    assert page.error in ("E-NET-02", "E-NET-08")
    page.advance(2_000)
    page.push_packets("0" + json.dumps(HANDSHAKE))
    assert ops(page.take()) == ["register"]
