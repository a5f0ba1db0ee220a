"""The page's Engine.IO client: one poll and one POST at a time; it loses nothing, and believes nothing but packets."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from .harness import HANDSHAKE, REGISTERED, Message, Page, job, joined, ops

MANY = {"slots": 64}


def test_the_first_request_is_a_handshake_by_polling() -> None:
    page = Page().load()
    address = urlsplit(page.poll["url"])
    assert address.path == "/engine.io/"
    query = parse_qs(address.query)
    assert (query["EIO"], query["transport"]) == (["4"], ["polling"])
    assert "sid" not in query


def test_another_server_s_address_is_put_before_every_request() -> None:
    page = Page(options={"url": "http://other.test:81/base/"}).load()
    assert page.poll["url"].startswith("http://other.test:81/base/engine.io/?EIO=4")


def test_no_two_requests_have_the_same_address() -> None:
    page = joined()
    seen = [page.poll["url"]]
    for _ in range(20):
        page.push_packets("2")
        seen += [page.poll["url"], page.post["url"]]
        page.take()
    assert len(set(seen)) == len(seen)


def test_to_another_site_a_post_is_plain_text_without_a_key_so_that_no_preflight_is_needed() -> None:
    page = Page(options={"url": "http://other.test:81"}).load()
    assert page.poll["headers"] == {}
    page.push_packets("0" + json.dumps(HANDSHAKE))
    assert page.post["headers"] == {"Content-Type": "text/plain;charset=UTF-8"}
    assert "sid=s1" in page.post["url"]


def test_to_its_own_site_each_request_of_a_session_carries_one_key_which_is_in_no_address() -> None:
    page = Page().load()
    seen: list[Message] = []
    for packets in ("0" + json.dumps(HANDSHAKE), "2", "2"):
        seen.append(page.poll)
        page.push_packets(packets)
        seen.append(page.post)
        page.take()
    [key] = {request["headers"]["X-Pagehand-Session"] for request in seen}
    assert len(key) == 32
    assert not any(key in request["url"] for request in seen)
    page.load()
    assert page.poll["headers"]["X-Pagehand-Session"] != key, "each session has its own"


def test_the_next_poll_is_out_before_a_task_begins() -> None:
    task = "function () { seen = JSON.parse(fakeWindow.requests()).length; return 1; }"
    page = Page(tasks=f"var seen = 0; Pagehand.task('echo', {task}, {{quick: true}});").load()
    page.join()
    page.push(job())
    assert page.run("return seen;") == 1


def test_there_is_one_poll_and_one_post_at_a_time() -> None:
    page = joined(options=MANY)
    for number in range(5):
        page.push(job(f"a{number}"))
        assert len(page.requests("GET")) == 1
        assert len(page.requests("POST")) == 1
    assert ops(page.take_all()) == ["result"] * 5


def test_messages_of_one_poll_answer_are_answered_in_one_post() -> None:
    page = joined(options=MANY)
    page.push(*(job(f"a{number}") for number in range(10)))
    assert ops(page.take()) == ["result"] * 10
    assert page.requests("POST") == []


def test_sixteen_packets_is_the_limit_of_a_post_until_the_server_tells_another() -> None:
    page = joined(options=MANY)
    page.push(*(job(f"a{number}") for number in range(40)))
    assert [len(page.take()) for _ in range(3)] == [16, 16, 8]


def test_the_server_s_packet_limit_is_kept() -> None:
    page = Page(options=MANY).load()
    page.join(packet_limit=30)
    page.push(*(job(f"a{number}") for number in range(40)))
    assert [len(page.take()) for _ in range(2)] == [30, 10]


def test_a_post_is_split_at_max_payload_counted_in_bytes_of_utf_8() -> None:
    page = Page(options=MANY).load()
    page.push_packets("0" + json.dumps({**HANDSHAKE, "maxPayload": 1_000}))
    page.take()
    page.push(REGISTERED)
    text = "\u20ac" * 100  # 300 bytes
    page.push(*(job(f"a{number}", data=text) for number in range(4)))
    sizes = []
    while page.requests("POST"):
        sizes.append(len(page.post["body"].encode()))
        page.take()
    assert len(sizes) == 2
    assert max(sizes) <= 1_000


def test_the_smaller_of_max_payload_and_post_limit_counts() -> None:
    page = Page(options=MANY).load()
    page.join(post_limit=500, packet_limit=1_000)
    page.push(*(job(f"a{number}", data="x" * 100) for number in range(9)))
    assert len(page.post["body"]) <= 500


def test_utf_8_lengths_are_right_for_every_kind_of_character() -> None:
    page = Page().load()
    for text, size in (("a", 1), ("\u00e9", 2), ("\u20ac", 3), ("\U0001f600", 4), ("a\U0001f600\u20acb", 9)):
        assert page.run(f"return Pagehand.utf8Length({json.dumps(text)});") == size
    assert page.run(r"return Pagehand.utf8Length('\ud83d') + Pagehand.utf8Length('\ude00x');") == 7


def test_a_ping_is_answered_with_a_pong_that_goes_before_everything_else() -> None:
    page = joined(options=MANY)
    page.push(job("a0"))
    page.push(job("a1"), job("a2"))
    page.push_packets("2")
    page.take()
    assert page.packets()[0] == "3"
    assert ops(page.take()) == ["result", "result"]


def test_a_pong_is_sent_once() -> None:
    page = joined()
    page.push_packets("2")
    assert page.packets() == ["3"]
    page.take()
    assert page.requests("POST") == []


def test_messages_stay_queued_until_their_post_is_answered_and_survive_the_session() -> None:
    page = joined("Pagehand.task('t', function (job) { job.log('line'); });")
    page.push(job(type_="t"))
    page.take()
    assert ops([json.loads(packet[1:]) for packet in page.packets()]) == ["log", "log"]
    page.answer(page.post, 0, "")
    page.advance(2_000)
    page.open()
    page.push(REGISTERED)
    assert page.take_all()[0]["line"] == "line"


def test_messages_that_come_with_the_handshake_are_obeyed() -> None:
    page = Page().load()
    page.push_packets("0" + json.dumps(HANDSHAKE), '4{"op":"drain"}')
    assert page.state == "maintenance"


def test_noop_packets_are_ignored_and_do_not_make_the_page_poll_in_a_storm() -> None:
    page = joined()
    for _ in range(6):
        if not page.requests("GET"):
            page.advance(1_000)
        page.push_packets("6")
    assert page.requests("GET") == []
    page.advance(1_000)
    assert page.state == "ready"
    assert page.poll


@pytest.mark.parametrize(("options", "sent"), [({}, False), ({"credentials": True}, True), ({"credentials": 1}, False)])
def test_requests_carry_credentials_only_where_the_page_was_told_to(options: dict[str, object], sent: bool) -> None:
    page = joined(options=options)
    page.push(job())
    assert [page.poll["credentials"], page.post["credentials"]] == [sent, sent]
