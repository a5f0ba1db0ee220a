"""The error of a bug that cannot be planted."""

from __future__ import annotations

__all__ = ["Misfit"]


class Misfit(Exception):
    """The source has no place for a bug, or its text does not occur exactly once: the bug must be planted anew."""
