"""Messages that no honest page sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.browser import Window

__all__ = ["LIES"]


def _say(window: Window, op: str, **fields: object) -> None:
    window.page.send(json.dumps({"op": op, **fields}, separators=(",", ":")))


def _twice(window: Window, target: str) -> None:
    for attempt in [target, *sorted(window.mine)]:
        _say(window, "accept", attempt=attempt)
        _say(window, "accept", attempt=attempt)


def _result(window: Window, target: str) -> None:
    _say(window, "result", attempt=target, value={"lie": window.rng.getrandbits(32)})


def _error(window: Window, target: str) -> None:
    _say(window, "error", attempt=target, message="a lie", retry=window.rng.random() < 0.5)


def _released(window: Window, target: str) -> None:
    _say(window, "released", attempt=target, reason="a lie")


def _progress(window: Window, target: str) -> None:
    _say(window, "progress", attempt=target, percent=50)
    _say(window, "log", attempt=target, line="a lie")


def _register(window: Window, target: str) -> None:
    identity = window.page.identity
    known = {"worker": identity.worker, "secret": identity.secret} if identity else {}
    which = "holding" if window.rng.random() < 0.5 else "finished"
    claim = [{"attempt": target, "elapsed_ms": 1}] if which == "holding" else [target]
    more = {"holding": [], "finished": [], which: claim}
    _say(window, "register", version=1, types=window.types, boot=window.page.boot, slots=1, lie=1, **known, **more)


def _noise(window: Window, target: str) -> None:
    for text in ("", "{}", "null", '{"op":"go"}', '{"op":"result"}', f'{{"op":"result","attempt":"{target}"'):
        window.page.send(text)


#: Each gets the window, and an attempt that some page was offered lately.
LIES = (_twice, _result, _error, _released, _progress, _register, _noise)
