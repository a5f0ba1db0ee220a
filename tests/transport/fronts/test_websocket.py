"""WebSockets over real connections: handshake, frames right and wrong (RFC 6455), slow pages, signs of an end."""

from __future__ import annotations

import json
import socket
import struct

import pytest
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application

from dispatcher.transport.fronts.http import Denial, Front, FrontServer
from dispatcher.transport.fronts.websocket import ROOM_BYTES
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.transport.frames import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, FrameClient, close, frame
from tests.transport.support import SOCKET, Client, Page, Recorder, keep_writing

TARGET = f"/engine.io/?{SOCKET}"


@pytest.fixture
def limits() -> SessionLimits:
    return SessionLimits(post_limit=100_000)


@pytest.fixture
def front(sessions: Sessions, app: Application, clock: ManualClock) -> Front:
    return Front(sessions, app, clock=clock.monotonic, write_timeout_s=0.2)


@pytest.fixture
def recorder(recorder: Recorder, request: pytest.FixtureRequest) -> Recorder:
    """An echo."""
    recorder.on_message = lambda sid, text: request.getfixturevalue("sessions").send(sid, text)
    return recorder


async def opened(port: int, **fields: bytes) -> FrameClient:
    """A session of its own, its first packet read."""
    client = await FrameClient.open(port, **fields)  # type: ignore[arg-type]
    assert client.answer.status == 101
    assert (await client.packet())[0] == "0"
    return client


# The handshake.


@pytest.mark.gen_test
async def test_the_handshake_is_answered_as_the_rfc_says_and_without_extensions(port: int) -> None:
    client = await FrameClient.open(port, headers=("Sec-WebSocket-Extensions: permessage-deflate",))
    assert client.answer.status == 101
    assert dict(client.answer.headers) == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-Websocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    }
    assert "sid" in json.loads((await client.packet())[1:])


RIGHT = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}
WRONG: dict[str, dict[str, str | None]] = {
    "another version": {"Sec-WebSocket-Version": "8"},
    "no version": {"Sec-WebSocket-Version": None},
    "another protocol": {"Upgrade": "h2c"},
    "no upgrade of the connection": {"Connection": "keep-alive"},
    "no key": {"Sec-WebSocket-Key": None},
    "a short key": {"Sec-WebSocket-Key": "AAAA"},
    "a key that is not base64": {"Sec-WebSocket-Key": "!" * 24},
    "a body": {"Content-Length": "1"},
}


@pytest.mark.gen_test
@pytest.mark.parametrize("wrong", list(WRONG))
async def test_a_wrong_handshake_is_refused_and_says_what_we_speak(port: int, recorder: Recorder, wrong: str) -> None:
    given = {**RIGHT, **WRONG[wrong]}
    headers = [f"{name}: {value}" for name, value in given.items() if value is not None]
    client = await Client.connect(port)
    await client.send("GET", TARGET, None, *headers)
    await client.stream.write(b"x")
    reply = await client.reply()
    assert (reply.status, reply.headers["Sec-WebSocket-Version"]) == (400, "13")
    assert recorder.events == []


@pytest.mark.gen_test
async def test_a_guard_refuses_before_the_handshake_and_says_why(port: int, front: Front, recorder: Recorder) -> None:
    front.guard = lambda headers, method, remote: Denial("The origin is foreign")
    client = await FrameClient.open(port, headers=("Origin: http://evil.example",))
    assert (client.answer.status, json.loads(client.answer.body)["message"]) == (403, "The origin is foreign")
    assert (await client.client.ask("GET", "/")).status == 200, "it is HTTP still"
    assert recorder.events == []


@pytest.mark.gen_test
async def test_frames_that_come_with_the_handshake_are_read(port: int, recorder: Recorder) -> None:
    client = await opened(port, behind=frame(TEXT, b"4at once"))
    assert await client.packet() == "4at once"


