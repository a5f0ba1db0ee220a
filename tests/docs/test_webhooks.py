"""The receiver of docs/webhooks.md takes what Pagehand sends it, and nothing else."""

from __future__ import annotations

import asyncio
import threading
import time
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from dispatcher.node.webhooks.posting import HookAnswer, HttpPoster
from dispatcher.webhooks.signing import headers_of, secret_text
from dispatcher.webhooks.targets import allowed_targets
from tests.docs.blocks import only

SECRET, OTHER = secret_text(b"k" * 32), secret_text(b"o" * 32)
BODY = b'{"type":"job.succeeded","timestamp":"2026-11-23T21:04:05.123Z","data":{"id":"job-1"}}'


@pytest.mark.parametrize(
    ("secrets", "old_s", "status"),
    [([SECRET], 0, 204), ([OTHER, SECRET], 0, 204), ([OTHER], 0, 401), ([SECRET], 3_600, 401)],
    ids=["signed", "while the secret is changed", "by somebody else", "long ago"],
)
def test_the_receiver_of_the_page_judges_a_message_rightly(secrets: list[str], old_s: int, status: int) -> None:
    program: dict[str, Any] = {"__name__": "receiver"}
    exec(only("docs/webhooks.md", "python"), program)
    kept: list[tuple[str, Any]] = []
    program |= {"SECRET": SECRET, "keep": lambda message, event: kept.append((message, event["data"]["id"]))}
    program["Receiver"].log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), program["Receiver"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        address = f"127.0.0.1:{server.server_address[1]}"
        poster = HttpPoster(allowed_targets([address]), time.time)
        headers = headers_of("msg_1", int(time.time()) - old_s, BODY, secrets)
        answer = asyncio.run(poster.post(f"http://{address}/in", headers, BODY))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert answer == HookAnswer(status)
    assert kept == ([("msg_1", "job-1")] if status == 204 else [])
