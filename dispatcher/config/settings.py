"""Every setting of the server: its unit, range, default and meaning, once.

``Settings`` holds checked values; a value out of range raises SettingError (nothing is clamped). This module must
not know where values come from (``sources.py``) or which of them contradict each other (``checks.py``).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dispatcher.core.jobs.terms import Terms, range_of
from dispatcher.errors import SettingError
from dispatcher.webhooks.targets import AllowedTargets, allowed_callbacks, allowed_targets

__all__ = ["Settings", "out_of_range", "settings_fields"]


def _number(default: float, unit: str, low: float, high: float, text: str, group: str) -> Any:
    meta = {"unit": unit, "low": low, "high": high, "help": text, "group": group}
    return field(default=default, metadata=meta)


def _plain(default: object, text: str, group: str) -> Any:
    return field(default=default, metadata={"help": text, "group": group})


def _of_terms(name: str, text: str) -> Any:
    """A default that a job's submitter may overrule; it has the range of the job's term."""
    allowed = range_of(name)
    unit = "s" if name.endswith("_s") else ""
    return _number(getattr(Terms(), name), unit, allowed.low, allowed.high, text, "jobs")


_DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked settings. Durations are seconds, sizes are bytes."""

    port: int = _number(8888, "", 0, 65_535, "port to listen on; 0 picks a free one", "server")
    bind: str = _plain("127.0.0.1", "address to listen on; beyond loopback a token is needed", "server")
    store: str = _plain(
        "",
        "where jobs are kept: sqlite:///path/to/file.db, postgresql://USER@HOST/DATABASE, or memory: for trials",
        "server",
    )
    node: str = _plain(
        "main", "name of this server among those that share one PostgreSQL database; each has its own", "server"
    )
    tasks: str = _plain("", "directory of task files; default: the tasks that are shipped", "server")
    token: str = _plain("", "shared secret that API, form and joining pages must show", "server")
    insecure: bool = _plain(False, "listen beyond loopback without a token", "server")
    isolate: bool = _plain(
        False, "a token that submits jobs may know of its own alone, and has idempotency keys of its own", "server"
    )
    transports: str = _plain(
        "polling,websocket",
        "how pages may connect: polling,websocket lets each page choose; polling forces long-polling on all",
        "pages",
    )
    allow_host: tuple[str, ...] = _plain(
        (), "host name that requests may name, besides loopback; may be repeated", "server"
    )
    public_url: str = _plain(
        "",
        "address that people and pages use, if a proxy stands in front: https://jobs.example or https://host/jobs/",
        "server",
    )
    hsts_s: int = _number(
        0,
        "s",
        0,
        63_072_000,
        "browsers reach the name in --public-url over TLS alone for so long, on every port; 0: nothing is said",
        "server",
    )
    env_label: str = _plain(
        "", "which server this is, in a word that each page of the console shows: PROD, Test 2", "server"
    )
    allow_origin: tuple[str, ...] = _plain(
        (),
        "other origin whose pages may load a worker and use the API (with a token also null or app://name); "
        "may be repeated",
        "server",
    )
    host_call: tuple[str, ...] = _plain(
        (), "method of window.external that host-call may call; may be repeated", "server"
    )
    front: str = _plain(
        "", "what reads HTTP: fast or tornado; default: fast where httptools is installed, else tornado", "server"
    )
    log_format: str = _plain("text", "form of the log's lines: text, or json with one object in each line", "server")
    webhook_allow: tuple[str, ...] = _plain(
        (),
        "what webhooks may reach beyond the internet: a host, host:port, or a network like 10.0.0.0/8; may be repeated",
        "server",
    )
    callback_host: tuple[str, ...] = _plain(
        (),
        "host (at 80, 443 and the port named) that a callback_url may lead to; may be repeated; none: no callbacks",
        "server",
    )
    callback_secret: str = _plain("", "signs callbacks: whsec_ and the base64 of 24 to 64 random bytes", "server")
    drain_s: float = _number(25.0, "s", 0.1, 3_600, "how long SIGTERM waits for running jobs", "server")

    job_timeout_s: float = _of_terms("timeout_s", "timeout of an attempt, from its accept")
    max_attempts: int = _of_terms("max_attempts", "attempts that may end in an error or a timeout")
    max_crashes: int = _of_terms("max_crashes", "attempts that may be lost with their page")
    backoff_base_s: float = _number(1.0, "s", 0.1, 3_600, "backoff is this times 2^n, 20 % jitter", "jobs")
    backoff_max_s: float = _number(300.0, "s", 0.1, _DAY_S, "the longest backoff", "jobs")
    late_accept: bool = _plain(
        True,
        "record a late result, if its job still waits; --no-late-accept: keep it as evidence",
        "jobs",
    )
    search: bool = _plain(
        True,
        "keep an index of the words in data, results, errors and summaries, by which a search is fast; "
        "for a short job it costs some 30 microseconds and 60 to 100 bytes",
        "jobs",
    )
    retention_s: float = _number(7 * _DAY_S, "s", 60.0, 3_650 * _DAY_S, "how long ended jobs are kept", "jobs")

    audit_retention_s: float = _number(
        365 * _DAY_S, "s", _DAY_S, 3_650 * _DAY_S, "how long the audit log keeps what was done", "server"
    )
    audit_kept: int = _number(
        200_000, "acts", 1_000, 100_000_000, "most acts that the audit log keeps; the oldest go", "server"
    )
    webhook_backlog: int = _number(
        100_000, "messages", 1_000, 10_000_000, "most that wait for one webhook; beyond, the first due die", "server"
    )
    worker_retention_s: float = _number(
        30 * _DAY_S, "s", 60.0, 3_650 * _DAY_S, "how long a worker that has gone stays in the list", "pages"
    )
    offer_ttl_s: float = _number(10.0, "s", 0.1, 3_600, "an offer that is not accepted in time lapses", "pages")
    reconnect_grace_s: float = _number(30.0, "s", 0.1, _DAY_S, "how long a page may be away", "pages")
    restart_grace_s: float = _number(60.0, "s", 0.1, _DAY_S, "the same after a restart of the server", "pages")
    reload_after_s: float = _number(60.0, "s", 0.1, _DAY_S, "an unanswered cancel makes the page reload", "pages")
    ping_interval_s: float = _number(
        20.0, "s", 0.1, 300, "time between pings to a page; proxies cut idle requests at 30 and 60 s", "pages"
    )
    ping_timeout_s: float = _number(
        20.0,
        "s",
        0.1,
        300,
        "a page that answers no ping for this long gets no jobs until it is heard of again",
        "pages",
    )

    backup_dir: str = _plain("", "directory for backups; default: backups, beside the store's file", "server")
    backups_kept: int = _number(7, "", 1, 1_000, "how many backups are kept; the oldest go", "server")

    body_limit: int = _number(1 << 20, "bytes", 1_024, 16 << 20, "largest data and largest result", "limits")
    poll_limit: int = _number(2 << 20, "bytes", 65_536, 64 << 20, "largest poll answer", "limits")
    packet_limit: int = _number(1_024, "", 16, 65_536, "packets in one POST of a page", "limits")
    queue_depth: int = _number(1_000_000, "jobs", 1, 100_000_000, "most open jobs", "limits")
    queue_bytes: int = _number(8 << 30, "bytes", 1 << 20, 1 << 40, "most bytes of open jobs' data", "limits")
    most_types: int = _number(10_000, "", 1, 1_000_000, "most types of jobs that are known", "limits")
    low_disk: int = _number(
        64 << 20, "bytes", 0, 1 << 40, "with less room on the store's disk the server takes no new jobs", "limits"
    )
    store_check_s: float = _number(
        5.0, "s", 0.1, 60, "how often an idle server checks its store's file and disk", "limits"
    )
    sessions: int = _number(0, "", 0, 100_000, "most connected pages; 0: min(12000, (descriptors - 200) / 2)", "limits")
    waiters: int = _number(
        10_000,
        "",
        1,
        1_000_000,
        "most requests that wait for results; as many may follow changes, and as many read whole lists",
        "limits",
    )
    wrong_tokens: int = _number(
        20, "in a minute", 1, 100_000, "most different wrong tokens from one address, until it must wait", "limits"
    )
    events_kept: int = _number(
        20_000, "changes", 16, 1_000_000, "most changes kept in memory for those who follow them", "limits"
    )
    intake_queue: int = _number(4_096, "", 1, 1_000_000, "most jobs that wait to be stored", "limits")
    intake_bytes: int = _number(
        128 << 20, "bytes", 1 << 20, 1 << 40, "most bytes of jobs that wait to be stored", "limits"
    )

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            _check(item, getattr(self, item.name))

    @cached_property
    def terms(self) -> Terms:
        """The terms of a job whose submitter sets none."""
        return Terms(timeout_s=self.job_timeout_s, max_attempts=self.max_attempts, max_crashes=self.max_crashes)

    @cached_property
    def allowed_targets(self) -> AllowedTargets:
        """What webhooks may reach beyond the internet. Raises ValueError if ``webhook_allow`` is not as it must be."""
        return allowed_targets(self.webhook_allow)

    @cached_property
    def allowed_callbacks(self) -> AllowedTargets:
        """Where callbacks of jobs may go. Raises ValueError if ``callback_host`` is not as it must be."""
        return allowed_callbacks(self.callback_host)

    @cached_property
    def public_path(self) -> str:
        """The path of ``public_url``, as ``/jobs``; empty where it has none."""
        path = self.public_url.partition("://")[2].partition("/")[2].strip("/")
        return f"/{path}" if path else ""

    @property
    def post_limit(self) -> int:
        """The largest body of an Engine.IO POST: a result and what goes with it."""
        return self.body_limit + 65_536


def _check(item: dataclasses.Field[Any], value: object) -> None:
    if reason := out_of_range(item, value):
        raise SettingError(f"{item.name} {reason}")


def out_of_range(item: dataclasses.Field[Any], value: object) -> str | None:
    """Why a setting cannot have this value, in words that follow its name; None if it can."""
    if "low" not in item.metadata:
        return None
    low, high, unit = item.metadata["low"], item.metadata["high"], item.metadata["unit"]
    kinds = (int,) if item.type == "int" else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high:
        return None
    whole = "a whole number " if item.type == "int" else ""
    suffix = f" {unit}" if unit else ""
    return f"must be {whole}between {low:.15g} and {high:.15g}{suffix}, not {value!r}"


def settings_fields() -> tuple[dataclasses.Field[Any], ...]:
    """The settings in their order, each with its metadata: unit, low, high, help, group."""
    return dataclasses.fields(Settings)
