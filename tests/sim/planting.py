"""How a bug is planted: one function of the product is replaced while a control runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

__all__ = ["instead"]


def instead(owner: Any, name: str, other: Callable[..., Any]) -> Callable[[], AbstractContextManager[Any]]:
    """A bug that replaces one function: ``other`` gets the real function, then its arguments."""
    real = getattr(owner, name)
    return lambda: mock.patch.object(owner, name, lambda *args, **kwargs: other(real, *args, **kwargs))
