"""The fixture ``pagehand``. pytest finds it by itself where the package is installed (entry point ``pytest11``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .trial import Trial

__all__ = ["pagehand"]


@pytest.fixture
def pagehand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """A Pagehand for this test alone. A ``Client()`` without an address finds it, and no other one."""
    from .trial import serve  # for tests that use it: all others start as fast as before

    for name in ("PAGEHAND_TOKEN", "PAGEHAND_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    with serve() as trial:
        monkeypatch.setenv("PAGEHAND_URL", trial.url)
        yield trial
