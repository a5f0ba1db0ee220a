"""Makes the core as the settings have it."""

from __future__ import annotations

import random

from dispatcher.config.settings import Settings
from dispatcher.core.workers.machine import Machine
from dispatcher.core.workers.retry import RetryPolicy
from dispatcher.core.workers.timings import Timings

__all__ = ["make_machine"]


def make_machine(settings: Settings, rng: random.Random, *, shared: bool = False) -> Machine:
    """A machine without workers; ``rng`` gives the jitter of backoffs; ``shared``: other nodes may have the store."""
    names = ("offer_ttl_s", "reconnect_grace_s", "restart_grace_s", "reload_after_s")
    timings = Timings(**{name: getattr(settings, name) for name in names})
    retry = RetryPolicy(base_s=settings.backoff_base_s, max_s=settings.backoff_max_s)
    return Machine(timings=timings, retry=retry, rng=rng, shared=shared)
