"""The migrations of a database: files of SQL whose names begin with the version that they lead to."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["numbered"]


def numbered(directory: Path) -> list[tuple[int, str]]:
    """(version, SQL) of each file in the directory, in order; versions count from 1 without gaps."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        match = re.match(r"(\d{4})_", path.name)
        assert match is not None, f"{path.name} does not begin with its version"
        found.append((int(match.group(1)), path.read_text(encoding="utf-8")))
    assert [version for version, _ in found] == list(range(1, len(found) + 1)), "migrations have gaps"
    return found
