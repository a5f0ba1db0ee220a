"""``webhook``: who is told of changes, from a terminal or a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.sdk.cli.typed import Said, typed
from tests.support.server import live
from tests.support.waiting import until

ADMIN = "the-secret-of-the-administrator"


class Answers(BaseHTTPRequestHandler):
    """A receiver that wants no more of what it is told of under ``/gone``, and takes all else."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(410 if self.path == "/gone" else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests read no log."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """Its address, without a path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory, receiver: str) -> Iterator[list[str]]:
    allowed = ("--webhook-allow", receiver, "--callback-host", receiver, "--callback-secret", "whsec_" + "ab12" * 11)
    with ExitStack() as stack:
        server = stack.enter_context(live(tmp_path_factory.mktemp("hooks"), "--token", ADMIN, *allowed))
        yield ["--url", server.url, "--token", ADMIN]


@pytest.fixture
def hook(admin: list[str], receiver: str) -> Iterator[str]:
    """The id of a webhook."""
    made = typed("webhook", "add", f"http://{receiver}/in", "--name=the shop", "-o", "id", *admin)
    assert made.status == 0, made
    yield made.out.strip()
    typed("webhook", "rm", made.out.strip(), *admin)


def lines(said: Said) -> list[dict[str, object]]:
    """Data as JSON lines."""
    assert said.status == 0, said
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_webhook_is_made_with_a_secret_that_is_shown_once_changed_and_removed(
    admin: list[str], receiver: str
) -> None:
    words = ["--event=job.failed", "--event=job.expired", "--type=ocr", "--name=the shop"]
    made = typed("webhook", "add", f"http://{receiver}/a", *words, *admin)
    assert (made.status, made.out[:6], "nobody can show this secret again" in made.err) == (0, "whsec_", True)
    [row] = [one for one in lines(typed("webhook", "list", "-o", "json", *admin)) if one["name"] == "the shop"]
    assert (row["events"], row["types"], "secret" in row) == (["job.failed", "job.expired"], ["ocr"], False)
    own = str(row["id"])
    table = typed("webhook", "list", *admin, terminal=True, environ={"COLUMNS": "200"}).out
    assert [line.split()[:2] for line in table.splitlines()[1:]] == [[own, "the"], ["callbacks", "callbacks"]]
    rotated = typed("webhook", "rotate", own, "--quiet", *admin)
    assert (rotated.out[:6], rotated.out == made.out, rotated.err) == ("whsec_", False, "")
    assert json.loads(typed("webhook", "set", own, "--name", "x", "--event", "job.failed", *admin).out)["name"] == "x"
    paused = json.loads(typed("webhook", "pause", own, *admin).out)
    assert (paused["enabled"], "switched it off" in paused["reason"]) == (False, True)
    assert typed("webhook", "test", own, *admin).status == 1, "it is switched off"
    shown = typed("webhook", "resume", own, "-o", "table", *admin).out
    assert ["enabled", "True"] in [line.split() for line in shown.splitlines()]
    assert typed("webhook", "rm", "-", *admin, stdin=own.encode())[:2] == (0, f"{own}\n")
    assert typed("webhook", "show", own, *admin).status == 1
    assert typed("webhook", "rm", own, *admin).status == 1


def test_a_ping_is_sent_and_the_log_says_what_became_of_it(admin: list[str], hook: str) -> None:
    message = typed("webhook", "test", hook, "--quiet", *admin).out.strip()
    log = lambda: lines(typed("webhook", "deliveries", hook, "-o", "json", *admin))  # noqa: E731
    [line] = until(log, what="a line of the log")
    assert (line["id"], line["event"], line["outcome"], line["status"]) == (message, "ping", "delivered", 204)
    assert typed("webhook", "deliveries", hook, "--failed", *admin)[:2] == (0, "")
    table = typed("webhook", "deliveries", hook, "-o", "table", *admin).out.splitlines()
    assert (table[0].split()[:3], table[1].split()[:3]) == (["ID", "EVENT", "JOB"], [message, "ping", "-"])


def test_a_dead_callback_is_shown_and_sent_again(admin: list[str], receiver: str) -> None:
    job = typed("submit", "none", "--callback-url", f"http://{receiver}/gone", "--quiet", *admin).out.strip()
    assert typed("cancel", job, *admin).status == 0
    dead = lambda: lines(typed("webhook", "dead", "callbacks", "-o", "json", *admin))  # noqa: E731
    [message] = until(dead, what="the message is dead")
    assert (message["job"], message["event"], message["body"]["data"]["id"]) == (job, "job.cancelled", job)
    own = str(message["id"])
    assert typed("webhook", "redeliver", "callbacks", own, *admin)[:2] == (0, f"{own}\n")
    tries = lambda: len(typed("webhook", "deliveries", "callbacks", *admin).out.splitlines()) == 2  # noqa: E731
    until(tries, what="another attempt")
    assert typed("webhook", "redeliver", "callbacks", "--dead", "-o", "json", *admin).status == 0
    said = typed("webhook", "redeliver", "callbacks", "msg_none", *admin)
    assert (said.status, "msg_none" in said.err) == (1, True)
    assert typed("webhook", "pause", "callbacks", *admin).status == 1


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["add", "http://10.0.0.1/"], 2, "private network"),
        (["set", "x"], 2, "--address"),
        (["redeliver", "x"], 2, "--dead"),
        (["redeliver", "x", "msg_1", "--dead"], 2, "--dead"),
        (["deliveries", "abcdefgh1234"], 1, "abcdefgh1234"),
    ],
)
def test_what_cannot_be_done_is_said(admin: list[str], words: list[str], status: int, told: str) -> None:
    said = typed("webhook", *words, *admin)
    assert (said.status, said.out, told in said.err) == (status, "", True)


def test_a_submitter_may_not(admin: list[str]) -> None:
    token = typed("token", "create", "till", "--scope=submit", "--quiet", *admin).out.strip()
    assert typed("webhook", "list", *admin[:2], "--token", token).status == 5
