"""A session moves from long-polling to a WebSocket: nothing is lost, nothing comes twice, all stays in order."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from .harness import REGISTERED, Page, job, joined, ops
from .sockets import begun, moved, probed, said, settle

LINES = "var say, end; Pagehand.task('lines', function (job, done) { say = job.log; end = done; });"
STEPS = ["on its way", "open", "probed", "at rest", "moved"]
HOSTS = {
    "the page's own": ({}, "ws://site.test/engine.io/"),
    "a path of it": ({"url": "/base/"}, "ws://site.test/base/engine.io/"),
    "another one": ({"url": "http://other.test:81/base"}, "ws://other.test:81/base/engine.io/"),
    "one with TLS": ({"url": "https://other.test"}, "wss://other.test/engine.io/"),
    "the page's own scheme": ({"url": "//other.test/x"}, "ws://other.test/x/engine.io/"),
    "a path beside the page": ({"url": "base"}, "ws://site.test/base/engine.io/"),
}


def busy(options: dict[str, object] | None = None) -> Page:
    """A page with a running task that can log lines."""
    page = begun(LINES, options)
    page.push(job(type_="lines"))
    page.take_all()
    return page


def log(page: Page, *lines: object) -> None:
    for line in lines:
        page.run(f"say({json.dumps(str(line))});")


def lines(messages: list[dict[str, object]]) -> list[object]:
    return [message["line"] for message in messages if message["op"] == "log"]


@pytest.mark.parametrize(("options", "address"), list(HOSTS.values()), ids=list(HOSTS))
def test_the_socket_is_for_this_session_on_the_same_host_and_path(options: dict[str, object], address: str) -> None:
    page = begun(options=options)
    (socket,) = page.sockets()
    url = urlsplit(socket["url"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == address
    assert parse_qs(url.query) == {"EIO": ["4"], "transport": ["websocket"], "sid": ["s1"]}


def test_the_socket_of_a_session_shows_its_key_as_a_subprotocol_to_the_page_s_own_site_alone() -> None:
    page = begun()
    assert page.socket["protocol"] == "pagehand." + page.poll["headers"]["X-Pagehand-Session"]
    assert begun(options={"url": "http://other.test"}).socket["protocol"] == ""


def test_a_page_with_tls_asks_with_tls() -> None:
    page = Page()
    page.js.eval("fakeWindow.standAt('https:', 'site.test'); null;")
    page.load().open(upgrades=["websocket"])
    assert page.socket["url"].startswith("wss://site.test/engine.io/")


def test_the_page_works_by_polling_while_the_socket_is_on_its_way() -> None:
    page = begun()
    page.push(job("a1"))
    assert ops(page.take()) == ["result"]
    assert page.state == "ready"
    page.socket_does("open")
    assert page.socket["frames"] == ["2probe"]
    page.push(job("a2"))
    assert ops(page.take()) == ["result"]


def test_after_the_probe_no_poll_and_no_post_goes_out_and_the_session_moves_when_both_have_come_back() -> None:
    page = busy()
    log(page, "in a POST")
    page.socket_does("open")
    page.frame("3probe")
    log(page, "waits")
    page.push_packets("6")
    assert page.requests("GET") == []
    assert page.socket["frames"] == ["2probe"], "the POST has not come back"
    assert lines(page.take()) == ["in a POST"]
    assert page.requests("POST") == []
    assert page.socket["frames"][:2] == ["2probe", "5"]
    assert lines(said(page)) == ["waits"]
    assert page.status()["connection"] == {"transport": "websocket", "reason": None, "until": None}


def test_the_poll_may_come_back_last() -> None:
    page = busy()
    log(page, 1)
    page.socket_does("open")
    page.frame("3probe")
    log(page, 2)
    assert lines(page.take()) == ["1"]
    assert (page.requests("POST"), page.socket["frames"]) == ([], ["2probe"])
    page.push_packets("6")
    assert lines(said(page)) == ["2"]


def test_what_comes_with_the_last_poll_is_obeyed_and_answered_over_the_socket() -> None:
    page = probed()
    page.push(job("a1"))
    assert page.requests("GET") == page.requests("POST") == []
    assert page.socket["frames"][1] == "5"
    assert [message["attempt"] for message in said(page)] == ["a1"]


def test_a_ping_of_the_last_poll_is_answered_over_the_socket_before_everything_else() -> None:
    page = probed()
    page.push_packets("2", "4" + json.dumps(job("a1")))
    assert page.socket["frames"][1:3] == ["5", "3"]
    assert ops(said(page)) == ["result"]


def test_a_close_packet_in_the_last_poll_ends_the_session_and_the_socket() -> None:
    page = probed()
    page.push_packets("1")
    assert (page.state, page.error, page.socket["closed"]) == ("reconnecting", "E-NET-07", True)


def test_messages_that_are_queued_in_every_step_arrive_once_and_in_order() -> None:
    page = busy()
    arrived: list[object] = []
    log(page, "on its way", "still")
    page.socket_does("open")
    log(page, "open")
    arrived += lines(page.take())
    page.frame("3probe")
    log(page, "probed")
    arrived += lines(page.take_all())
    log(page, "at rest")
    page.push_packets("6")
    log(page, "moved")
    arrived += lines(said(page))
    assert arrived == ["on its way", "still", "open", "probed", "at rest", "moved"]


@pytest.mark.parametrize("step", STEPS)
def test_a_thousand_messages_in_a_burst_arrive_once_and_in_order_whatever_the_step(step: str) -> None:
    page = busy()
    arrived: list[object] = []
    burst = "for (var i = 0; i < 1000; i += 1) { say(String(i)); }"
    if step == "on its way":
        page.run(burst)
    page.socket_does("open")
    if step == "open":
        page.run(burst)
    page.frame("3probe")
    if step == "probed":
        page.run(burst)
    arrived += lines(page.take()) if page.requests("POST") else []
    if step == "at rest":
        page.run(burst)
    page.push_packets("6")
    if step == "moved":
        page.run(burst)
    arrived += lines(said(page))
    assert arrived == [str(number) for number in range(1_000)]
    assert page.requests("POST") == []


def test_a_task_that_goes_on_during_the_move_keeps_its_attempt() -> None:
    page = busy()
    settle(page)
    page.run("end(null, 7);")
    assert said(page)[-1] == {"op": "result", "attempt": "a1", "value": 7}
    page.tell({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    assert page.status()["unreported"] == 0


def test_a_probe_that_is_not_answered_in_3_s_leaves_the_page_with_polling() -> None:
    page = begun()
    page.socket_does("open")
    page.advance(2_900)
    assert not page.socket["closed"]
    page.advance(200)
    assert page.socket["closed"]
    assert page.status()["connection"]["reason"] == "no WebSocket could be set up (no answer within 3 s)"
    page.push(job())
    assert ops(page.take()) == ["result"]
    page.frame("3probe")
    assert page.poll, "too late: the handlers are gone"


@pytest.mark.parametrize("answer", ["3", "3probed", "4{}", "", "6"])
def test_another_answer_to_the_probe_leaves_the_page_with_polling(answer: str) -> None:
    page = begun()
    page.socket_does("open")
    page.frame(answer)
    assert page.socket["closed"]
    assert page.poll
    assert page.state == "ready"


@pytest.mark.parametrize("step", STEPS[:4])
def test_a_socket_that_breaks_before_the_move_leaves_the_session_as_it_is(step: str) -> None:
    page = busy()
    log(page, "first")
    if step != "on its way":
        page.socket_does("open")
    if step in ("probed", "at rest"):
        page.frame("3probe")
    if step == "at rest":
        page.push_packets("6")
    log(page, "second")
    page.socket_does("close", 1006)
    assert "sid=s1" in page.poll["url"]
    assert lines(page.take_all()) == ["first", "second"]
    assert page.state == "working"
    assert [event for event in page.status()["events"] if "no WebSocket" in event["text"]]


def test_a_socket_that_closes_at_the_moment_of_the_move_leaves_the_session_as_it_is() -> None:
    """What is sent to a closing socket is thrown away without a word."""
    page = probed()
    page.socket_does("closing")
    page.push_packets("6")
    assert page.socket["frames"] == ["2probe"]
    assert "sid=s1" in page.poll["url"]


def test_a_poll_that_does_not_come_back_in_3_s_ends_the_upgrade_alone() -> None:
    page = probed(LINES)
    page.advance(3_100)
    assert page.socket["closed"]
    page.push(job(type_="lines"))
    assert ops(page.take_all()) == ["accept"]


def test_a_post_that_takes_long_does_not_end_the_upgrade() -> None:
    page = busy()
    log(page, 1)
    page.socket_does("open")
    page.frame("3probe")
    page.push_packets("6")
    page.advance(9_000)
    assert lines(page.take()) == ["1"]
    assert page.socket["frames"] == ["2probe", "5"]


def test_a_page_that_its_own_task_held_reads_the_answer_to_its_probe() -> None:
    page = begun()
    page.socket_does("open")
    page.run("fakeWindow.freeze(10000);")
    page.advance(1)
    page.frame("3probe")
    page.push_packets("6")
    assert page.socket["frames"] == ["2probe", "5"]


def test_a_poll_that_made_room_for_a_post_does_not_come_back_twice() -> None:
    page = busy()
    log(page, 1)
    page.advance(2_000)
    assert page.requests("GET") == [], "it made room"
    page.socket_does("open")
    page.frame("3probe")
    page.socket_does("close", 1006)
    assert len(page.requests("GET")) == 1
    page.take_all()
    assert len(page.requests("GET")) == 1


def test_a_poll_that_made_room_does_not_come_back_while_the_session_moves() -> None:
    page = busy()
    log(page, 1)
    page.advance(2_000)
    page.socket_does("open")
    page.frame("3probe")
    page.take()
    assert page.requests("GET") == []
    assert page.socket["frames"] == ["2probe", "5"]


def test_no_poll_makes_room_while_the_session_moves() -> None:
    """The server answers it at once, and its answer may hold something."""
    page = busy()
    log(page, 1)
    page.socket_does("open")
    page.frame("3probe")
    page.advance(2_500)
    assert page.requests("GET")


def test_a_poll_that_was_to_wait_does_not_go_out_while_the_session_moves() -> None:
    page = busy()
    for _ in range(2):
        page.push_packets("6")
    log(page, 1)
    page.push_packets("6")
    page.socket_does("open")
    page.frame("3probe")
    page.advance(2_000)
    assert page.requests("GET") == []
    page.take()
    assert page.socket["frames"] == ["2probe", "5"]


def test_polls_that_were_to_wait_wait_no_longer_once_the_page_has_moved() -> None:
    page = begun()
    for _ in range(3):
        page.push_packets("6")
    assert page.requests("GET") == [], "it waits before it polls again"
    page.socket_does("open")
    page.frame("3probe")
    assert page.socket["frames"] == ["2probe", "5"]
    page.advance(5_000)
    assert page.requests("GET") == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("end", ["worker.stop();", "worker.reconnect();", "fakeWindow.fire('pagehide');"])
def test_a_page_that_gives_its_session_up_closes_the_socket_in_every_step(step: str, end: str) -> None:
    page = begun()
    if step != "on its way":
        page.socket_does("open")
    if step in ("probed", "at rest", "moved"):
        page.frame("3probe")
    if step == "moved":
        page.push_packets("6")
    before = len(page.sockets())
    page.run(end)
    page.socket_does("close", 1006)
    assert all(socket["closed"] for socket in page.sockets()[:before])
    page.advance(3_500)
    assert page.error is None
    assert "no WebSocket" not in str(page.status()["events"]), "nobody hears of the old socket"


@pytest.mark.parametrize("options", [{"transport": "polling"}, {"transport": "auto"}])
def test_a_page_makes_no_socket_where_it_may_not_or_where_the_server_takes_none(options: dict[str, object]) -> None:
    offers = ["websocket"] if options["transport"] == "polling" else []
    page = Page(options=options).load()
    page.open(upgrades=offers)
    page.push(REGISTERED)
    page.advance(10_000)
    assert page.sockets() == []
    page.reconnect()
    assert page.sockets() == []


@pytest.mark.parametrize("upgrades", [None, "websocket", {"0": "websocket"}, ["webtransport"], 5])
def test_upgrades_that_name_no_websocket_are_none(upgrades: object) -> None:
    page = Page().load()
    page.open(upgrades=upgrades)
    assert page.sockets() == []
    assert page.poll


def test_a_browser_without_websocket_polls() -> None:
    page = begun(noSocket=True)
    assert page.sockets() == []
    assert page.status()["connection"]["reason"] == "this browser has no WebSocket"


def test_a_browser_that_forbids_the_socket_polls_on() -> None:
    page = begun(socketThrows=True)
    page.advance(1)
    assert page.state == "ready"
    reason = "no WebSocket could be set up (this browser forbids it: Access is denied.)"
    assert page.status()["connection"]["reason"] == reason
    page.push(job())
    assert ops(page.take()) == ["result"]


def test_a_session_that_dies_while_the_socket_is_on_its_way_takes_it_along() -> None:
    page = begun()
    page.answer(page.poll, 500, "")
    assert page.socket["closed"]
    assert page.error == "E-NET-06"


def test_the_move_is_noted() -> None:
    assert "moved to a WebSocket" in [event["text"] for event in moved().status()["events"]]
    assert joined().status()["connection"]["reason"] == "this server refuses WebSocket"
