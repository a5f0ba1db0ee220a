"""The outer class: python-engineio's settings, ids and events around our sessions."""

from __future__ import annotations

import logging

import pytest

from dispatcher.transport.fronts.server import EngineServer
from dispatcher.transport.limits import SessionLimits
from tests.transport.support import Bench, Recorder


def server_with_events() -> tuple[EngineServer, Bench, list[tuple[object, ...]]]:
    server = EngineServer(SessionLimits(ping_interval_s=0.5))
    events: list[tuple[object, ...]] = []
    server.on("connect", lambda sid, environ: events.append(("connect", sid, environ)))
    server.on("message", lambda sid, data: events.append(("message", sid, data)))
    server.on("disconnect", lambda sid, reason: events.append(("disconnect", sid, reason)))
    return server, Bench(server.sessions), events


def test_the_ids_of_its_sessions_begin_with_its_node() -> None:
    bench = Bench(EngineServer(SessionLimits(), node="east").sessions)
    first, second = bench.open(), bench.open()
    assert first != second
    assert [sid[:5] for sid in (first, second)] == ["east."] * 2
    assert {len(sid) for sid in (first, second)} == {5 + 22}


def test_handlers_registered_with_on_are_called_as_plain_functions() -> None:
    _, bench, events = server_with_events()
    sid = bench.open()
    bench.post(sid, "4text\x1ebAQI=")
    bench.get(sid)
    bench.post(sid, "1")
    assert events == [
        ("connect", sid, {"REMOTE_ADDR": "192.0.2.1", "HTTP_USER_AGENT": "fake"}),
        ("message", sid, "text"),
        ("message", sid, b"\x01\x02"),
        ("disconnect", sid, "client disconnect"),
    ]


@pytest.mark.parametrize("away", [True, False])
def test_a_ping_timeout_is_a_disconnect_with_its_reason(away: bool) -> None:
    _, bench, events = server_with_events()
    sid = bench.open()
    poll = bench.get(sid)
    if away:
        bench.sessions.abandon(poll, bench.now)
    bench.later(0.5)
    bench.later(20.0)
    bench.later(1.0)
    assert events[-1] == ("disconnect", sid, "ping timeout")


def test_events_without_handlers_are_heard_by_nobody() -> None:
    bench = Bench(EngineServer(SessionLimits()).sessions)
    sid = bench.open()
    bench.sessions.send(sid, "x", "attempt")
    bench.sessions.abandon(bench.get(sid), bench.now)
    assert bench.post(sid, "4x").body == "ok"


def test_a_listener_of_its_own_hears_everything_instead() -> None:
    recorder = Recorder()
    bench = Bench(EngineServer(SessionLimits(), recorder).sessions)
    bench.post(bench.open(), "4x")
    assert recorder.names() == ["opened", "message"]


@pytest.mark.gen_test
async def test_send_queues_and_tells_when_there_is_nobody() -> None:
    server, bench, _ = server_with_events()
    sid = bench.open()
    await server.send(sid, "x")
    assert bench.get(sid).body == "4x"
    with pytest.raises(KeyError):
        await server.send("nobody", "x")


@pytest.mark.gen_test
async def test_disconnect_ends_one_session_and_waits_for_nobody() -> None:
    server, bench, _ = server_with_events()
    sid, other = bench.open(), bench.open()
    await server.disconnect(sid)
    assert (sid in server.sessions, other in server.sessions) == (False, True)


@pytest.mark.gen_test
async def test_what_the_stock_server_does_with_requests_is_out_of_reach() -> None:
    server = EngineServer(SessionLimits())
    with pytest.raises(NotImplementedError):
        await server.handle_request()
    with pytest.raises(NotImplementedError):
        server.attach(None)


def test_where_polling_is_forced_its_settings_say_so() -> None:
    server = EngineServer(SessionLimits(websocket=False))
    assert (server.transports, server.allow_upgrades) == (["polling"], False)


def test_it_knows_what_carries_a_session() -> None:
    server = EngineServer(SessionLimits())
    bench = Bench(server.sessions)
    polling, (socket, _) = bench.open(), bench.connect()
    assert (server.transport(polling), server.transport(socket)) == ("polling", "websocket")
    with pytest.raises(KeyError):
        server.transport("nobody")


def test_its_settings_are_those_of_the_limits_without_extras() -> None:
    server = EngineServer(SessionLimits(ping_interval_s=0.5, post_limit=5))
    both = ["polling", "websocket"]
    assert (server.transports, server.allow_upgrades, server.http_compression) == (both, True, False)
    assert (server.cookie, server.start_service_task, server.async_mode) == (None, False, "tornado")
    assert (server.ping_interval, server.max_http_buffer_size) == (0.5, 5)


def test_it_touches_no_logger() -> None:
    def state() -> list[tuple[int, int]]:
        loggers = [logging.getLogger(name) for name in ("", "engineio", "engineio.server")]
        return [(logger.level, len(logger.handlers)) for logger in loggers]

    before = state()
    EngineServer(SessionLimits())
    assert state() == before
