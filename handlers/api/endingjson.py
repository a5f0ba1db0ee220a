"""How jobs have ended, as JSON. docs/api.md describes it."""

from __future__ import annotations

from typing import Any

from dispatcher.core.jobs.views.endings import Endings, Summary
from dispatcher.core.jobs.views.histograms import Histogram, quantile_s
from handlers.api.jobjson import instant

__all__ = ["summary_json"]

Json = dict[str, Any]


def summary_json(summary: Summary) -> Json:
    """The whole window, and the steps in which a job ended."""
    steps, share = summary.steps, summary.total.failed_percent
    return {
        "type": summary.type or None,
        "window_ms": steps.window_s * 1_000,
        "step_ms": steps.step_s * 1_000,
        "from": instant(steps.first),
        "until": instant(steps.until),
        "per_hour": round(summary.per_hour, 3),
        "failed_percent": None if share is None else round(share, 3),
        **_endings(summary.total),
        "points": [{"at": instant(start)} | _endings(endings) for start, endings in summary.points],
    }


def _endings(endings: Endings) -> Json:
    return {
        "succeeded": endings.succeeded,
        "failed": endings.failed,
        "cancelled": endings.cancelled,
        "expired": endings.expired,
        "wait": _durations(endings.wait),
        "run": _durations(endings.run),
    }


def _durations(histogram: Histogram) -> Json:
    return {"n": sum(histogram.values()), "p50_ms": _ms(histogram, 0.5), "p95_ms": _ms(histogram, 0.95)}


def _ms(histogram: Histogram, quantile: float) -> int | None:
    found = quantile_s(histogram, quantile)
    return None if found is None else round(found * 1_000)
