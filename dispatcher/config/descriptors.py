"""How many files and connections the operating system lets this process have."""

from __future__ import annotations

import contextlib

__all__ = ["descriptors"]


def descriptors() -> int:
    """How many descriptors this process may have; first raises its limit as far as it can."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 100_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft if soft != resource.RLIM_INFINITY else 100_000
