"""The values that every handler works with, and where the files lie. Knows no route."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.clock import Clock
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.terms import Terms
from handlers.guard import Guard
from handlers.prefix import Prefix
from handlers.worker.tasks import TaskDirectory

if TYPE_CHECKING:
    from dispatcher.node.service import Dispatcher

__all__ = ["STATIC", "TEMPLATES", "Site", "asset"]

STATIC = Path(__file__).resolve().parent.parent / "static"
TEMPLATES = Path(__file__).resolve().parent / "console" / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Handed to each handler's ``initialize``."""

    service: Dispatcher
    settings: Settings
    tasks: TaskDirectory
    guard: Guard
    clock: Clock
    prefix: Prefix
    #: HTTP answers since the start, by status and the code of their problem; the code is empty if there is none.
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)

    def terms_of(self, type_name: str) -> Terms:
        """The terms that a new job of this type has where its submitter names none."""
        return self.service.types.terms_of(type_name, self.settings.terms)


def asset(name: str) -> str:
    """The address of a static file, with its version, so that it may be cached for ever."""
    path = STATIC / name
    return f"/static/{name}?v={_version(path, path.stat().st_mtime_ns)}"


@lru_cache(maxsize=64)
def _version(path: Path, _changed_ns: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]
