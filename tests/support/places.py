"""Where the project lies, and the environment of the programs that tests start."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["FRONT", "ROOT", "environment", "is_test"]

#: ``PAGEHAND_FRONT=tornado`` makes all servers of the tests listen with that front.
FRONT = "PAGEHAND_FRONT"
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Our environment without the settings of the person who runs the tests, but for the front that is to be tested."""
    kept = {name: value for name, value in os.environ.items() if name == FRONT or not name.startswith("PAGEHAND_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def is_test(named: str) -> bool:
    """Whether there is a test of this name: ``file::test``, the file under tests/."""
    file, _, test = named.partition("::")
    path = ROOT / "tests" / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return bool(test) and re.search(rf"^ *(?:async )?def {re.escape(test)}\(", text, re.MULTILINE) is not None
