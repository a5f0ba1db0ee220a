"""What a page hears and says, noted for the histories: they are checked against what the server knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.sim.targets import Face

if TYPE_CHECKING:
    from tests.sim.browser import Window

__all__ = ["hears", "says"]

_RESULT = '{"op":"result","attempt":"'


def hears(window: Window, text: str) -> None:
    """The window reads a message of its session."""
    assert window.session is not None
    window.world.checks.order.heard(window.session.sid, text)
    message = json.loads(text)
    window.world.trace(f"{window.name} <- {text[:150]}")
    if message["op"] in ("recorded", "cancel") or (message["op"] == "refused" and message.get("attempt")):
        window.mine.discard(message["attempt"])
    if message["op"] == "registered":
        window.world.history.registers(window.page.boot, message["worker"])
    elif message["op"] == "recorded":
        window.world.history.told(message["attempt"], message["verdict"])
    elif message["op"] == "go":
        window.world.checks.once.told_to_go(message["attempt"], polls=not window.by_socket)
    elif message["op"] == "job":
        window.world.history.offered.append(message["attempt"])
        window.world.targets.offered(window, message)


def says(window: Window, text: str) -> None:
    """The window sends a message."""
    window.world.trace(f"{window.name} -> {text[:150]}")
    history = window.world.history
    if text.startswith(_RESULT):
        attempt, _, rest = text[len(_RESULT) :].partition('"')
        history.sent.setdefault(attempt, set()).add(rest.removeprefix(',"value":')[:-1])
    elif text.startswith('{"op":"accept"'):
        attempt = json.loads(text)["attempt"]
        history.accepted_at.setdefault(attempt, window.world.now)
    elif text.startswith('{"op":"register"'):
        said = json.loads(text)
        history.registers(said["boot"], said.get("worker"))
        window.faces.append(Face(said.get("name", window.face.name), said.get("labels") or {}))
        if "lie" in said:
            history.lied.update(window.mine, window.page.hands._held)
