"""Behind the real nginx, on an odd port, with the lines that docs/offices.md shows: in the clear and with TLS."""

from __future__ import annotations

import html
import http.client
import http.server
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from tests.page.browsers import Chromium
from tests.support.certificate import self_signed
from tests.support.http import JSON
from tests.support.nginx import lines_of, nginx, without_keeping
from tests.support.server import Live, live
from tests.support.waiting import until

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
HANDSHAKE = "/engine.io/?EIO=4&transport=polling"
JOB = {"type": "word-count", "data": '"to be"'}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


class Upstream(http.server.BaseHTTPRequestHandler):
    """A server that counts its connections."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        Upstream.connections += 1

    def do_GET(self) -> None:  # http.server calls it
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Visitor:
    """What a browser sends: the port in Host, and the page's origin with each POST. It keeps cookies."""

    def __init__(self, address: str, certificate: Path | None) -> None:
        self.address = address
        self._certificate = certificate
        self._cookies: dict[str, str] = {}
        #: As they were set, by name.
        self.set: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        parts = urlsplit(self.address)
        connection: http.client.HTTPConnection
        if self._certificate is None:
            connection = http.client.HTTPConnection("localhost", parts.port, timeout=20)
        else:
            trusted = ssl.create_default_context(cafile=str(self._certificate.with_suffix(".crt")))
            connection = http.client.HTTPSConnection("localhost", parts.port, timeout=20, context=trusted)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection.request(method, path, body or None, {"Cookie": cookies} | dict(headers or {}))
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name], self.set[name] = value, line
        self.location = answer.getheader("Location", "")
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def post(self, path: str, fields: dict[str, str], page: str = "/submit") -> tuple[int, str]:
        _, text = self.ask("GET", page, headers=FORM)
        found = re.search(r'name="_xsrf" value="([^"]+)"', text)
        assert found, text
        body = urlencode({"_xsrf": found[1], **fields})
        return self.ask("POST", path, body, FORM | {"Origin": self.address})


@contextmanager
def behind(
    directory: Path, lines: str, certificate: Path | None = None, *, public: bool = False, path: str = ""
) -> Iterator[tuple[Live, Visitor]]:
    """A server behind nginx with these lines, and who comes to it. ``public``: the server is told its address, with
    this path."""
    door = socket.create_server(("127.0.0.1", 0))
    address = f"{'https' if certificate else 'http'}://localhost:{door.getsockname()[1]}"
    flags = ("--public-url", address + path) if public else ()
    with live(directory, *flags) as server, nginx(directory / "nginx", door, lines, server.port, certificate):
        yield server, Visitor(address, certificate)


def shown_with(host_line: str) -> str:
    """The lines of docs/offices.md with another one for the Host header. Without one nginx sends what it passes to."""
    lines = without_keeping(lines_of("docs/offices.md"))
    lines, count = re.subn(r"^ *proxy_set_header Host .*\n", host_line, lines, flags=re.M)
    assert count == 1
    return lines


@pytest.mark.parametrize("public", [False, True], ids=["as it comes", "with its public address"])
@pytest.mark.parametrize("tls", [False, True], ids=["in the clear", "with TLS"])
def test_forms_pages_and_programs_work_behind_the_nginx_lines_of_the_page(
    tmp_path: Path, certificate: Path, tls: bool, public: bool
) -> None:
    with behind(tmp_path, lines_of("docs/offices.md"), certificate if tls else None, public=public) as (_, visitor):
        status, text = visitor.post("/submit", JOB)
        assert (status, visitor.location[:6]) == (303, "/jobs/"), text
        assert all(("Secure" in line) == (tls and public) for line in visitor.set.values())
        origin = {"Origin": visitor.address}
        sid = json.loads(visitor.ask("GET", HANDSHAKE)[1][1:])["sid"]
        assert visitor.ask("POST", f"{HANDSHAKE}&sid={sid}", "3", origin) == (200, "ok")
        large = json.dumps({"type": "echo", "data": "x" * 1_000_000})
        assert visitor.ask("POST", "/api/v1/jobs", large, JSON | origin)[0] == 201
        assert visitor.ask("POST", "/submit", "type=echo", FORM | {"Origin": "http://evil.example"})[0] == 403


