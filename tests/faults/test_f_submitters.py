"""Faults of submitters, against a real server over HTTP: repeats, clients that leave, bodies of every kind.

Of F7, what this version has: depth and bytes of the queue, and connected pages. Rates and quotas come later.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.hostile_json import KEPT, NEVER_JSON, NO_JOB, Body
from tests.support.forms import FORM, xsrf_in
from tests.support.http import JSON, Page, exchange, head
from tests.support.polling import HANDSHAKE, QUERY
from tests.support.process import ServerProcess, serving
from tests.support.server import Live, cpu_s, live
from tests.support.waiting import eventually, until

MIB = 1 << 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("plain"), watched=True) as server:
        yield server


def count_jobs(server: Live) -> int:
    return sum(server.ask("GET", "/api/v1/stats").json()["jobs"].values())


def keyed(server: Live, key: str, data: object) -> tuple[int, str | None, dict]:
    reply = server.ask(
        "POST", "/api/v1/jobs", json.dumps({"type": "nobody", "data": data}), JSON | {"Idempotency-Key": key}
    )
    return reply.status, reply.headers.get("idempotency-replayed"), reply.json()


# F1 to F3: keys


def test_fault_F01_ten_posts_at_once_with_one_key_make_one_job(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as server:
            for key in ("a", "b", "c"):
                body = {"type": "echo", "data": key}
                posts = (server.request("POST", "/api/v1/jobs", body, key=key) for _ in range(10))
                answers = await asyncio.gather(*posts)
                assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
                assert len({answer.json()["id"] for answer in answers}) == 1
                replayed = [answer.headers.get("idempotency-replayed") for answer in answers if answer.status == 200]
                assert replayed == ["true"] * 9
            assert (await server.get("/api/v1/stats"))["jobs"]["queued"] == 3

    asyncio.run(scenario())


def test_fault_F02_the_same_key_with_another_body_is_a_422_and_changes_nothing(plain: Live) -> None:
    status, _, job = keyed(plain, "F02", {"n": 1})
    assert status == 201
    before = count_jobs(plain)
    for other in ({"n": 2}, {"n": 1.0}, None, [{"n": 1}]):
        status, _, problem = keyed(plain, "F02", other)
        assert (status, problem["code"]) == (422, "key_conflict")
    assert count_jobs(plain) == before
    assert keyed(plain, "F02", {"n": 1}) == (200, "true", job)


def test_fault_F03_a_submitter_that_left_before_the_answer_learns_by_its_key_what_became_of_it(tmp_path: Path) -> None:
    """It leaves within the head, within the body, and after the end; with a FIN and with a reset."""

    async def scenario() -> None:
        async with serving(tmp_path) as server:
            for number in range(60):
                body = json.dumps({"type": "echo", "data": number}).encode()
                request = head(
                    "POST", "/api/v1/jobs", server.port, "Content-Type: application/json",
                    f"Content-Length: {len(body)}", f"Idempotency-Key: {number}",
                ) + body  # fmt: skip
                whole = number % 3 == 0
                await _send_and_leave(server.port, request if whole else request[: -1 - number * 3], number % 2 == 0)
            # Those that were sent whole and ended with a FIN arrive; of the others, some.
            await eventually(lambda: _has(server, 10), what="ten jobs of submitters that left")
            known = await _ids(server)
            for number in range(60):
                answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": number}, key=str(number))
                assert answer.status in (200, 201), answer
                assert number % 3 == 0 or answer.status == 201, "half a request made a job"
                assert answer.json()["data"] == number
                known.add(answer.json()["id"])
            # Each key has one job, whatever became of the first try.
            assert len(known) == 60
            assert (await server.get("/api/v1/stats"))["jobs"]["queued"] == 60

    asyncio.run(scenario())


async def _ids(server: ServerProcess) -> set[str]:
    return {job["id"] for job in (await server.get("/api/v1/jobs?limit=100"))["items"]}


async def _has(server: ServerProcess, count: int) -> bool:
    return len(await _ids(server)) >= count


async def _send_and_leave(port: int, request: bytes, reset: bool) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    if reset:
        writer.transport.abort()
        return
    writer.close()
    await writer.wait_closed()


# F4: sizes


def test_fault_F04_a_body_of_the_limit_is_taken_and_one_byte_more_is_a_413(plain: Live) -> None:
    data = '"' + "x" * (MIB - 2) + '"'
    taken = plain.ask("POST", "/api/v1/jobs", '{"type":"nobody","data":' + data + "}", JSON)
    assert taken.status == 201
    assert plain.ask("GET", f"/api/v1/jobs/{taken.json()['id']}").json()["data"] == data[1:-1]
    before = count_jobs(plain)
    refused = plain.ask("POST", "/api/v1/jobs", '{"type":"nobody","data":"x' + data[1:] + "}", JSON)
    assert (refused.status, refused.json()["code"]) == (413, "too_large")
    assert count_jobs(plain) == before


def test_fault_F04_of_100_mb_the_413_comes_before_they_are_read(plain: Live) -> None:
    """A declared length is refused after the head; chunks once they are too many, and the connection ends."""
    rss = plain.counts()["rss"]
    for path, kind in (("/api/v1/jobs", "application/json"), ("/submit", FORM["Content-Type"]), ("/engine.io/", "x")):
        sid = f"?{QUERY}&sid={Page(plain).sid}" if path == "/engine.io/" else ""
        for expect in ([], ["Expect: 100-continue"]):
            lines = [f"Content-Type: {kind}", "Content-Length: 100000000", *expect]
            answer = exchange(plain.port, head("POST", path + sid, plain.port, *lines))
            assert re.match(rb"HTTP/1\.1 413 ", answer), (path, answer)
    with socket.create_connection(("127.0.0.1", plain.port), timeout=20) as sock:
        lines = ["Content-Type: application/json", "Transfer-Encoding: chunked"]
        sent = _flood(sock, head("POST", "/api/v1/jobs", plain.port, *lines), b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        assert sent < 40 * MIB, f"it read {sent} bytes"
    until(lambda: plain.counts()["open"] <= 1, 10, "the end of the connection")
    assert plain.counts()["rss"] < rss + 8 * MIB


def _flood(sock: socket.socket, start: bytes, piece: bytes) -> int:
    """Sends pieces as long as the other side takes them, 100 MB at most; returns how many bytes it took."""
    sent = 0
    try:
        sock.sendall(start)
        while sent < 100_000_000:
            sock.sendall(piece)
            sent += len(piece)
    except (ConnectionResetError, BrokenPipeError):
        pass
    return sent


def test_fault_F04_a_gzip_bomb_is_not_unpacked(plain: Live) -> None:
    bomb = gzip.compress(b'{"type":"nobody","data":"' + bytes(200 * MIB), 9)
    assert len(bomb) < MIB
    rss = plain.counts()["rss"]
    for path, kind in (("/api/v1/jobs", JSON), ("/submit", FORM)):
        reply = plain.ask("POST", path, bomb, kind | {"Content-Encoding": "gzip"})
        assert 400 <= reply.status < 500, reply
    packet = plain.ask("POST", Page(plain).target, bomb, {"Content-Encoding": "gzip"})
    assert packet.status == 415
    assert plain.counts()["rss"] < rss + 16 * MIB


# F5: JSON


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that takes bodies large enough for a million keys."""
    with live(tmp_path_factory.mktemp("wide"), "--body-limit", str(16 * MIB), watched=True) as server:
        yield server