@pytest.mark.gen_test
async def test_a_session_moves_from_its_polls_to_a_socket(port: int, sessions: Sessions, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.park()
    client = await FrameClient.open(port, page.sid)
    await client.say("2probe")
    assert await client.packet() == "3probe"
    assert (await page.polls.reply()).body == "6"
    await client.say("5")
    await client.say("4hello")
    assert await client.packet() == "4hello"
    assert (await page.poll()).status == 400
    page.close()
    await client.say("4still here")
    assert await client.packet() == "4still here"
    assert "away" not in recorder.names()


@pytest.mark.gen_test
async def test_a_second_socket_for_a_session_is_told_so_and_the_first_goes_on(port: int, front: Front) -> None:
    page = await Page.open(port)
    first = await FrameClient.open(port, page.sid)
    for said in ("2probe", "5"):
        second = await FrameClient.open(port, page.sid)
        assert (second.answer.status, (await second.read()).code) == (101, 4002)
        await second.send(close(4002))
        assert await second.is_closed()
        await first.say(said)
    assert await first.packet() == "3probe"
    await first.say("4hello")
    assert await first.packet() == "4hello"
    assert len(front.wires) == 1


# Frames.


@pytest.mark.gen_test
async def test_texts_bytes_pieces_and_large_messages_are_messages(port: int) -> None:
    client = await opened(port)
    for text in ("4", "4a", "4é\U0001f600", "4" + "x" * 125, "4" + "x" * 126, "4" + "x" * 70_000):
        await client.say(text)
        assert await client.packet() == text
    await client.say(b"\x00\xff")
    assert await client.packet() == "4bAP8="  # the echo of a listener that takes no bytes
    pieces = "4é and more".encode()
    await client.send(frame(TEXT, pieces[:2], fin=False))
    await client.send(frame(PING, b"between"))
    await client.send(frame(CONTINUATION, pieces[2:4], fin=False) + frame(CONTINUATION, fin=False))
    await client.send(frame(CONTINUATION, pieces[4:]))
    assert await client.read() == (PONG, b"between")
    assert (await client.packet()).encode() == pieces


@pytest.mark.gen_test
async def test_bytes_go_out_as_bytes(port: int, sessions: Sessions) -> None:
    client = await opened(port)
    sessions.send(sessions.ids()[0], b"\x00\x01")
    sessions.flush(0.0)
    assert await client.read() == (BINARY, b"\x00\x01")


@pytest.mark.gen_test
async def test_a_frame_may_come_byte_by_byte(port: int) -> None:
    client = await opened(port)
    for byte in frame(TEXT, b"4slow") + frame(PING, b"p"):
        await client.send(bytes([byte]))
    assert {await client.read(), await client.read()} == {(TEXT, b"4slow"), (PONG, b"p")}


TOO_LARGE = 100_001
BROKEN = {
    "not masked": (frame(TEXT, b"4x", masked=False), 1002),
    "a reserved bit": (frame(TEXT, b"4x", rsv=1), 1002),
    "a compressed frame": (frame(TEXT, b"4x", rsv=4), 1002),
    "a reserved opcode": (frame(3, b"4x"), 1002),
    "a reserved control opcode": (frame(11, b""), 1002),
    "a control frame in pieces": (frame(PING, b"x", fin=False), 1002),
    "a large control frame": (frame(PING, b"x" * 126), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a message within a message": (frame(TEXT, b"4", fin=False) + frame(TEXT, b"4x"), 1002),
    "a length of 2^63": (frame(TEXT, b"", length=1 << 63), 1009),
    "no UTF-8": (frame(TEXT, b"4\xff"), 1007),
    "half a character": (frame(TEXT, "4é".encode()[:2]), 1007),
    "half a surrogate pair": (frame(TEXT, b"4\xed\xa0\x80"), 1007),
    "more than a shortest form": (frame(TEXT, b"4\xc0\xaf"), 1007),
    "no UTF-8 in pieces": (frame(TEXT, b"4\xc3", fin=False) + frame(CONTINUATION, b"("), 1007),
    "a large message": (frame(TEXT, b"4", length=TOO_LARGE), 1009),
    "a large message in pieces": (frame(TEXT, b"4" * 90_000, fin=False) + frame(CONTINUATION, b"x" * 20_000), 1009),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close code that nobody may send": (close(1005), 1002),
    "a close code out of range": (close(999), 1002),
    "a close reason that is no UTF-8": (close(1000, b"\xff"), 1007),
    "a packet that no page sends": (frame(TEXT, b"2"), 1002),
}


@pytest.mark.gen_test
@pytest.mark.parametrize("name", list(BROKEN))
async def test_what_breaks_the_rules_is_closed_with_its_code_and_ends_the_session(
    port: int, recorder: Recorder, sessions: Sessions, name: str
) -> None:
    data, code = BROKEN[name]
    client = await opened(port)
    await client.send(data + frame(TEXT, b"4behind it"))
    assert (await client.read()).code == code
    await client.send(close(code))
    assert await client.is_closed()
    await recorder.until("ended")
    assert recorder.texts() == []
    assert len(sessions) == 0


@pytest.mark.gen_test
async def test_what_breaks_the_rules_while_a_session_moves_leaves_it_with_its_polls(
    port: int, sessions: Sessions, recorder: Recorder
) -> None:
    page = await Page.open(port)
    client = await FrameClient.open(port, page.sid)
    await client.send(frame(TEXT, b"\xff"))
    assert (await client.read()).code == 1007
    assert (await page.post("4by post")).body == "ok"
    assert recorder.names() == ["opened", "message"]
    assert (await FrameClient.open(port, page.sid)).answer.status == 101


@pytest.mark.gen_test
@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999, None])
async def test_a_close_is_answered_and_its_page_is_away(port: int, recorder: Recorder, code: int | None) -> None:
    client = await opened(port)
    await client.send(close(code))
    answer = await client.read()
    assert answer.payload == (b"" if code is None else struct.pack("!H", code))
    assert await client.is_closed()
    await recorder.until("away")


