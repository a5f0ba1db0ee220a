"""Pagehand: hands jobs to workers that are web pages.

This package is what users see of an installation: the client (``from pagehand import Client``), the command line, and
the programs behind it. It uses only the standard library and itself. The server lies beside it, in ``pagehand/_app``;
this package imports it only to run it (``pagehand serve``).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.client import Batch, Client, Job
    from .client.errors import (
        BadConfig,
        ChangesMissed,
        Draining,
        Forbidden,
        Invalid,
        JobCancelled,
        JobExpired,
        JobFailed,
        JobInDoubt,
        JobTimeout,
        JobUnsuccessful,
        KeyConflict,
        NotFound,
        NotPagehand,
        PagehandClientError,
        QueueFull,
        RequestRefused,
        StorageFull,
        TooLarge,
        Unauthorized,
        Unavailable,
        Unreachable,
        WrongState,
    )
    from .client.executor import Executor
    from .client.futures import JobFuture
    from .client.together import Waited
    from .client.twin import AsyncBatch, AsyncClient, AsyncJob

__all__ = [
    "AsyncBatch",
    "AsyncClient",
    "AsyncJob",
    "BadConfig",
    "Batch",
    "ChangesMissed",
    "Client",
    "Draining",
    "Executor",
    "Forbidden",
    "Invalid",
    "Job",
    "JobCancelled",
    "JobExpired",
    "JobFailed",
    "JobFuture",
    "JobInDoubt",
    "JobTimeout",
    "JobUnsuccessful",
    "KeyConflict",
    "NotFound",
    "NotPagehand",
    "PagehandClientError",
    "QueueFull",
    "RequestRefused",
    "StorageFull",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Waited",
    "WrongState",
    "__version__",
]

#: The same as the server's; ``tests/test_packaging.py`` checks that.
__version__ = "0.1.0"

#: Where the names of the client are, if not among its errors.
_PLACES = {
    "AsyncBatch": "twin",
    "AsyncClient": "twin",
    "AsyncJob": "twin",
    "Batch": "client",
    "Client": "client",
    "Executor": "executor",
    "Job": "client",
    "JobFuture": "futures",
    "Waited": "together",
}


def __getattr__(name: str) -> Any:
    """The client is loaded when it is first asked for: the command line does without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".client.{_PLACES.get(name, 'errors')}", __name__)
    return getattr(module, name)
