"""Whether the faults are tried in their long form: with the times and numbers of the catalogue, not smaller ones."""

from __future__ import annotations

import os

__all__ = ["LONG"]

LONG = os.environ.get("PAGEHAND_FAULTS") == "long"
