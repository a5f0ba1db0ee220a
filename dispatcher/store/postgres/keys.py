"""The keys of lanes and of what they require: short, however long their names are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from dispatcher.core.jobs.matching import lane_parts

__all__ = ["ALL_LANES", "lane_fields", "lane_key", "wanted_keys"]

#: Stands for all lanes together.
ALL_LANES = str(UUID(int=0))


@lru_cache(maxsize=16_384)
def lane_key(name: str) -> str:
    """The key of a lane: 128 bits of the SHA-256 of its name. Raises UnicodeEncodeError."""
    return _key(name)


def wanted_keys(wanted: Iterable[tuple[str, str]]) -> list[str]:
    """A key for each (label, value)."""
    return [_key(f"{len(label)} {label} {value}") for label, value in wanted]


def lane_fields(name: str, type_name: str, offered_at: float | None = None) -> dict[str, object]:
    """The row of a lane."""
    required = ((label, value) for label, values in lane_parts(name)[1] for value in values)
    return {
        "lane": lane_key(name), "name": name, "type": type_name, "wanted": wanted_keys(required),
        "offered_at": offered_at,
    }  # fmt: skip


def _key(text: str) -> str:
    return str(UUID(bytes=sha256(text.encode()).digest()[:16]))
