"""Helpers for the tests of section D: the long form, and raw sockets beside a real server process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.long_form import LONG
from tests.support.http import Page, head
from tests.support.server import Live

__all__ = ["LONG", "others_are_served", "post_head"]


def post_head(page: Page, port: int, length: int) -> bytes:
    """The head of a page's POST."""
    return head("POST", page.target, port, f"Content-Length: {length}", "Content-Type: text/plain;charset=UTF-8")


@contextmanager
def others_are_served(server: Live) -> Iterator[list[float]]:
    """Sends ordinary requests, one after the other, while the block runs; notes how long each took."""
    took_s: list[float] = []
    failures: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                reply = server.ask("GET", "/jobs")
            except OSError as error:
                failures.append(error)
                return
            took_s.append(time.monotonic() - began)
            if reply.status != 200:
                failures.append(reply)
            over.wait(0.01)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took_s
    finally:
        over.set()
        thread.join()
    assert not failures, failures[0]
    assert took_s, "nobody asked"