@pytest.mark.gen_test
async def test_the_end_of_the_connection_alone_makes_its_page_away(port: int, recorder: Recorder, front: Front) -> None:
    client = await opened(port)
    client.stream.close()
    await recorder.until("away")
    assert front.wires == {}


@pytest.mark.gen_test
async def test_a_client_that_leaves_right_behind_its_handshake_is_away(
    port: int, recorder: Recorder, front: Front
) -> None:
    """The end of the connection may be read with the handshake itself."""
    for _ in range(20):
        client = await Client.connect(port)
        headers = "".join(f"{name}: {value}\r\n" for name, value in RIGHT.items())
        await client.stream.write(f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        client.stream.close()
    await recorder.until("away", 20)
    assert front.wires == {}


@pytest.mark.gen_test
async def test_a_reset_of_the_connection_makes_its_page_away(port: int, recorder: Recorder) -> None:
    client = await opened(port)
    client.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.stream.close()
    await recorder.until("away")


@pytest.mark.gen_test
async def test_our_end_says_so_and_waits_for_the_others(port: int, sessions: Sessions, front: Front) -> None:
    client = await opened(port)
    sessions.send(sessions.ids()[0], "last words")
    sessions.end(sessions.ids()[0])
    sessions.flush(0.0)
    assert [await client.packet(), await client.packet()] == ["4last words", "1"]
    assert (await client.read()).code == 1000
    await client.send(frame(TEXT, b"4not heard") + close(1000))
    assert await client.is_closed()
    await eventually(lambda: front.wires == {})


# A page that reads slowly.


async def _fill(sessions: Sessions, sid: str, size: int) -> int:
    """Sends until no more is taken; how many bytes are on their way."""
    sent = 0
    socket_ = sessions.book.sessions[sid].socket
    assert socket_ is not None
    while socket_.has_room():
        sessions.send(sid, "x" * size)
        sessions.flush(0.0)
        sent += size
    return sent


@pytest.mark.gen_test
async def test_a_slow_page_holds_up_only_so_much_and_gets_the_rest_as_it_reads(
    port: int, sessions: Sessions, front: Front
) -> None:
    front.write_timeout_s = 20.0
    client = await opened(port)
    (sid,) = sessions.ids()
    await _fill(sessions, sid, 10_000)
    (wire,) = front.wires
    assert ROOM_BYTES <= wire.waiting() < 2 * ROOM_BYTES + 20_000
    sessions.send(sid, "kept", "a1")
    sessions.flush(0.0)
    assert sessions.withdraw(sid, "a1"), "what is not handed over can be withdrawn"
    sessions.send(sid, "end")
    sessions.flush(0.0)
    while (packet := await client.packet()) != "4end":
        assert packet in ("4" + "x" * 10_000,)


@pytest.mark.gen_test
async def test_a_page_that_does_not_read_in_time_is_away(port: int, sessions: Sessions, recorder: Recorder) -> None:
    client = await opened(port)
    await _fill(sessions, sessions.ids()[0], 10_000)
    await recorder.until("away")
    client.stream.close()


@pytest.mark.gen_test
async def test_a_client_that_asks_and_does_not_read_the_answers_is_cut(port: int, front: Front) -> None:
    front.write_timeout_s = 20.0
    client = await opened(port)
    with pytest.raises(StreamClosedError):
        await keep_writing(client.client, frame(PING, b"x" * 125) * 100)
    await eventually(lambda: front.wires == {})


# The server.


@pytest.mark.gen_test
async def test_sockets_count_as_connections(port: int, http_server: FrontServer) -> None:
    http_server.max_connections = 2
    kept = [await opened(port), await opened(port)]
    third = await Client.connect(port)
    with pytest.raises(StreamClosedError):
        await third.ask("GET", "/")
    kept[0].stream.close()
    await eventually(lambda: len(http_server.policy().wires) == 1)
    assert (await (await Client.connect(port)).ask("GET", "/")).status == 200


@pytest.mark.gen_test
async def test_a_server_that_stops_says_so_and_no_page_counts_as_gone(
    port: int, http_server: HTTPServer, recorder: Recorder
) -> None:
    client = await opened(port)
    await http_server.close_all_connections()
    assert (await client.read()).code == 1001
    assert await client.is_closed()
    assert recorder.names() == ["opened", "upgraded"]


@pytest.mark.gen_test
async def test_a_page_that_does_not_read_holds_up_no_stop(
    port: int, http_server: FrontServer, sessions: Sessions, front: Front
) -> None:
    front.write_timeout_s = 20.0
    client = await opened(port)
    await _fill(sessions, sessions.ids()[0], 10_000)
    await http_server.close_all_connections()
    await eventually(lambda: front.wires == {}, timeout_s=2)
    client.stream.close()
