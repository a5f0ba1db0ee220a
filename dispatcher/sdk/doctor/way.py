"""Checks of the way: what do proxies between do to Host, to answers, to requests that wait, to WebSockets? Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .findings import Finding, found, noted, plain, skipped, span, wrong
from .gate import version_of
from .seen import PIECE_S, SECOND_PIECE_S, Heard, Mishap, Sighting

__all__ = ["buffering", "cache", "host", "page_polls", "script", "waiting", "websocket"]

#: The server holds a page's request this long before it answers with a ping, if it says nothing else.
_PING_S = 20.0
#: An answer that comes so much later than it was sent was kept back.
_LATE_S = 3.0
_LONGER = "Let the proxy wait at least 75 s for an answer (nginx: proxy_read_timeout 75s; Apache: ProxyTimeout 75)."
_KEEP_HOST = "Let it pass Host on as it came, with its port (nginx: proxy_set_header Host $http_host)."
_OTHER_ADDRESS = (
    "Give the address that people type as --url. If that is this one, start the server with it as --public-url."
)


def host(seen: Sighting) -> Iterator[Finding]:
    """Whether the server hears its name and port as the browser wrote them."""
    refused = _refused(seen)
    if refused is None:
        if seen.own_page is not None and seen.own_page.code in ("", "bad_token", "unauthorized"):
            yield found("host", "the server hears the name and the port that were asked for")
        return
    says = plain(str(refused.fields.get("detail", ""))) or refused.code
    if refused.code == "forbidden_host":
        name = seen.address.host
        mend = f"Start the server with --allow-host {plain(name)}; or a proxy has changed Host. {_KEEP_HOST}"
        yield wrong("host", f"the server refuses the name: {says}", mend)
    else:
        mend = _OTHER_ADDRESS if "--public-url" in says else _KEEP_HOST
        yield wrong("host", f"the server takes its own pages for foreign ones: {says}", mend)


def _refused(seen: Sighting) -> Heard | None:
    asked = (seen.bare, seen.own_page)
    return next((heard for heard in asked if heard and heard.code in ("forbidden_host", "forbidden_origin")), None)


def cache(seen: Sighting) -> Iterator[Finding]:
    """Whether an answer comes twice. Each has an id of its own, or that of its request."""
    first, second = (*seen.ready, Heard(), Heard())[:2]
    ids = {heard.headers.get("x-request-id", "") for heard in (first, second)}
    if first.answer is None or second.answer is None or "" in ids:
        return
    aged = second.headers.get("age", "0").strip()
    if len(ids) > 1 and aged in ("", "0"):
        yield found("cache", "each request gets an answer of its own")
        return
    yield wrong(
        "cache", "a cache between answers in the server's place: the same answer came twice"
        if len(ids) == 1 else f"a cache between answers in the server's place: its answer is {plain(aged)} s old",
        "Switch it off for this address: the server says Cache-Control: no-store "
        "(nginx: no proxy_cache, no proxy_ignore_headers Cache-Control).",
    )  # fmt: skip


def script(seen: Sighting) -> Iterator[Finding]:
    """Whether worker pages get the script of this server."""
    heard, version = seen.script, version_of(seen)
    if heard is None or (heard.status == 403 and _refused(seen)):
        return
    told = re.search(r"\bVERSION = '([^']{1,40})'", heard.text)
    if heard.status != 200 or told is None:
        yield wrong(
            "script", f"/static/worker.js is not what comes ({_came(heard)})",
            "No worker page works so. Let the proxy pass the path /static/ to the server, unchanged.",
        )  # fmt: skip
    elif version and told[1] != version:
        yield wrong(
            "script", f"an old /static/worker.js comes, of {plain(told[1])}; the server is {version}",
            "Empty the cache of the proxy: the server asks that browsers and caches ask each time.",
        )  # fmt: skip
    else:
        yield found("script", "worker pages get their script")


def buffering(seen: Sighting) -> Iterator[Finding]:
    """Whether the pieces of a stream come when they are sent."""
    heard = seen.stream
    if heard is None:
        yield skipped("buffering", "it needs a token that may read")
    elif heard.answer is not None and not _is_stream(heard):
        yield skipped("buffering", f"the server gave no stream ({_came(heard)})")
    elif _is_prompt(heard) and len(heard.pieces_s) >= seen.stream_pieces:
        yield found("buffering", f"a piece of a stream comes as soon as it is sent ({span(heard.pieces_s[0])})")
    elif _is_prompt(heard) and heard.took_s < SECOND_PIECE_S - _LATE_S:
        yield wrong("buffering", f"something between ends streams after {span(heard.took_s)}", _LONGER)
    else:
        late = "only the beginning of a stream" if _is_prompt(heard) else "nothing of a stream"
        within = span(heard.took_s if _is_prompt(heard) else PIECE_S)
        yield wrong(
            "buffering", f"something between keeps answers back: {late} came within {within}",
            "Let the proxy pass answers on as they come (nginx: proxy_buffering off, and no proxy_ignore_headers "
            "X-Accel-Buffering); a virus scanner may hold streams back, too. Until then read /api/v1/changes?wait= "
            "instead of /api/v1/events.",
        )  # fmt: skip


def _is_stream(heard: Heard) -> bool:
    return heard.status == 200 and heard.headers.get("content-type", "").startswith("text/event-stream")


def _is_prompt(heard: Heard) -> bool:
    return bool(heard.pieces_s) and heard.pieces_s[0] <= PIECE_S


def waiting(seen: Sighting) -> Iterator[Finding]:
    """Whether a program's request may wait for its answer."""
    heard = seen.waited
    if heard is None:
        yield skipped("waiting", "it needs a token that may read")
    elif heard.status == 200 and "items" in heard.fields:
        yield found("waiting", f"a request may wait for {span(heard.took_s)}")
    else:
        yield _cut("waiting", "requests of programs that wait for a job", heard)


