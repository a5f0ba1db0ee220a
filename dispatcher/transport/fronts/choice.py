"""Chooses the front that listens: the fast one, or Tornado's own. To everybody else both are alike."""

from __future__ import annotations

from importlib.util import find_spec

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.doorkeeper import Doorkeeper
from dispatcher.transport.fronts.http import Front, make_http_server

__all__ = ["front_in_force", "make_server"]


def front_in_force(settings: Settings) -> str:
    """``fast`` or ``tornado``."""
    return settings.front or ("fast" if find_spec("httptools") else "tornado")


def make_server(front: Front, settings: Settings, *, max_body_size: int | None = None) -> Doorkeeper:
    """The server for ``front``. ``max_body_size`` is the application's (default: four times ``post_limit``)."""
    if front_in_force(settings) == "tornado":
        return make_http_server(front, settings, max_body_size=max_body_size)
    from dispatcher.transport.fronts.fast.server import make_fast_server  # httptools may not be installed

    return make_fast_server(front, settings, max_body_size=max_body_size)
