"""The fixture as it is where the package is installed: there pytest finds it by itself."""

from __future__ import annotations

from dispatcher.sdk.testing.plugin import pagehand

__all__ = ["pagehand"]
