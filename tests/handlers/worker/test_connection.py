"""What the worker page asks when a person tests its connection: bounded, without a token, and nothing is kept."""

from __future__ import annotations

import asyncio

import pytest
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.web import Application

from dispatcher.config.settings import Settings
from handlers.worker.connection import AT_ONCE
from handlers.worker.turnstile import Turnstile
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.waiting import eventually

PATH = "/engine.io/test"
pytestmark = pytest.mark.gen_test(timeout=30)


@pytest.fixture
def turnstile(app: Application) -> Turnstile:
    """The one that the application has."""
    made: Turnstile = app.wildcard_router.named_rules["connection-test"].target_kwargs["turnstile"]
    return made


async def test_a_get_says_what_the_page_compares_with_what_it_sees(ask: Ask, house: House) -> None:
    response = await ask(PATH)
    told = {"now_ms": round(house.clock.utc() * 1000), "poll_ms": 20_000, "post_limit": 1_114_112, "websocket": True}
    assert (response.code, body_of(response)) == (200, told)
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_get_waits_as_long_as_it_is_asked_to(ask: Ask) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await ask(f"{PATH}?wait=1")).code == 200
    assert loop.time() - began >= 1.0


async def test_a_get_that_the_browser_sends_again_is_answered_at_once(ask: Ask) -> None:
    loop = asyncio.get_running_loop()
    assert (await ask(f"{PATH}?wait=1&t=a.1")).code == 200
    began = loop.time()
    response = await ask(f"{PATH}?wait=60&t=a.1")
    assert (response.code, "now_ms" in body_of(response)) == (200, True)
    assert loop.time() - began < 30


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "x"])
async def test_a_wait_that_is_too_long_or_none_is_refused(ask: Ask, wait: str) -> None:
    response = await ask(f"{PATH}?wait={wait}")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("size", [0, 1, 1_114_112])
async def test_a_post_says_how_many_bytes_have_come(ask: Ask, size: int) -> None:
    response = await ask(PATH, "POST", body=b"x" * size, headers={"Content-Type": "text/plain;charset=UTF-8"})
    assert (response.code, body_of(response)) == (200, {"bytes": size})


async def test_a_body_over_the_limit_is_refused_however_it_says_its_size(ask: Ask, turnstile: Turnstile) -> None:
    async def in_pieces(write):
        for _ in range(20):
            await write(b"x" * 65_536)

    declared = await ask(PATH, "POST", body=b"x" * 1_114_113)
    chunked = await ask(PATH, "POST", body_producer=in_pieces)
    assert [declared.code, chunked.code] == [413, 413]
    assert body_of(chunked)["code"] == "too_large"
    assert turnstile.inside == 0


async def test_a_body_that_is_compressed_is_refused(ask: Ask) -> None:
    response = await ask(PATH, "POST", body=b"x", headers={"Content-Encoding": "gzip"})
    assert response.code == 415


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_place_a_request_is_told_to_come_again(
    ask: Ask, turnstile: Turnstile, house: House, method: str
) -> None:
    for _ in range(AT_ONCE):
        turnstile.enter(house.clock.monotonic())
    response = await ask(PATH, method, body=b"x" if method == "POST" else None)
    assert (response.code, body_of(response)["code"]) == (503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    turnstile.leave()
    assert (await ask(PATH, method, body=b"x" if method == "POST" else None)).code == 200


async def _begin(base_url: str, request: str) -> IOStream:
    stream = await TCPClient().connect("127.0.0.1", int(base_url.rpartition(":")[2]))
    await stream.write(request.replace("\n", "\r\n").encode())
    return stream


@pytest.mark.usefixtures("http_server")
@pytest.mark.parametrize(
    "request_",
    [
        f"GET {PATH}?wait=60 HTTP/1.1\nHost: localhost\n\n",
        f"POST {PATH} HTTP/1.1\nHost: localhost\nContent-Length: 9\n\nhalf",
    ],
)
async def test_a_page_that_goes_away_leaves_its_place(base_url: str, turnstile: Turnstile, request_: str) -> None:
    stream = await _begin(base_url, request_)
    await eventually(lambda: turnstile.inside == 1)
    stream.close()
    await eventually(lambda: turnstile.inside == 0)


class TestWithItsOwnLimits:
    """The page is told what holds here."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token="0b6f1c0e-s3cret", transports="polling", body_limit=100_000, ping_interval_s=5.0)

    async def test_no_token_is_asked_for_and_the_settings_are_told(self, ask: Ask) -> None:
        told = body_of(await ask(PATH))
        assert (told["poll_ms"], told["post_limit"], told["websocket"]) == (5_000, 165_536, False)
        assert (await ask(PATH, "POST", body=b"x" * 165_537)).code == 413


@pytest.mark.expect_log("forbidden_host")
async def test_a_foreign_host_is_refused(ask: Ask) -> None:
    assert (await ask(PATH, headers={"Host": "evil.example"})).code == 403


@pytest.mark.expect_log("forbidden_origin")
async def test_a_page_of_another_origin_is_refused(ask: Ask) -> None:
    response = await ask(PATH, "POST", body=b"x", headers={"Origin": "http://evil.example"})
    assert response.code == 403
