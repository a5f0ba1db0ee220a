"""static/page-words.js: the sentences of the worker page, each for the person who stands before it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import quickjs

from handlers.worker.script import join

from .harness import STATIC, bare_engine, speak

#: 10:30:05 of the local day.
AT = "new Date(2026, 10, 23, 10, 30, 5).getTime()"
BLAME = "Not this PC."


def words_engine(language: str = "en") -> quickjs.Context:
    """An engine with the words in it."""
    js = bare_engine()
    speak(js, language)
    js.eval(join())
    for name in ("spoken.js", "page-words.js", "test-words.js"):
        js.eval((STATIC / name).read_text(encoding="utf-8"))
    return js


def say(function: str, *more: Any, **status: Any) -> str:
    """What a function says of a status; ``AT`` as a value is that instant."""
    plain: dict[str, Any] = {
        "otherWindow": None,
        "jobs": [],
        "retryMs": None,
        "failures": 1,
        "standing": None,
        "error": None,
    }
    return say_value(function, plain | status, *more)


def say_value(function: str, *values: Any) -> str:
    """What a function says of such values."""
    js = words_engine()
    arguments = ", ".join(json.dumps(value).replace(json.dumps(AT), AT) for value in values)
    return str(js.eval(f"(pagehandWords.{function} || pagehandTestWords.{function})({arguments})"))


def trouble(code: str) -> dict[str, Any]:
    return {"standing": {"code": code, "since": AT}, "error": {"code": code, "text": "It broke.", "whose": BLAME}}


@pytest.mark.parametrize("state", ["reconnecting", "not_allowed", "out_of_date", "stopped"])
def test_each_sentence_of_trouble_says_whose_fault_it_is(state: str) -> None:
    assert BLAME in say("detailText", state=state, refusal="", **trouble("E-NET-01"))


def test_a_server_that_is_away_says_since_when() -> None:
    words = say("detailText", state="reconnecting", **trouble("E-NET-01"))
    assert words.startswith("The server has not answered since 10:30. Trying now, attempt 1. It broke.")


def test_a_missing_token_and_a_wrong_one_have_sentences_of_their_own() -> None:
    missing = say("detailText", state="not_allowed", refusal="", **trouble("E-TOK-01"))
    wrong = say("detailText", state="not_allowed", refusal="", **trouble("E-TOK-02"))
    assert missing.startswith("The server needs a token, and this page has none.")
    assert wrong.startswith("The token of this page is wrong.")
    guessed = say("detailText", state="not_allowed", refusal="", **trouble("E-TOK-04"))
    assert guessed.startswith("Too many wrong tokens have come from where this page is")
    ended = say("detailText", state="not_allowed", refusal="", **trouble("E-TOK-03"))
    assert ended.startswith("The token of this page was revoked or has expired. Ask whoever runs the server for a new")


def test_a_task_that_goes_on_after_its_cancel_says_when_the_page_is_loaded_again() -> None:
    job = {"type": "print", "id": "j1", "startedAt": None, "number": 1, "percent": None, "note": None}
    hanging = job | {"cancelled": True, "over": "timed out", "cancelledAt": AT, "reloadAt": AT}
    words = "print j1 (timed out at 10:30:05, but its task is still running"
    later = "; if it does not stop, this page reloads at 10:30:05)"
    assert say("jobsText", jobs=[hanging]) == words + later
    assert say("jobsText", jobs=[hanging | {"reloadAt": None}]) == words + ")"
    assert say("jobsText", jobs=[job | {"cancelled": False}]) == "print j1"


@pytest.mark.parametrize("state", ["ready", "working", "paused"])
def test_a_page_that_works_in_spite_of_a_trouble_says_what_it_is_and_whose_fault(state: str) -> None:
    standing = {"code": "E-NET-12", "since": AT, "text": "Requests are cut.", "whose": BLAME}
    assert say("detailText", state=state, paused=False, standing=standing).endswith(f". Requests are cut. {BLAME}")


@pytest.mark.parametrize("state", ["ready", "working", "paused"])
def test_a_second_window_says_so(state: str) -> None:
    words = say("detailText", state=state, paused=False, otherWindow="DESK")
    assert "Another window of this browser is the worker DESK already" in words
    assert "Another window" not in say("detailText", state=state, paused=False)


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("E-NET-12", "FRONT-DESK-07", "Tell the helpdesk: FRONT-DESK-07, E-NET-12, since 10:30. Or just: 7NX-J3D."),
        ("E-SRV-01", "FRONT-DESK-07", "Tell the helpdesk: FRONT-DESK-07, E-SRV-01, since 10:30. Or just: LNX-J3S."),
        ("E-TOK-01", "", "Tell the helpdesk: a page without a name, E-TOK-01, since 10:30. Or just: 96X-J3X."),
    ],
)
def test_one_line_to_read_aloud_has_name_code_and_since_when(code: str, name: str, words: str) -> None:
    assert say("aloudText", name, **trouble(code)) == words


def test_nothing_is_to_be_read_aloud_while_nothing_is_wrong() -> None:
    assert say("aloudText", "DESK") == ""


@pytest.mark.parametrize(
    ("state", "happened", "more", "words"),
    [
        ("asked", None, 0, "The server does not know how that ended. Yes: it counts as done. No: it is done again."),
        ("telling", True, 0, "The server hears: yes\u2026"),
        ("telling", False, 0, "The server hears: no\u2026"),
        ("noted", True, 2, "Thank you. It counts as done. Questions that follow: 2."),
        ("noted", False, 0, "Thank you. It is done again."),
        ("decided", True, 0, "Somebody has decided it already."),
    ],
)
def test_who_is_asked_about_a_job_in_doubt_reads_what_an_answer_means_and_what_became_of_it(
    state: str, happened: bool | None, more: int, words: str
) -> None:
    assert say_value("doubtText", {"state": state, "happened": happened, "more": more, "why": ""}) == words


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("timed_out", "That took too long, and the server does not know how it ended."),
        ("lost", "The server lost track of that: this page was gone, or said nothing of it."),
        ("released", "This page gave that back before it had ended."),
        ("of a later version", "The server does not know how that ended."),
    ],
)
def test_who_is_asked_about_a_job_in_doubt_reads_why(why: str, words: str) -> None:
    said = say_value("doubtText", {"state": "asked", "happened": None, "more": 0, "why": why})
    assert said == f"{words} Yes: it counts as done. No: it is done again."


@pytest.mark.parametrize(
    ("labels", "sent", "bad", "words"),
    [
        ({"site": "berlin"}, {"site": "berlin"}, [], "site:berlin"),
        ({"printer": "zebra", "site": "bonn"}, {"site": "berlin"}, [],
            "printer:zebra, site:bonn \u00b7 given by the server"),
        ({}, {}, ["x y"], "none \u00b7 not sent: x y"),
    ],
)  # fmt: skip
def test_the_labels_are_those_that_count(
    labels: dict[str, str], sent: dict[str, str], bad: list[str], words: str
) -> None:
    assert say_value("labelsText", {"labels": labels, "sentLabels": sent, "badLabels": bad}, True) == words


@pytest.mark.parametrize(("by", "who"), [("ann", "ann"), ("", "an operator")])
def test_who_stands_before_a_drained_page_reads_who_has_ended_its_work_and_what_brings_it_back(
    by: str, who: str
) -> None:
    hold = {"by": by, "reason": "moving", "leave": True, "mayEnd": False, "ending": False, "again": None}
    words = (
        f"This page takes no jobs: its work was ended by {who}: moving. "
        "An operator of the server can let it have jobs again. Then press Reconnect now."
    )
    assert say("detailText", state="stopped", hold=hold) == words
    again = say("detailText", state="stopped", hold=hold | {"again": AT})
    assert again == f"{words} The server was asked at 10:30:05: that still holds."
    working = say("detailText", state="working", hold=hold, paused=False)
    assert working == f" \u00b7 stops after this (its work was ended by {who}: moving)"


def test_a_page_that_has_stopped_and_was_only_paused_does_not_say_that_its_work_was_ended() -> None:
    hold = {"by": "ann", "reason": "lunch", "leave": False, "mayEnd": True, "ending": False, "again": None}
    assert say("detailText", state="stopped", hold=hold) == "This page takes no jobs."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no paper?", "no paper? "),
        ("no paper.", "no paper. "),
        ("wait...", "wait... "),
        ("no... paper", "no... paper. "),
    ],
)
def test_a_reason_that_ends_with_a_mark_gets_no_second_one(reason: str, words: str) -> None:
    hold = {"by": "ann", "reason": reason, "leave": False, "mayEnd": False, "ending": False}
    said = say("detailText", state="paused", paused=False, hold=hold)
    assert said == f"Takes no jobs: paused by ann: {words}Only an operator of the server can end that."


@pytest.mark.parametrize(
    ("may", "ending", "words"),
    [
        (True, False, "Resume ends that, and is noted under the name of this page."),
        (True, True, "The server hears that somebody here ends that\u2026"),
        (False, False, "Only an operator of the server can end that."),
    ],
)
def test_who_stands_before_a_paused_page_reads_who_has_paused_it_and_what_ends_it(
    may: bool, ending: bool, words: str
) -> None:
    hold = {"by": "ann", "reason": "printer broken", "leave": False, "mayEnd": may, "ending": ending}
    said = say("detailText", state="paused", paused=False, hold=hold)
    assert said == f"Takes no jobs: paused by ann: printer broken. {words}"
    assert say("resumes", paused=False, hold=hold) == str(may)
    assert ("It is paused here as well." in say("detailText", state="paused", paused=True, hold=hold)) is not may
