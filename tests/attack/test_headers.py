"""Nothing that others wrote gets into a head: line ends and controls in whatever a header of an answer repeats."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.http import JSON, exchange
from tests.support.server import Live, live

pytestmark = pytest.mark.slow

#: Raw, as they stand in a request's head.
RAW = [
    *("\r\n", "\n", "\r", "\n\n", "\r\n\r\n", "\r\n ", "\n\t", "\r\r\n"),
    *("\x00", "\x0b", "\x0c", "\x1b[2J", "\x7f", "\x85"),
]
#: As an address writes them: once, twice, with letters that some fold into line ends.
WRITTEN = [
    *(quote(junk, safe="") for junk in RAW),
    *("%250d%250a", "%0D%0A%0D%0A<script>alert(1)</script>", "%E5%98%8A%E5%98%8D", "%E2%80%A8", "%E2%80%A9", "%C2%85"),
    *("%u000d%u000a", "%c0%8d%c0%8a", "\\r\\n", ";%0aSet-Cookie:"),
]
FORGED = "X-Forged: 1"
HEADER = re.compile(rb"[A-Za-z0-9-]+: [\x20-\x7e]*")


@pytest.fixture(scope="module", params=["fast", "tornado"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("heads"), "--front", request.param) as running:
        yield running


def asked(server: Live, target: str, *lines: str, method: str = "GET", body: bytes = b"") -> list[bytes]:
    """The answers to one request, as they came: there may be more than one if the head was two."""
    head = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Connection: close", *lines]
    if method == "POST":
        head.append(f"Content-Length: {len(body)}")
    came = exchange(server.port, "\r\n".join([*head, "", ""]).encode("latin-1") + body)
    return [came] if came else []


def check(answers: list[bytes]) -> None:
    """Each line of the head is a header of ours, the body is as long as it says, and nothing went wrong."""
    for answer in answers:
        head, gap, body = answer.partition(b"\r\n\r\n")
        assert gap, answer
        status, *lines = head.split(b"\r\n")
        assert re.fullmatch(rb"HTTP/1\.[01] [1-4][0-9][0-9] [ -~]*", status), status
        for line in lines:
            assert HEADER.fullmatch(line), line
        names = [line.partition(b":")[0].lower() for line in lines]
        assert b"x-forged" not in names, answer
        declared = dict(zip(names, lines, strict=True)).get(b"content-length")
        if declared is not None and status[9:12] not in (b"304", b"204"):
            assert len(body) == int(declared.partition(b":")[2]), answer


TARGETS = {
    "Location of a slash at the end": "/jobs/a{}b/",
    "Location of capitals": "/JOBS/a{}b",
    "Location of the login": "/jobs?type=a{}b",
    "Location after it": "/login?next=/jobs{}b",
    "Link of the next page": "/api/v1/jobs?limit=1&tag=a{}b",
    "Link with a search": "/api/v1/jobs?limit=1&q=a{}b",
    "Link with a type": "/api/v1/jobs?limit=1&type=echo&worker=a{}b",
    "Content-Disposition of a list": "/api/v1/jobs?format=csv{}b",
    "Content-Disposition of a backup": "/api/v1/backups/a{}b.db",
    "ETag and cache of a file": "/static/worker.js?v=a{}b",
    "a task": "/tasks/a{}b.js",
    "the page of a worker": "/worker?name=a{}b&types=c{}d",
    "an address that is none": "/a{}b",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_no_header_repeats_line_ends_of_an_address(server: Live, target: str) -> None:
    for junk in WRITTEN:
        for tail in (FORGED.replace(" ", "%20").replace(":", "%3A"), FORGED.replace(" ", "")):
            check(asked(server, target.replace("{}", junk + tail)))
    for junk in RAW:
        check(asked(server, target.replace("{}", junk + FORGED.replace(" ", ""))))


HEADERS = {
    "X-Request-Id": "GET /api/v1/jobs",
    "Origin": "GET /api/v1/jobs",
    "If-None-Match": "GET /static/worker.js",
    "Prefer": "POST /api/v1/jobs",
    "Idempotency-Key": "POST /api/v1/jobs",
    "Traceparent": "POST /api/v1/jobs",
    "Authorization": "GET /api/v1/jobs",
    "X-Pagehand-Token": "GET /api/v1/jobs",
    "Cookie": "GET /jobs",
    "Accept": "GET /nowhere",
    "Access-Control-Request-Headers": "OPTIONS /api/v1/jobs",
    "Host": "GET /jobs/",
}


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_repeats_line_ends_of_a_header(server: Live, name: str) -> None:
    method, path = HEADERS[name].split(" ")
    for junk in [*(junk for junk in RAW if "\n" not in junk.replace("\n ", "").replace("\n\t", "")), *WRITTEN]:
        lines = [f"{name}: a{junk}{FORGED}", *(["Content-Type: application/json"] if method == "POST" else [])]
        check(asked(server, path, *lines, method=method, body=b'{"type": "echo"}' if method == "POST" else b""))


def test_what_a_job_says_of_itself_gets_into_no_header(server: Live) -> None:
    for junk in (junk + FORGED for junk in RAW if "\x00" not in junk):
        body = json.dumps({"type": "echo", "summary": f"a{junk}"[:100], "data": junk})
        made = server.ask("POST", "/api/v1/jobs", body, JSON)
        if made.status != 201:
            assert made.status == 422, made
            continue
        job = made.json()["id"]
        for path in (f"/api/v1/jobs/{job}", f"/jobs/{job}", f"/api/v1/jobs/{job}/result"):
            check(asked(server, path))


def test_the_names_of_files_are_no_way_in(server: Live, tmp_path: Path) -> None:
    (answer,) = asked(server, "/api/v1/jobs?format=csv")
    assert b'Content-Disposition: attachment; filename="jobs.csv"\r\n' in answer
    (answer,) = asked(server, "/login?next=//evil.example%0d%0aX-Forged:1")
    check([answer])


def test_the_check_sees_a_forged_header_and_a_split_answer() -> None:
    for bad in (
        b"HTTP/1.1 200 OK\r\nLocation: /a\r\nX-Forged: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nLocation: /a\nb: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n",
    ):
        with pytest.raises(AssertionError):
            check([bad])
