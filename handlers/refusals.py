"""Refused Hosts and Origins in words, and in the log.

The words name what the request said and what the server compared it with, and the likely cause. They are ASCII without
quotes, so that they fit into a header's, a page's and Engine.IO's answer. Who is refused is decided in ``guard``.
"""

from __future__ import annotations

import logging
import re

from dispatcher.clock import Clock

__all__ = ["RefusalLog", "foreign_host", "foreign_origin", "no_origin", "other_address", "other_port", "quoted"]

log = logging.getLogger("pagehand.guard")

#: A kind of refusal is logged at most once in this time: a page that is refused comes again and again.
_EVERY_S = 60.0
_MOST_CHARS = 100
_PLAIN = re.compile(r"[^A-Za-z0-9.:/_\[\]@ ,;+=~%*-]")
_KEEP_HOST = "pass Host on as it came (nginx: proxy_set_header Host $http_host)"


def quoted(text: str) -> str:
    """What a header said, short and without anything that an answer or a line of the log could stumble over."""
    plain = _PLAIN.sub("?", text)
    return plain if len(plain) <= _MOST_CHARS else plain[:_MOST_CHARS] + "..."


def foreign_host(host: str, name: str) -> str:
    """``name``: the host alone; empty where the header is not what it should be."""
    flag = f"--allow-host {quoted(name) or 'NAME'}"
    return (
        f"The request names the host {quoted(host) or '(nothing)'} in its Host header, and this server does not go by "
        f"that name. If it should, start it with {flag}."
    )


def foreign_origin(origin: str, host: str, public: str) -> str:
    """The page's origin has another name than the request's Host, and than ``--public-url`` where that is set."""
    shown = quoted(origin) or "(nothing)"
    cause = f"a proxy on the way has changed the Host: it must {_KEEP_HOST}"
    if public:
        cause = f"it was opened at another address than that of --public-url, {quoted(public)}, or {cause}"
    return (
        f"The request comes from a page of {shown} (its Origin), and goes to {quoted(host) or '(nothing)'} (its Host). "
        f"If that page came from this server, {cause}. {_let_in(shown)}"
    )


def _let_in(origin: str) -> str:
    return f"If it is a page of another origin that may load a worker, start the server with --allow-origin {origin}."


def no_origin(host: str) -> str:
    """The page says ``Origin: null``: it is a file, or stands in a frame that is shut in."""
    return (
        f"The request comes from a page without an origin (Origin: null: a file, or a frame in a sandbox), and goes to "
        f"{quoted(host) or '(nothing)'} (its Host). Such a page may change nothing here. It may be a worker if the "
        "server is started with --allow-origin null and a token."
    )


def other_port(origin: str, host: str) -> str:
    """The names are the same, and only the ports differ."""
    done = "changed" if ":" in host.rpartition("]")[2] else "dropped"
    return (
        f"The request comes from a page of {quoted(origin)} (its Origin), and goes to {quoted(host)} (its Host): "
        f"the ports differ. A proxy on the way has probably {done} the port: it must {_KEEP_HOST}. "
        f"{_let_in(quoted(origin))}"
    )


def other_address(origin: str, public: str) -> str:
    """The name is the public one, and scheme or port are not."""
    return (
        f"The request comes from a page of {quoted(origin)} (its Origin), and the address of this "
        f"server is {quoted(public)} (--public-url): scheme and port must be the same. "
        "Open the page at that address, or start the server with the --public-url that people use."
    )


class RefusalLog:
    """Writes the first refusal of each kind a minute, and how many there were since the last line."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Kind -> when it may be logged again, and how many have come since.
        self._kinds: dict[str, tuple[float, int]] = {}

    def note(self, code: str, detail: str, *, path: str, remote: str) -> None:
        """A request has been refused with this code. ``detail`` quotes it only as ``quoted`` does."""
        now = self._clock.monotonic()
        next_at, count = self._kinds.get(code, (now, 0))
        if now < next_at:
            self._kinds[code] = (next_at, count + 1)
            return
        self._kinds[code] = (now + _EVERY_S, 0)
        log.warning(
            "%s at %s: %s (from %s; %d since the last such line)", code, repr(path)[1:-1], detail, remote, count + 1,
            extra={"action": "request_refused"},
        )  # fmt: skip
