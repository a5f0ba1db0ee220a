"""What a store is told of the settings."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict

import server
from dispatcher.config.settings import Settings, settings_fields


def _other(item: Any) -> object:
    """A value that is not the default."""
    if "low" in item.metadata:
        return item.metadata["low"] if item.default != item.metadata["low"] else item.metadata["high"]
    return not item.default if isinstance(item.default, bool) else "elsewhere"


def test_every_limit_of_a_store_comes_from_its_setting() -> None:
    plain = asdict(server.store_limits(Settings()))
    names = {name: "low_disk" if name == "low_disk_bytes" else name for name in plain}
    wanted = {item.name: _other(item) for item in settings_fields() if item.name in names.values()}
    told = asdict(server.store_limits(Settings(**wanted)))  # type: ignore[arg-type]
    assert told == {name: wanted[names[name]] for name in plain}
