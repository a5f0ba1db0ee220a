"""Pages of others as workers, in a real browser: of another origin, and without one. A scheme of a program's own
(``app://``) is no more than an origin that ``tests/handlers/test_guard.py`` allows: Chromium here has none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.page.browsers import Chromium
from tests.support.http import JSON
from tests.support.server import live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOKEN = "s3cret"
NULL = ("--token", TOKEN, "--allow-origin", "null")
#: A page of somebody else that would be a worker.
EMBEDDED = """<!doctype html><title>Desk</title><script src="{server}/static/worker.js"></script>
<script>Pagehand.task('echo', function (job) {{ return job.data; }});
var worker = Pagehand.start({{url: '{server}', token: '{token}', credentials: {credentials}}});</script>"""


@contextmanager
def web_server(directory: Path) -> Iterator[str]:
    """The address of the files of a directory."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_given: object) -> None:
        """Nothing: the test looks at the page."""


@pytest.fixture
def browser() -> Iterator[Chromium]:
    made = Chromium()
    yield made
    made.kill()


@pytest.mark.parametrize("credentials", ["false", "true"])
def test_a_page_of_another_origin_reads_why_it_is_refused(tmp_path: Path, browser: Chromium, credentials: str) -> None:
    """A real browser lets it: the refusal alone says that any page may read it, one that sends cookies, too."""
    own = tmp_path / "own"
    own.mkdir()
    with live(tmp_path) as server, web_server(own) as address:
        (own / "index.html").write_text(EMBEDDED.format(server=server.url, token="", credentials=credentials))
        browser.open(f"{address}/index.html")
        found = until(lambda: browser.run("window.worker && worker.status().error"), 20, "an error")
        assert found["code"] == "E-ORG-01"
        here = f"127.0.0.1:{server.port}"
        assert f"a page of {address} (its Origin), and goes to {here} (its Host)" in found["detail"]
        assert f"start the server with --allow-origin {address}" in found["detail"]
        assert browser.run("worker.status().state") == "not_allowed"
        until(lambda: "forbidden_origin at /engine.io/: " in server.log().decode(), what="a line in the log")


@pytest.mark.parametrize(
    ("flags", "token", "state", "code"),
    [
        (("--token", TOKEN), TOKEN, "not_allowed", "E-ORG-01"),
        (NULL, "guessed", "not_allowed", "E-TOK-02"),
        (NULL, TOKEN, "ready", None),
    ],
    ids=["it is not said", "a wrong token", "with the token"],
)
def test_a_page_from_a_file_joins_only_where_that_is_said_and_with_the_token(
    tmp_path: Path, browser: Chromium, flags: tuple[str, ...], token: str, state: str, code: str | None
) -> None:
    with live(tmp_path, *flags) as server:
        page = tmp_path / "desk.html"
        page.write_text(EMBEDDED.format(server=server.url, token=token, credentials="false"))
        browser.open(page.as_uri())
        until(lambda: browser.run("window.worker && worker.status().state") == state, 20, state)
        error = browser.run("worker.status().error")
        assert (error and error["code"]) == code
        if code == "E-ORG-01":
            assert "Origin: null" in error["detail"]
            assert "--allow-origin null and a token" in error["detail"]
        if code is None:
            sent = JSON | {"Authorization": f"Bearer {TOKEN}", "Prefer": "wait=10"}
            assert server.ask("POST", "/api/v1/jobs", '{"type": "echo", "data": 7}', sent).json()["result"] == 7
        # Whoever has no origin, and the token too, changes nothing else.
        anyone = JSON | {"Authorization": f"Bearer {TOKEN}", "Origin": "null"}
        assert server.ask("POST", "/api/v1/jobs", '{"type": "echo"}', anyone).status == 403
