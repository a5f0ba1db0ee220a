"""Gives these tests the fixture of the store's tests: a directory in memory."""

from __future__ import annotations

from tests.store.conftest import quick_path

__all__ = ["quick_path"]
