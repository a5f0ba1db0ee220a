"""What the store's tests have: a directory in memory."""

from __future__ import annotations

from tests.store.conftest import quick_path

__all__ = ["quick_path"]
