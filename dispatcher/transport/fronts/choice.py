"""Chooses the front that listens: the fast one, or Tornado's own. To everybody else both are alike."""

from __future__ import annotations

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.doorkeeper import Doorkeeper
from dispatcher.transport.fronts.http import Front, make_http_server

__all__ = ["make_server"]


def make_server(front: Front, settings: Settings, *, max_body_size: int | None = None) -> Doorkeeper:
    """The server for ``front``. ``max_body_size`` is the application's (default: four times ``post_limit``)."""
    if settings.front_in_force == "tornado":
        return make_http_server(front, settings, max_body_size=max_body_size)
    from dispatcher.transport.fronts.fast.server import make_fast_server  # httptools may not be installed

    return make_fast_server(front, settings, max_body_size=max_body_size)
