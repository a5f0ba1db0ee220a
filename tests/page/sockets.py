"""Pages on their way from long-polling to a WebSocket, and pages that have come there."""

from __future__ import annotations

import json
from typing import Any

from .harness import HANDSHAKE, REGISTERED, Message, Page, job

__all__ = ["LINES", "OFFERS", "again", "begun", "direct", "logging", "moved", "probed", "said", "settle"]

#: An OPEN packet's facts of a server that takes WebSockets.
OFFERS = {**HANDSHAKE, "upgrades": ["websocket"]}
#: A task that can log, and ends when it is told to.
LINES = "var say, end; Pagehand.task('lines', function (job, done) { say = job.log; end = done; });"


def begun(tasks: str = "", options: Message | None = None, settings: Message | None = None, **config: Any) -> Page:
    """A page that is registered by polling and has opened a socket, which is on its way."""
    page = Page(tasks=tasks, options=options, **config).load()
    page.open(upgrades=["websocket"])
    page.push({**REGISTERED, "settings": settings or {}})
    return page


def probed(tasks: str = "", options: Message | None = None, **config: Any) -> Page:
    """Its socket has been answered; its poll waits."""
    page = begun(tasks, options, **config)
    page.socket_does("open")
    page.frame("3probe")
    return page


def settle(page: Page) -> None:
    """Finish an upgrade that has begun: the server answers everything that is under way."""
    if page.socket["state"] == 0:
        page.socket_does("open")
    page.frame("3probe")
    page.take_all()
    page.push_packets("6")


def moved(tasks: str = "", options: Message | None = None, **config: Any) -> Page:
    """A page whose session a socket carries."""
    page = begun(tasks, options, **config)
    settle(page)
    assert page.socket["frames"] == ["2probe", "5"]
    return page


def direct(**config: Any) -> Page:
    """A page that was told to use a WebSocket and nothing else; the socket is on its way."""
    return Page(options={"transport": "websocket"}, **config).load()


def said(page: Page) -> list[Message]:
    """The messages that have gone over the newest socket."""
    return [json.loads(frame[1:]) for frame in page.socket["frames"] if frame[0] == "4"]


def logging(**config: Any) -> Page:
    """A page on a socket with a task that can log, and has begun."""
    page = moved(LINES, **config)
    page.tell(job(type_="lines"))
    page.tell({"op": "go", "attempt": "a1"})
    return page


def again(page: Page) -> list[Message]:
    """Its connection has broken, and it comes back by polling; what it then says."""
    page.advance(2_000)
    page.open(sid="s2", upgrades=[])
    page.push(REGISTERED)
    return page.take_all()
