"""Where the project lies, and the environment of the programs that tests start."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["ROOT", "environment"]

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Our environment without the settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAGEHAND_")}
    return kept | {"PYTHONPATH": str(ROOT)}
