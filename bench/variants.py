"""The lines of the benchmark: what is measured, with which load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["TEMPLATES", "VARIANTS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """One line of the table."""

    name: str
    #: What is measured: ``pagehand``, ``postgres`` for several of it on one database or for the database alone, its
    #: transport's ``echo``, ``node`` for its engine.io, or a kind of ``floors.py``.
    server: str
    #: The load generator's orders.
    load: dict[str, Any]
    #: The prepared store that the server starts with, of ``TEMPLATES``.
    store: str = ""
    #: Whether it runs in the first round only, because it takes long.
    once: bool = False
    #: On PostgreSQL: so many nodes on one database.
    nodes: int = 0
    #: The share of a core that each node has; 0: as much as there is.
    share: float = 0


_ECHO = {"mode": "echo", "workers": 16}
_SOCKET_ECHO = {**_ECHO, "transport": "websocket"}
_JOBS = {"mode": "jobs", "workers": 16}
_SOCKETS = {**_JOBS, "transport": "websocket"}
_FULL = {**_JOBS, "workers": 32, "slots": 16, "quick": True}
#: Two nodes with so much of a core each leave one to their database.
_SHARE = 0.4
_TYPES = {**_JOBS, "types": 1_000, "quick": True}
#: Orders that prepare a store; each store is made once through the API, and copied for each run.
TEMPLATES: dict[str, dict[str, Any]] = {
    "queued": {"mode": "prefill"},
    "types": {"mode": "prefill", "types": 1_000},
    "rare": {"mode": "prepare-rare"},
}
_ONE = {"mode": "latency", "workers": 1, "slots": 1, "quick": True}
#: Four jobs a second: so few hints between nodes that none of them waits.
_RESTED = {"rests": True, "jobs": 60}
_RARE = {"mode": "rare", "workers": 1, "slots": 1, "quick": True}
VARIANTS = (
    Variant("bare", "bare", {"mode": "pairs", "workers": 16}),
    Variant("engineio", "engineio", _ECHO),
    Variant("engineio-default", "engineio-default", _ECHO),
    Variant("ws-engineio", "engineio-websocket", _SOCKET_ECHO),
    Variant("node-engineio", "node", _ECHO),
    Variant("ws-node-engineio", "node", _SOCKET_ECHO),
    Variant("echo", "echo", _ECHO),
    Variant("ws-echo", "echo", _SOCKET_ECHO),
    Variant("slots1-quick", "pagehand", {**_JOBS, "slots": 1, "quick": True}, store="queued"),
    Variant("slots1-accepted", "pagehand", {**_JOBS, "slots": 1, "quick": False}, store="queued"),
    Variant("slots16-quick", "pagehand", {**_JOBS, "slots": 16, "quick": True}, store="queued"),
    Variant("slots16-accepted", "pagehand", {**_JOBS, "slots": 16, "quick": False}, store="queued"),
    Variant("ws-slots1-quick", "pagehand", {**_SOCKETS, "slots": 1, "quick": True}, store="queued"),
    Variant("ws-slots1-accepted", "pagehand", {**_SOCKETS, "slots": 1, "quick": False}, store="queued"),
    Variant("pg-bare", "postgres", {"mode": "bare", "slots": 64}),
    Variant("pg-slots1-quick", "postgres", {**_JOBS, "slots": 1, "quick": True}, store="queued", nodes=1),
    Variant("pg-slots16-quick", "postgres", {**_JOBS, "slots": 16, "quick": True}, store="queued", nodes=1),
    Variant("pg-two-slots16-quick", "postgres", {**_JOBS, "slots": 16, "quick": True}, store="queued", nodes=2),
    Variant("pg-two-slots16-full", "postgres", _FULL, store="queued", nodes=2),
    Variant("pg-slots16-share", "postgres", {**_FULL, "workers": 16}, store="queued", nodes=1, share=_SHARE),
    Variant("pg-two-slots16-share", "postgres", _FULL, store="queued", nodes=2, share=_SHARE),
    Variant("pg-intake", "postgres", {"mode": "intake", "workers": 16}, nodes=1),
    Variant("pg-latency-quick", "postgres", _ONE, nodes=1),
    Variant("pg-two-latency-quick", "postgres", {**_ONE, "across": True}, nodes=2),
    Variant("pg-latency-rested", "postgres", {**_ONE, **_RESTED}, nodes=1, once=True),
    Variant("pg-two-latency-rested", "postgres", {**_ONE, **_RESTED, "across": True}, nodes=2, once=True),
    Variant("pg-claims", "postgres", {"mode": "claims"}, once=True),
    Variant("types1000-slots1", "pagehand", {**_TYPES, "slots": 1}, store="types"),
    Variant("types1000-slots16", "pagehand", {**_TYPES, "slots": 16}, store="types"),
    Variant("intake", "pagehand", {"mode": "intake", "workers": 16}),
    Variant("batch", "pagehand", {"mode": "intake", "workers": 2, "batch": 1_000}),
    Variant("latency-quick", "pagehand", _ONE),
    Variant("latency-accepted", "pagehand", {"mode": "latency", "workers": 1, "slots": 1, "quick": False}),
    Variant("rare", "pagehand", _RARE, store="rare"),
    Variant("idle-few", "pagehand", {"mode": "idle", "pages": 10}, once=True),
    Variant("idle-many", "pagehand", {"mode": "idle"}, once=True),
    Variant("ws-idle-many", "pagehand", {"mode": "idle", "transport": "websocket"}, once=True),
    Variant("steady", "pagehand", {"mode": "steady"}, once=True),
    Variant("ws-steady", "pagehand", {"mode": "steady", "transport": "websocket"}, once=True),
)
