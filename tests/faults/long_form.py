"""Says whether the faults run in their long form: with the catalogue's times and numbers, not smaller ones."""

from __future__ import annotations

import os

__all__ = ["LONG"]

LONG = os.environ.get("PAGEHAND_FAULTS") == "long"
