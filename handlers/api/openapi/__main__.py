"""``python -m handlers.api.openapi > docs/openapi.json``: writes the description as the repository keeps it."""

from __future__ import annotations

import json
from typing import Any, cast

from dispatcher.config.settings import Settings
from handlers.api.openapi.document import described
from handlers.guard import Guard
from handlers.routes import TaskDirectory, routes, shipped_tasks

__all__ = ["snapshot"]


def snapshot() -> str:
    """The description of a server with the usual settings."""
    nobody = cast(Any, None)  # no route asks its service before there is a request
    specs = routes(nobody, Settings(), TaskDirectory(shipped_tasks()), guard=Guard(Settings()))
    return json.dumps(described(specs), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(snapshot(), end="")