@pytest.mark.parametrize("page", ["docs/offices.md", "docs/operations.md"])
@pytest.mark.parametrize(("change", "connections"), [(str, 1), (without_keeping, 10)], ids=["as shown", "without them"])
def test_the_lines_of_the_pages_keep_connections_to_the_server(
    tmp_path: Path, page: str, change: Callable[[str], str], connections: int
) -> None:
    """Otherwise nginx makes one for each poll."""
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://localhost:{door.getsockname()[1]}"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads = True
    Upstream.connections = 0
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    with nginx(tmp_path / "nginx", door, change(lines_of(page)), server.server_port):
        visitor = Visitor(address, None)
        for _ in range(10):
            assert visitor.ask("GET", "/jobs/", headers={"Connection": "keep-alive"})[0] == 200
    server.shutdown()
    serving.join()
    server.server_close()
    assert Upstream.connections == connections


@pytest.mark.parametrize(
    ("line", "host", "cause"),
    [
        ("proxy_set_header Host $host;\n", "localhost", "A proxy on the way has probably dropped the port"),
        ("", "127.0.0.1:", "a proxy on the way has changed the Host"),
    ],
    ids=["without the port", "no line at all"],
)
def test_lines_that_change_the_host_are_named_in_what_is_refused(
    tmp_path: Path, line: str, host: str, cause: str
) -> None:
    with behind(tmp_path, shown_with(line)) as (server, visitor):
        status, text = visitor.post("/submit", JOB)
        assert status == 403
        sid = json.loads(visitor.ask("GET", HANDSHAKE)[1][1:])["sid"]
        status, refused = visitor.ask("POST", f"{HANDSHAKE}&sid={sid}", "3", {"Origin": visitor.address})
        assert status == 403
        # A thread of its own writes the log.
        log = until(lambda: (log := server.log().decode()).endswith("\n") and log)
        for words in (text, json.loads(refused)["message"], log):
            assert f"comes from a page of {visitor.address} (its Origin)" in words
            assert f"goes to {host}" in words
            assert cause in words
            assert "nginx: proxy_set_header Host $http_host" in words
        assert log.count("forbidden_origin at ") == 1


def test_lines_that_change_the_host_do_no_harm_where_the_public_address_is_said(
    tmp_path: Path, certificate: Path
) -> None:
    """The control of the test above: what is compared then is not what the proxy says."""
    with behind(tmp_path, shown_with(""), certificate, public=True) as (_, visitor):
        assert visitor.post("/submit", JOB)[0] == 303


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_that_is_refused_stands_at_not_allowed_and_shows_what_to_change(tmp_path: Path) -> None:
    with behind(tmp_path, shown_with("proxy_set_header Host $host;\n")) as (_, visitor):
        browser = Chromium()
        try:
            browser.open(f"{visitor.address}/worker?name=FRONT-DESK-07")
            until(lambda: browser.status()["state"] == "not_allowed", 20, "not allowed")
            seen = browser.status()
            assert seen["word"] == "NOT ALLOWED"
            for words in (seen["detail"], seen["error"]):
                assert f"a page of {visitor.address} (its Origin), and goes to localhost (its Host)" in words
                assert "nginx: proxy_set_header Host $http_host" in words
            assert "(E-ORG-01, " in seen["error"]
            browser.click("copy")
            assert "State: NOT ALLOWED" in browser.run("document.getElementById('report').value")
        finally:
            browser.kill()


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_names_a_proxy_that_cuts_waiting_requests_and_still_gets_its_jobs(tmp_path: Path) -> None:
    lines, count = re.subn(r"proxy_read_timeout \w+;", "proxy_read_timeout 2s;", lines_of("docs/offices.md"))
    assert count == 1
    with behind(tmp_path, lines) as (server, visitor):
        browser = Chromium()
        try:
            browser.open(f"{visitor.address}/worker")
            until(lambda: "(E-NET-12, " in browser.status()["error"], 40, "cut three times")
            assert ": after about 2 s; jobs still come, some seconds late (E-NET-12, " in browser.status()["error"]
            job = server.submit("word-count", "to be")
            assert server.job(job["id"], wait_s=20)["state"] == "succeeded"
        finally:
            browser.kill()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ssl", "ssl http2"])
