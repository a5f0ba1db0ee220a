"""One message over real sockets: receivers that are slow, lie, redirect; names that lead elsewhere."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any

import pytest

from dispatcher.node.webhooks.posting import HookAnswer, HttpPoster, system_resolve
from dispatcher.node.webhooks.sender import AT_ONCE_IN_ALL
from dispatcher.node.webhooks.wire import MOST_BODY, MOST_HEAD
from dispatcher.webhooks.targets import allowed_targets

pytestmark = pytest.mark.gen_test

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NOW = 1_800_000_000.0


@asynccontextmanager
async def receiver(script: Script) -> AsyncIterator[int]:
    """A port at which this script answers each connection."""

    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(reader, writer)
        finally:
            writer.close()

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in served:
        task.cancel()
    await asyncio.gather(*served, return_exceptions=True)
    await asyncio.sleep(0)  # their connections end with the next round of the loop


def says(text: bytes, *, holds: bool = False) -> Script:
    """Reads the request's head, says this, and closes; ``holds``: it does not close."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()
        if holds:
            await reader.read()

    return script


async def posted(port: int, *, timeout_s: float = 10.0, path: str = "/x") -> HookAnswer:
    poster = HttpPoster(allowed_targets([f"127.0.0.1:{port}"]), lambda: NOW, timeout_s=timeout_s)
    return await poster.post(f"http://127.0.0.1:{port}{path}", {"webhook-id": "msg_1"}, b'{"a":1}')


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", HookAnswer(200)),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", HookAnswer(200)),
        (b"HTTP/1.0 204 No Content\r\n\r\n", HookAnswer(204)),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", HookAnswer(200)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", HookAnswer(202)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", HookAnswer(302)),
        (b"HTTP/1.1 503 No\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n", HookAnswer(503, retry_after_s=90.0)),
        (b"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", HookAnswer(503)),
        (
            b"HTTP/1.1 429 No\r\nRetry-After: Fri, 15 Jan 2027 08:01:00 GMT\r\nContent-Length: 0\r\n\r\n",
            HookAnswer(429, retry_after_s=60.0),
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", HookAnswer(None, "the answer was cut")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", HookAnswer(None, "the answer was cut")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            HookAnswer(None, "the answer's chunks cannot be read"),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-9\r\n0\r\n\r\n",
            HookAnswer(None, "the answer's chunks cannot be read"),
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", HookAnswer(None, "the answer's Content-Length is no number")),
        (b"HTTP/1.1 200 OK\r\nContent-", HookAnswer(None, "the answer was cut")),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", HookAnswer(None, "what answered does not speak HTTP")),
        (b"", HookAnswer(None, "the receiver closed the connection before it had answered")),
        (
            b"HTTP/1.1 200 OK\r\nA: " + b"x" * MOST_HEAD * 2,
            HookAnswer(None, f"the answer's head is longer than {MOST_HEAD:,} bytes"),
        ),
    ],
)  # fmt: skip
async def test_an_answer_is_judged_by_what_came(text: bytes, answer: HookAnswer) -> None:
    async with receiver(says(text)) as port:
        assert await posted(port) == answer


async def test_a_body_without_an_end_is_read_no_further() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async with receiver(endless) as port:
        assert await posted(port) == HookAnswer(200)
    assert sent < 100 * MOST_BODY


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"])
async def test_a_receiver_that_says_nothing_more_is_waited_for_no_longer_than_the_limit(text: bytes) -> None:
    async with receiver(says(text, holds=True)) as port:
        assert await posted(port, timeout_s=0.05) == HookAnswer(None, "there was no whole answer within 0.05 s")


async def test_the_request_is_what_a_receiver_expects() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(7))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with receiver(listen) as port:
        assert await posted(port, path="/in?a=b") == HookAnswer(200)
    assert heard == [
        b"POST /in?a=b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nwebhook-id: msg_1\r\nContent-Length: 7\r\n"
        b'Connection: close\r\n\r\n{"a":1}' % port
    ]


async def test_nobody_at_home_is_told_in_words() -> None:
    async with receiver(says(b"")) as port:
        pass
    answer = await posted(port)
    assert answer.status is None
    assert (answer.error or "").startswith("the connection failed: ")


class Names:
    """A resolver that a stranger rules: each question has the next answer."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = [*answers], 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0)


async def test_a_name_that_leads_elsewhere_at_the_second_question_is_asked_only_once() -> None:
    """DNS rebinding: the address that was judged is the one that is connected to."""
    async with receiver(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as port:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        allowed = allowed_targets([f"host.example:{port}", "127.0.0.0/8"])
        poster = HttpPoster(allowed, lambda: NOW, resolve=names)
        assert await poster.post(f"http://host.example:{port}/", {}, b"") == HookAnswer(200)
    assert names.asked == 1


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::a9fe:a9fe"]],
)
async def test_a_name_with_an_address_that_is_refused_is_not_connected_to(addresses: list[str]) -> None:
    poster = HttpPoster(allowed_targets([]), lambda: NOW, resolve=Names(addresses))
    answer = await poster.post("http://host.example/", {}, b"")
    assert answer.status is None
    assert (answer.error or "").startswith(f"the address must not lead to {ip_address(addresses[-1])}")


async def test_a_setting_that_was_taken_back_stops_what_waits() -> None:
    answer = await HttpPoster(allowed_targets([]), lambda: NOW).post("http://10.0.0.1:8080/", {}, b"")
    assert "--webhook-allow 10.0.0.1:8080" in (answer.error or "")


async def test_a_name_that_nobody_has_is_told_in_words() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    answer = await HttpPoster(allowed_targets([]), lambda: NOW, resolve=unknown).post("http://nobody.invalid/", {}, b"")
    assert answer == HookAnswer(None, "its host has no address: the name cannot be resolved")


async def test_names_that_no_server_answers_for_delay_no_other_one() -> None:
    go = threading.Event()

    def look_up(host: str, port: int, **how: Any) -> list[tuple[Any, ...]]:
        if host == "slow.example":
            go.wait(20.0)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))] * 2

    slow = [asyncio.ensure_future(system_resolve("slow.example", 80, look_up)) for _ in range(AT_ONCE_IN_ALL)]
    await asyncio.sleep(0)  # all have asked
    try:
        async with asyncio.timeout(1.0):
            assert await system_resolve("quick.example", 80, look_up) == ["192.0.2.1"]
    finally:
        go.set()
        answers = await asyncio.gather(*slow, return_exceptions=True)
    assert {type(answer) for answer in answers} == {socket.gaierror}


async def test_this_machine_resolves_its_own_name() -> None:
    assert await system_resolve("127.0.0.1", 80) == ["127.0.0.1"]
