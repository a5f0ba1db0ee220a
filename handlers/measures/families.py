"""The names, kinds and words of all metrics: a look at the node as Prometheus's families. Pure.

Names follow https://prometheus.io/docs/practices/naming: base units, ``_total`` on what only grows. A label has few
values: types beyond those that are counted by name stand together as ``(other)``. There is no label for a worker or a
job.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from dispatcher import __version__
from dispatcher.core.jobs.views.measures import Measures, TurnTimes

__all__ = ["families"]


def families(look: Measures, answers: Mapping[tuple[int, str], int]) -> Iterator[Metric]:
    """All metrics but those of the process. ``answers``: HTTP answers by status and code of their problem."""
    yield InfoMetricFamily(
        "pagehand_build", "The versions that run.", {"version": __version__, "python": platform.python_version()}
    )
    yield from _jobs(look)
    yield _turns(look.turns)
    yield from _pages(look)
    yield from _limits(look)
    yield _gauge("pagehand_webhook_messages", "Messages of webhooks now: pending or dead.", "state",
                 _single(look.webhook_messages))  # fmt: skip
    yield _gauge("pagehand_webhook_oldest_seconds", "How long the oldest message of webhooks has waited; 0: none does.",
                 "", {(): look.webhook_oldest_s})  # fmt: skip
    yield _counter("pagehand_webhook_attempts", "Attempts to send them since the start.", "outcome",
                   _single(look.webhook_attempts))  # fmt: skip
    yield _counter("pagehand_changes", "Changes of jobs that were told since the start.", "", {(): look.changes})
    yield _gauge("pagehand_change_followers", "Clients that follow the changes now (--waiters is the most).", "",
                 {(): look.followers})  # fmt: skip
    yield _counter("pagehand_change_gaps", "Times that a follower was told of missing changes (--events-kept).", "",
                   {(): look.gaps})  # fmt: skip
    yield _counter("pagehand_answers", "HTTP answers by status; the code of a refusal, else empty.", "status code",
                   {(str(status), code): count for (status, code), count in answers.items()})  # fmt: skip


def _jobs(look: Measures) -> Iterator[Metric]:
    yield _gauge("pagehand_jobs", "Jobs in the store now.", "type state", look.jobs)
    yield _counter("pagehand_jobs_submitted", "Jobs taken since the start.", "type", _single(look.submitted))
    yield _counter("pagehand_attempts_offered", "Tries offered to a page since the start.", "type",
                   _single(look.offered))  # fmt: skip
    yield _counter("pagehand_jobs_settled", "Jobs that ended, or came to be in doubt, since the start.", "type state",
                   {(name, str(state)): count for (name, state), count in look.settled.items()})  # fmt: skip
    yield _gauge("pagehand_attempts", "Tries that pages have now.", "", {(): look.busy})


def _turns(times: TurnTimes) -> Metric:
    family = HistogramMetricFamily("pagehand_turn_duration_seconds", "From handing a turn to the store until it holds.")
    bounds = [*(f"{bound:g}" for bound in times.bounds_s), "+Inf"]
    family.add_metric([], list(zip(bounds, accumulate(times.turns), strict=True)), times.took_s)
    return family


def _pages(look: Measures) -> Iterator[Metric]:
    yield _gauge("pagehand_workers", "Workers that this server knows, by state.", "state", _single(look.workers))
    yield _gauge("pagehand_sessions", "Sessions of pages, by what carries them.", "transport", _single(look.sessions))
    yield _counter("pagehand_transport_events", "What happened on the pages' transport since the start.", "event",
                   _single(look.transport))  # fmt: skip


def _limits(look: Measures) -> Iterator[Metric]:
    one: dict[str, tuple[str, float]] = {
        "pagehand_waiting_requests": ("Requests that wait for results (--waiters is the most).", look.waiting_requests),
        "pagehand_intake_jobs": ("Jobs that wait to be stored (--intake-queue is the most).", look.intake_jobs),
        "pagehand_intake_bytes": ("Bytes of their data (--intake-bytes is the most).", look.intake_bytes),
        "pagehand_takes_jobs": ("1 while the server takes jobs, else 0: /readyz says why.", look.takes_jobs),
        "pagehand_draining": ("1 while the server stops.", look.draining),
        "pagehand_store_has_space": ("1 while the store's disk has room for new jobs.", look.has_space),
    }
    for name, (words, value) in one.items():
        yield _gauge(name, words, "", {(): value})


def _single(values: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {(label,): value for label, value in values.items()}


def _gauge(name: str, words: str, labels: str, values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels.split())
    for label, value in sorted(values.items()):
        family.add_metric(label, float(value))
    return family


def _counter(name: str, words: str, labels: str, values: Mapping[Any, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels.split())
    for label, value in sorted(values.items()):
        family.add_metric(label, value)
    return family