def test_a_page_in_a_browser_works_behind_the_nginx_lines_of_the_page(
    tmp_path: Path, certificate: Path, kind: str
) -> None:
    """Its messages are POSTs, which say the page's origin; HTTP/2 has no Host header, and nginx makes one."""
    lines = lines_of("docs/offices.md").replace("listen 443 ssl;", f"listen 443 {kind};")
    with behind(tmp_path, lines, certificate, public=True) as (server, visitor):
        browser = Chromium(flags=["--ignore-certificate-errors"])
        try:
            browser.open(f"{visitor.address}/worker")
            until(lambda: browser.status()["state"] == "ready", 20, "ready")
            job = server.submit("word-count", "to be")
            assert server.job(job["id"], wait_s=10)["state"] == "succeeded"
        finally:
            browser.kill()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("slash", ["/", ""], ids=["the path is taken away", "the path is left"])
def test_console_form_api_and_pages_work_under_a_path(tmp_path: Path, certificate: Path, slash: str) -> None:
    """Each link of the console is followed, too."""
    lines, count = re.subn(r"(proxy_pass [^;]*)/;", rf"\g<1>{slash};", lines_of("docs/operations.md"))
    assert count == 1
    with behind(tmp_path, lines, certificate, public=True, path="/jobs/" if slash else "/jobs") as (_, visitor):
        browser = Chromium(flags=["--ignore-certificate-errors"])
        try:
            browser.open(f"{visitor.address}/jobs/worker?types=word-count")
            until(lambda: browser.status()["state"] == "ready", 20, "ready")
            assert browser.status()["server"] == f"{visitor.address}/jobs"
            # Another server under another path of this origin must get neither this worker nor its token.
            kept = browser.run("Object.keys(sessionStorage)")
            assert kept
            assert all(key.startswith("pagehand/jobs.") for key in kept), kept
            assert visitor.post("/jobs/submit", JOB, "/jobs/submit")[0] == 303
            job = visitor.location
            assert job.startswith("/jobs/jobs/")
            until(lambda: "succeeded" in visitor.ask("GET", job, headers=FORM)[1], 20, "succeeded")
        finally:
            browser.kill()
        assert visitor.ask("GET", "/jobs")[0] == 301
        assert visitor.location == f"{visitor.address}/jobs/"
        assert visitor.ask("POST", "/jobs/api/v1/jobs", '{"type": "echo"}', JSON)[0] == 201
        assert visitor.ask("GET", visitor.location)[0] == 200
        seen: set[str] = set()
        waiting = ["/jobs/", job]
        while waiting:
            link = waiting.pop()
            seen.add(link)
            status, text = visitor.ask("GET", link, headers={"Accept": "text/html"})
            assert status == 200, link
            found = {urljoin(link, html.unescape(it)) for it in re.findall(r'(?:href|src)="([^"#]*)"', text)}
            waiting += sorted(found - seen - set(waiting) - {"data:,"})[: 60 - len(seen) - len(waiting)]
        assert {"/jobs/", "/jobs/jobs", "/jobs/workers", "/jobs/types", "/jobs/submit", "/jobs/worker"} <= seen
        assert not [link for link in seen if not link.startswith("/jobs/")]