def page_polls(seen: Sighting) -> Iterator[Finding]:
    """Whether a page's request may wait for a job."""
    if seen.page is None:
        return
    heard, opened = seen.page.poll, seen.page.handshake
    if heard is None:
        if opened.status != 403:
            why = f"a worker page gets no session: {_came(opened)}"
            yield wrong("page_polls", why, "Let the proxy pass the path /engine.io/ with its query.")
        return
    # A request that we ended ourselves was held well, unless the server had answered it long before.
    ours = heard.mishap is Mishap.SILENT and heard.took_s < _ping_s(opened) + _LATE_S
    if heard.status == 200 or ours:
        yield found("page_polls", f"a page's request may wait for {span(heard.took_s)}")
    else:
        yield _cut("page_polls", "requests of worker pages that wait for a job", heard)


def _cut(check: str, whose: str, heard: Heard) -> Finding:
    if heard.mishap is Mishap.SILENT:
        says = f"something between keeps back the answers to {whose}: none came within {span(heard.took_s)}"
    else:
        says = f"something between ends {whose} after {span(heard.took_s)} ({_came(heard)})"
    return wrong(check, says, f"{_LONGER} Until then jobs and results come late.")


def websocket(seen: Sighting) -> Iterator[Finding]:
    """Whether a page may open a WebSocket. Without one it polls, and works."""
    if seen.page is None or (heard := seen.page.socket) is None:
        return
    if not _upgrades(seen.page.handshake):
        yield found("websocket", "the server takes none (--transports): pages stay with long-polling")
    elif heard.status == 101 and heard.text:
        yield found("websocket", "a page may open one")
    else:
        why = "it opens, and nothing passes" if heard.status == 101 else _came(heard)
        yield noted(
            "websocket", f"none comes about ({why}): pages stay with long-polling, and work",
            "If you want them: let the proxy pass Upgrade and Connection on (nginx: proxy_http_version 1.1 and "
            "proxy_set_header; Apache: ProxyPass ... upgrade=websocket).",
        )  # fmt: skip


def _told(handshake: Heard) -> dict[str, Any]:
    """What the server said of the session: a digit, then JSON."""
    try:
        told = json.loads(handshake.text[1:])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _upgrades(handshake: Heard) -> bool:
    return "websocket" in (_told(handshake).get("upgrades") or ())


def _ping_s(handshake: Heard) -> float:
    interval_ms = _told(handshake).get("pingInterval")
    return interval_ms / 1000 if isinstance(interval_ms, int | float) else _PING_S


def _came(heard: Heard) -> str:
    if heard.answer is None:
        return plain(heard.words)
    return f"status {heard.status}" + (f", {heard.code}" if heard.code else "")