def refusals(server: Live, bodies: list[Body], status: int) -> list[float]:
    """Sends each body; returns the processor seconds that each took."""
    spent = []
    for name, body in bodies:
        before = cpu_s(server.process.pid)
        reply = server.ask("POST", "/api/v1/jobs", body, JSON)
        spent.append(cpu_s(server.process.pid) - before)
        assert (name, reply.status) == (name, status), reply
        assert len(reply.body) < 10_000, name
        assert server.ask("GET", "/livez").status == 200
    return spent


@pytest.mark.parametrize(("bodies", "status"), [(NEVER_JSON, 400), (NO_JOB, 422)], ids=["no JSON", "no job"])
def test_fault_F05_hostile_json_is_refused_soon_and_leaves_nothing(wide: Live, bodies: list[Body], status: int) -> None:
    """Soon means 50 ms of the processor for each MB (three times that on a crowded machine), and a tick."""
    before = count_jobs(wide)
    rounds = [refusals(wide, bodies, status)]
    rss = wide.counts()["rss"]
    rounds += [refusals(wide, bodies, status) for _ in range(3)]
    least = {name: min(spent) for (name, _), spent in zip(bodies, zip(*rounds, strict=True), strict=True)}
    slow = {name: least[name] for name, body in bodies if least[name] > 0.01 + 3 * 0.05 * max(1.0, len(body) / 1e6)}
    assert slow == {}
    assert wide.counts()["rss"] < rss + 24 * MIB, "memory grows"
    assert count_jobs(wide) == before
    assert not wide.trouble()


