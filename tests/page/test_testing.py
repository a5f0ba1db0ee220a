"""The test of a connection: what it asks, what it makes of the answers, and that it leaves the page alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import Message, Page, job, joined, ops

PATH = "/engine.io/test?"
LIMIT = 1_114_112
FACTS = {"poll_ms": 20_000, "post_limit": LIMIT, "websocket": True}
#: The fake window's clock at its start.
NOON = "Date.UTC(2026, 10, 23, 12)"


class Trial:
    """A page that is registered, and a test that somebody has begun there."""

    def __init__(self, **config: Any) -> None:
        self.page = joined()
        self.own = len(self.page.requests("GET"))
        self.page.js.eval(
            f"var told = 0; var test = new Pagehand.ConnectionTest({{env: fakeWindow.env({json.dumps(config)})}});"
            "test.start(function () { told += 1; }); null;"
        )

    def asked(self) -> dict[str, Message]:
        """What waits for an answer: ``wait=45``, or the size of a body, and the request."""
        both = [*self.page.requests("GET"), *self.page.requests("POST")]
        mine = [request for request in both if PATH in request["url"]]
        return {str(len(one["body"] or "")) if one["body"] else _query(one): one for one in mine}

    def answer(self, what: str, status: int = 200, value: object = None) -> None:
        body = json.dumps(value) if value is not None else ""
        self.page.answer(self.asked()[what], status, body, "application/json")

    def facts(self, **other: Any) -> Message:
        """What the server would say now; its clock is right."""
        return {"now_ms": self.page.run(f"return {NOON} + fakeWindow.now();"), **FACTS, **other}

    def begin(self, **other: Any) -> None:
        """The server answers the first question."""
        self.answer("wait=0", value=self.facts(**other))

    def take(self, *sizes: int) -> None:
        for size in sizes:
            self.answer(str(size), value={"bytes": size})

    def come_through(self, wait_s: int) -> None:
        self.answer(f"wait={wait_s}", value=self.facts())

    def line(self, name: str) -> Message:
        return next(line for line in self.page.run("return test.lines();") if line["name"] == name)

    def states(self) -> dict[str, str]:
        return {line["name"]: line["state"] for line in self.page.run("return test.lines();")}

    def is_over(self) -> bool:
        return bool(self.page.run("return test.isOver();"))


def _query(request: Message) -> str:
    return str(request["url"]).partition("?")[2].partition("&")[0]


SIZES = (1_024, 16_384, 65_536, 262_144, 1_048_576, LIMIT)


def test_all_that_comes_through_is_fine() -> None:
    test = Trial()
    test.page.advance(40)
    test.begin()
    test.take(*SIZES)
    test.page.socket_does("open")
    test.page.frame('0{"sid":"s9"}')
    assert test.page.socket["frames"] == ["1"]
    test.page.socket_does("close", 1000)
    test.page.advance(5_000)
    test.come_through(5)
    test.page.advance(25_000)
    test.come_through(25)
    test.page.advance(15_000)
    assert test.states()["waiting"] == "testing"
    test.come_through(45)
    assert set(test.states().values()) == {"fine"}
    assert test.is_over()
    assert test.line("server")["ms"] == 40
    assert (test.line("sending")["bytes"], test.line("waiting")["longestS"]) == (LIMIT, 45)


def test_nothing_is_asked_before_the_server_has_answered_and_then_at_most_three_things_at_once() -> None:
    test = Trial()
    assert set(test.asked()) == {"wait=0"}
    test.begin()
    assert set(test.asked()) == {"wait=45", "wait=5", "1024"}
    test.page.advance(5_000)
    test.come_through(5)
    test.take(*SIZES[:3])
    assert set(test.asked()) == {"wait=45", "wait=25", "262144"}


def test_a_line_says_how_far_it_has_come_and_the_longest_wait_holds_up_no_other() -> None:
    test = Trial(noSocket=True)
    test.begin()
    test.take(*SIZES[:2])
    assert (test.line("sending")["state"], test.line("sending")["bytes"]) == ("testing", 16_384)
    test.page.advance(5_000)
    test.come_through(5)
    assert (test.line("waiting")["state"], test.line("waiting")["longestS"]) == ("testing", 5)
    test.take(*SIZES[2:])
    states = test.states()
    assert [name for name, state in states.items() if state == "testing"] == ["waiting"]


@pytest.mark.parametrize(("status", "why"), [(413, "status 413"), (0, "no answer")])
def test_the_largest_body_that_comes_through_is_found(status: int, why: str) -> None:
    test = Trial()
    test.begin()
    test.take(*SIZES[:3])
    test.answer("262144", status)
    line = test.line("sending")
    assert (line["state"], line["bytes"], line["failed"], line["why"]) == ("wrong", 65_536, 262_144, why)
    assert test.page.sockets() != [], "what comes next is tried all the same"


def test_a_body_of_which_only_a_part_has_come_has_not_come_through() -> None:
    test = Trial()
    test.begin()
    test.answer("1024", value={"bytes": 1_000})
    line = test.line("sending")
    assert (line["state"], line.get("bytes"), line["failed"]) == ("wrong", None, 1_024)
    assert "(E-NET" not in line["why"]


def test_a_server_that_takes_less_is_sent_less() -> None:
    test = Trial(noSocket=True)
    test.begin(post_limit=70_000)
    test.take(1_024, 16_384, 65_536, 70_000)
    assert (test.line("sending")["state"], test.line("sending")["bytes"]) == ("fine", 70_000)


@pytest.mark.parametrize("status", [0, 502, 504])
def test_waits_that_are_cut_are_known_by_their_age(status: int) -> None:
    test = Trial(noSocket=True)
    test.begin()
    test.page.advance(5_000)
    test.come_through(5)
    test.page.advance(5_000)
    test.answer("wait=45", status)
    test.page.advance(5_000)
    test.answer("wait=25", status)
    line = test.line("waiting")
    assert (line["state"], line["longestS"], line["cutMs"]) == ("wrong", 5, 10_000)


def test_waits_that_are_cut_later_than_a_page_waits_do_no_harm() -> None:
    test = Trial(noSocket=True)
    test.begin()
    test.page.advance(5_000)
    test.come_through(5)
    test.page.advance(25_000)
    test.answer("wait=45", 504)
    test.come_through(25)
    line = test.line("waiting")
    assert (line["state"], line["longestS"], line["cutMs"]) == ("fine", 25, 30_000)


def test_answers_that_never_come_have_no_age() -> None:
    test = Trial(noSocket=True)
    test.begin()
    test.page.advance(55_000)
    line = test.line("waiting")
    assert (line["state"], line["longestS"], line["cutMs"]) == ("wrong", 0, None)
    assert line["why"].startswith("no answer within ")


def test_an_answer_that_comes_too_early_is_somebody_else_s() -> None:
    test = Trial(noSocket=True)
    test.begin()
    test.page.advance(100)
    test.come_through(5)
    test.page.advance(25_000)
    test.come_through(25)
    test.page.advance(20_000)
    test.come_through(45)
    assert test.line("waiting")["why"].startswith("Something other than the server answered")


@pytest.mark.parametrize(
    ("what", "value", "why"),
    [
        ("close", 1006, "it is refused (code 1006)"),
        ("close", 1000, ""),
    ],
)
def test_a_socket_that_closes_is_judged_by_what_has_come_before(what: str, value: int, why: str) -> None:
    test = Trial()
    test.begin()
    test.take(*SIZES)
    if not why:
        test.page.socket_does("open")
        test.page.frame('0{"sid":"s9"}')
    test.page.socket_does(what, value)
    assert (test.line("socket")["state"], test.line("socket")["why"]) == ("wrong" if why else "fine", why)


def test_a_socket_that_opens_and_breaks_says_so() -> None:
    test = Trial()
    test.begin()
    test.take(*SIZES)
    test.page.socket_does("open")
    test.page.frame('0{"sid":"s9"}')
    test.page.socket_does("close", 1006)
    assert test.line("socket")["why"] == "it opens, but breaks (code 1006)"


def test_a_socket_that_says_nothing_is_given_up() -> None:
    test = Trial()
    test.begin()
    test.take(*SIZES)
    test.page.socket_does("open")
    test.page.advance(10_000)
    assert test.line("socket")["why"] == "no answer within 10 s"
    assert test.page.socket["closed"]


def test_a_browser_without_sockets_and_one_that_forbids_them_say_so() -> None:
    none, forbids = Trial(noSocket=True), Trial(socketThrows=True)
    for test in (none, forbids):
        test.begin()
        test.take(*SIZES)
        test.page.advance(0)
    assert none.line("socket")["why"] == "this browser has none"
    assert forbids.line("socket")["why"] == "the browser forbids it (Access is denied.)"


def test_a_server_that_takes_no_sockets_is_not_asked_for_one() -> None:
    test = Trial()
    test.begin(websocket=False)
    test.take(*SIZES)
    assert (test.line("socket")["state"], test.line("socket")["skipped"]) == ("untested", "polling")
    assert test.page.sockets() == []


@pytest.mark.parametrize(("ahead_ms", "state"), [(29_000, "fine"), (-29_000, "fine"), (60_000, "wrong")])
def test_the_clock_is_compared_with_the_middle_of_question_and_answer(ahead_ms: int, state: str) -> None:
    test = Trial()
    test.page.advance(2_000)
    test.begin(now_ms=test.facts()["now_ms"] - 1_000 - ahead_ms)
    assert (test.line("clock")["state"], test.line("clock")["aheadMs"]) == (state, ahead_ms)


@pytest.mark.parametrize(
    ("config", "found"),
    [({}, (True, True)), ({"blockSession": True}, (False, True)), ({"blockLocal": True}, (True, False))],
)
def test_storage_is_tried_at_once_and_left_as_it_was(config: Message, found: tuple[bool, bool]) -> None:
    test = Trial(**config)
    line = test.line("storage")
    assert (line["session"], line["local"]) == found
    assert line["state"] == ("fine" if all(found) else "wrong")
    assert "pagehand.test" not in json.dumps(test.page.world())


@pytest.mark.parametrize(
    ("status", "text", "why"),
    [
        (0, "", "no answer"),
        (502, "<title>Bad Gateway</title>", "status 502: Bad Gateway"),
        (200, "<title>Hotel Adria</title>", "Something other than the server answered"),
        (200, "[]", "Something other than the server answered"),
        (200, "{}", "Something other than the server answered"),
    ],
)
def test_without_the_server_s_answer_nothing_more_is_asked(status: int, text: str, why: str) -> None:
    test = Trial()
    test.page.answer(test.asked()["wait=0"], status, text)
    assert test.line("server")["state"] == "wrong"
    assert test.line("server")["why"].startswith(why)
    assert {test.line(name)["skipped"] for name in ("sending", "waiting", "socket", "clock")} == {"server"}
    assert test.line("storage")["state"] == "fine"
    assert test.is_over()
    assert test.asked() == {}


BUSY = {"code": "unavailable", "status": 503}


def test_a_server_that_serves_no_more_tests_is_not_called_faulty() -> None:
    test = Trial()
    test.answer("wait=0", 503, BUSY)
    assert test.line("server")["state"] == "fine"
    assert test.line("sending")["skipped"] == "busy"
    later = Trial(noSocket=True)
    later.begin()
    later.answer("1024", 503, BUSY)
    for wait in ("wait=45", "wait=5", "wait=25"):
        later.answer(wait, 503, BUSY)
    assert later.line("sending")["skipped"] == later.line("waiting")["skipped"] == "busy"
    assert later.is_over()


def test_a_browser_that_forbids_requests_is_said_so() -> None:
    test = Trial(openThrows=True)
    test.page.advance(0)
    assert test.line("server")["why"].startswith("This browser does not let the page make requests.")


@pytest.mark.parametrize("how", ["test.stop();", "fakeWindow.fire('pagehide', {});"])
def test_a_stop_ends_what_is_under_way_and_keeps_what_is_known(how: str) -> None:
    test = Trial()
    test.begin()
    test.take(*SIZES)
    test.page.socket_does("open")
    test.page.run(how)
    assert test.asked() == {}
    assert test.page.socket["closed"]
    assert test.is_over()
    assert (test.line("waiting")["state"], test.line("waiting")["skipped"]) == ("untested", "stopped")
    assert test.line("sending")["state"] == "fine"
    told = test.page.run("return told;")
    test.page.advance(60_000)
    assert test.page.run("return told;") == told


def test_a_test_that_is_over_leaves_nothing_behind() -> None:
    test = Trial()
    before = test.page.run("return fakeWindow.hooked('pagehide');")
    test.page.run("test.stop();")
    assert test.page.run("return fakeWindow.hooked('pagehide');") == before - 1


def test_the_page_works_meanwhile_and_its_session_is_left_alone() -> None:
    test = Trial()
    test.begin()
    (poll,) = [one for one in test.page.requests("GET") if PATH not in one["url"]]
    test.page.answer(poll, 200, "4" + json.dumps(job(data=7)))
    (post,) = [one for one in test.page.requests("POST") if PATH not in one["url"]]
    assert json.loads(post["body"][1:])["value"] == 7
    assert all("sid=" not in request["url"] for request in test.asked().values())
    assert all("X-Pagehand-Session" not in request["headers"] for request in test.asked().values())


# -- what the server is told


def mention(page: Page, text: str) -> None:
    page.run(f"worker.mention('connection_test', {json.dumps(text)});")


def test_the_server_is_told_at_once_and_the_state_stays_as_it_is() -> None:
    page = joined()
    mention(page, "all is well")
    assert page.state == "ready"
    (register,) = page.take()
    assert (register["op"], register["page"]["connection_test"]) == ("register", "all is well")
    page.push({"op": "registered", "worker": "w1", "secret": "x1", "name": "DESK", "settings": {}})
    assert page.requests("POST") == []


def test_a_running_job_goes_on_and_is_held_in_the_register_that_tells() -> None:
    page = joined("Pagehand.task('echo', function (job, done) { window_done = done; });var window_done;")
    page.push(job())
    assert ops(page.take_all()) == ["accept"]
    mention(page, "x")
    (register,) = page.take()
    assert [held["attempt"] for held in register["holding"]] == ["a1"]
    assert page.state == "working"


def test_what_was_found_before_the_page_was_registered_goes_with_its_register() -> None:
    page = Page().load()
    mention(page, "cut after 10 s")
    assert page.open()["page"]["connection_test"] == "cut after 10 s"
    late = Page().load()
    late.open()
    mention(late, "found while it registers")
    late.push({"op": "registered", "worker": "w1", "secret": "x1", "name": "DESK", "settings": {}})
    (register,) = late.take()
    assert register["page"]["connection_test"] == "found while it registers"


def test_it_is_told_again_in_each_later_session() -> None:
    page = joined()
    mention(page, "once more")
    page.take()
    assert page.reconnect()["page"]["connection_test"] == "once more"
