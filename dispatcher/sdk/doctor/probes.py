"""Asks the server everything that the checks want to know. What takes long is asked at the same time."""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from .gate import is_pagehand
from .messenger import Messenger
from .seen import PIECE_S, SECOND_PIECE_S, Heard, PageTry, Sighting

__all__ = ["look"]

#: An address that wants the token, costs the server little, and is answered at once.
_CHEAP = "/api/v1/stats"
_READY = "/readyz?verbose"
_SCRIPT = "/static/worker.js"
_PAGE = "/engine.io/?EIO=4&transport="
#: Engine.IO's packet that ends a session.
_BYE = b"1"
#: No job has this id: nothing ends the wait.
_NO_JOB = "doctor"
#: How much longer a request that the server holds may take.
_SLACK_S = 4.0
#: Lists are read so long, and so far.
_LIST_S = 8.0
_MOST_PAGES = 50

Say = Callable[[str], object]
P = ParamSpec("P")
T = TypeVar("T")


def look(messenger: Messenger, hold_s: float, say: Say = lambda words: None) -> Sighting:
    """Asks all that can be asked. ``say`` is told what it waits for."""
    config = messenger.config
    say(f"connecting to {config.url}")
    seen = Sighting(
        url=config.url, address=config.address, doorstep=messenger.doorstep(),
        proxy_variable=_proxy_variable(os.environ, config.address.tls), hold_s=hold_s,
    )  # fmt: skip
    if seen.doorstep.mishap:
        return seen
    say("asking who is there")
    ready = _later(lambda: (messenger.ask(_READY), messenger.ask(_READY)))
    seen = replace(seen, bare=messenger.ask(_CHEAP), ready=ready.result())
    # A stranger is not shown the token.
    if not is_pagehand(seen):
        return seen
    own_page = _later(messenger.ask, _CHEAP, _page_headers(messenger))
    script = _later(messenger.ask, _SCRIPT)
    seen = replace(_with_token(messenger, seen), own_page=own_page.result(), script=script.result())
    say(f"watching for up to {hold_s + _SLACK_S:.0f} s whether requests may wait")
    return _long_ones(messenger, seen)


def _later(work: Callable[P, T], *args: P.args, **fields: P.kwargs) -> Future[T]:
    """Runs it in a thread that does not keep the program from ending: someone may interrupt the wait."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work(*args, **fields))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _proxy_variable(environ: Mapping[str, str], tls: bool) -> str:
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY") if tls else ("HTTP_PROXY", "http_proxy", "ALL_PROXY")
    return next((name for name in names if environ.get(name)), "")


def _page_headers(messenger: Messenger) -> dict[str, str]:
    """What a page that came from this address sends."""
    return {"Origin": messenger.origin}


def _bearer(messenger: Messenger) -> dict[str, str]:
    return {"Authorization": f"Bearer {messenger.config.token}"} if messenger.config.token else {}


def _with_token(messenger: Messenger, seen: Sighting) -> Sighting:
    if not messenger.config.token:
        return seen
    shown = messenger.ask(_CHEAP, _bearer(messenger))
    if shown.status != 401:
        return replace(seen, shown=shown)
    return replace(seen, shown=shown, shown_apart=messenger.ask(_CHEAP, {"X-Pagehand-Token": messenger.config.token}))


def _allowed(messenger: Messenger, seen: Sighting) -> dict[str, str] | None:
    """The headers with which the server talks to us; None if it does not."""
    if seen.shown is None:
        return {} if seen.bare is not None and seen.bare.status == 200 and seen.bare.fields else None
    if seen.shown.status == 200 and seen.shown.fields:
        return _bearer(messenger)
    if seen.shown_apart is not None and seen.shown_apart.status == 200:
        return {"X-Pagehand-Token": messenger.config.token or ""}
    return None


def _long_ones(messenger: Messenger, seen: Sighting) -> Sighting:
    """Whatever waits, and the lists meanwhile."""
    allowed = _allowed(messenger, seen)
    page = _later(_page, messenger, seen.hold_s)
    if allowed is None:
        return replace(seen, page=page.result())
    waited = _later(_waited, messenger, seen.hold_s, allowed)
    pieces = 2 if seen.hold_s >= SECOND_PIECE_S else 1
    within_s = SECOND_PIECE_S if pieces == 2 else PIECE_S
    stream = _later(messenger.ask, f"/api/v1/events?job={_NO_JOB}", allowed, within_s=within_s, pieces=pieces)
    until = messenger.clock() + _LIST_S
    workers, more_workers = _list(messenger, "/api/v1/workers?limit=100", allowed, until)
    types, more_types = _list(messenger, "/api/v1/types?limit=100", allowed, until)
    metrics = messenger.ask("/metrics", allowed)
    return replace(
        seen, waited=waited.result(), stream=stream.result(), stream_pieces=pieces, metrics=metrics,
        workers=workers, types=types, more=more_workers or more_types, page=page.result(),
    )  # fmt: skip


def _waited(messenger: Messenger, hold_s: float, allowed: Mapping[str, str]) -> Heard:
    return messenger.ask(f"/api/v1/changes?job={_NO_JOB}&wait={hold_s:.0f}", allowed, within_s=hold_s + _SLACK_S)


def _page(messenger: Messenger, hold_s: float) -> PageTry:
    """What a worker page does: a handshake, a request that waits, a WebSocket. It joins as no worker."""
    headers = _page_headers(messenger)
    handshake = messenger.ask(f"{_PAGE}polling&t={secrets.token_hex(4)}", headers)
    sid = _session(handshake)
    if not sid:
        return PageTry(handshake=handshake)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    session = f"{_PAGE}polling&sid={quote(sid)}"
    socket = _later(messenger.ask, f"{_PAGE}websocket", headers | upgrade, pieces=1)
    poll = messenger.ask(session, headers, within_s=hold_s)
    messenger.ask(session, headers, body=_BYE)
    return PageTry(handshake=handshake, socket=socket.result(), poll=poll)


def _session(handshake: Heard) -> str:
    try:
        opened = json.loads(handshake.text[1:]) if handshake.status == 200 else {}
    except ValueError:
        return ""
    return str(opened.get("sid", "")) if isinstance(opened, dict) else ""


def _list(
    messenger: Messenger, target: str, allowed: Mapping[str, str], until: float
) -> tuple[tuple[Mapping[str, Any], ...] | None, bool]:
    """A list, page by page, and whether there is more. None: it cannot be read."""
    items: list[Mapping[str, Any]] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        fields = messenger.ask(target + (f"&cursor={quote(cursor)}" if cursor else ""), allowed).fields
        if not isinstance(page := fields.get("items"), list):
            return (tuple(items), True) if items else (None, False)
        items += [item for item in page if isinstance(item, dict)]
        cursor = str(fields.get("next_cursor") or "")
        if not cursor or messenger.clock() >= until:
            break
    return tuple(items), bool(cursor)