@pytest.mark.parametrize(("name", "data"), KEPT, ids=[name for name, _ in KEPT])
def test_fault_F05_odd_data_that_is_json_is_kept_as_it_came(wide: Live, name: str, data: str) -> None:
    made = wide.ask("POST", "/api/v1/jobs", f'{{"type":"nobody","data":{data}}}'.encode(), JSON)
    assert made.status == 201, name
    assert f'"data":{data},' in wide.ask("GET", made.headers["location"]).text, name


# F6: content types, parts, fields


def test_fault_F06_a_wrong_content_type_is_a_415(plain: Live) -> None:
    before = count_jobs(plain)
    job = '{"type":"nobody"}'
    for kind in ("text/plain", "text/json", "application/xml", "application/jsonx", FORM["Content-Type"], ""):
        assert plain.ask("POST", "/api/v1/jobs", job, {"Content-Type": kind}).status == 415, kind
    assert exchange(
        plain.port, head("POST", "/api/v1/jobs", plain.port, "Content-Length: 17", "Connection: close") + job.encode()
    ).startswith(b"HTTP/1.1 415 ")
    for kind in ("application/json", "text/plain", ""):
        assert plain.ask("POST", "/submit", job, {"Content-Type": kind}).status == 415, kind
    assert count_jobs(plain) == before


@pytest.mark.parametrize("path", ["/submit", "/login"])
def test_fault_F06_thousands_of_parts_or_fields_are_a_400(plain: Live, path: str) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nx\r\n'
    upload = part.replace(b'"type"', b'"file"; filename="f"')
    # The login takes 64 KiB: as many as fit.
    parts, fields = (10_000, 10_000) if path == "/submit" else (800, 5_000)
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    before, spent = count_jobs(plain), cpu_s(plain.process.pid)
    for body, kind in (
        (part * parts + b"--b--\r\n", multipart),
        (upload * parts + b"--b--\r\n", multipart),
        (b"&".join(b"f%d=1" % number for number in range(fields)), FORM),
        (b"&".join(b"type=x" for _ in range(fields)), FORM),
    ):
        reply = plain.ask("POST", path, body, kind)
        assert reply.status == 400, (body[:50], reply)
    assert cpu_s(plain.process.pid) - spent < 0.8
    assert count_jobs(plain) == before


# F7: limits


def test_fault_F07_a_full_queue_refuses_keeps_what_it_has_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    with live(tmp_path, "--queue-depth", "5", "--queue-bytes", str(MIB)) as server:
        jobs = [keyed(server, f"k{number}", number)[2] for number in range(5)]
        for _ in range(3):
            reply = server.ask("POST", "/api/v1/jobs", '{"type":"nobody"}', JSON | {"Idempotency-Key": "k5"})
            assert (reply.status, reply.json()["code"]) == (503, "queue_full")
            assert int(reply.headers["retry-after"]) > 0
        shown = server.ask("GET", "/submit")
        cookie = shown.headers["set-cookie"].partition(";")[0]
        form = server.ask("POST", "/submit", f"_xsrf={xsrf_in(shown.text)}&type=nobody", FORM | {"Cookie": cookie})
        assert (form.status, "retry-after" in form.headers) == (503, True)
        # It keeps the jobs that it has, and says so to submitters that ask again; pages still bring results.
        assert [keyed(server, f"k{number}", number)[:2] for number in range(5)] == [(200, "true")] * 5
        page = Page(server)
        page.register("nobody")
        offer = page.hear("job")
        page.say("result", attempt=offer["attempt"], value=1)
        assert page.hear("recorded")["verdict"] == "recorded"
        page.say("bye")
        page.hear_end()
        assert offer["id"] in {job["id"] for job in jobs}
        assert keyed(server, "k5", None)[0] == 201
        assert keyed(server, "k6", None)[0] == 503


def test_fault_F07_a_queue_that_is_full_by_bytes_and_too_many_pages_are_refused(tmp_path: Path) -> None:
    with live(tmp_path, "--queue-bytes", str(MIB), "--sessions", "3", "--low-disk", "0") as server:
        statuses = [keyed(server, f"k{number}", "x" * 400_000)[0] for number in range(4)]
        assert statuses == [201, 201, 503, 503]
        assert keyed(server, "small", "x")[0] == 201
        pages = [Page(server) for _ in range(3)]
        refused = server.ask("GET", HANDSHAKE)
        assert (refused.status, "retry-after" in refused.headers) == (503, True)
        pages[0].leave()
        Page(server).register("x")
