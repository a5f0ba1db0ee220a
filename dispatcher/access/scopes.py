"""What a principal may do, in five words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["Scope", "with_included"]


class Scope(StrEnum):
    """A kind of acts. An address names the scope that it needs; a token has some."""

    #: New jobs.
    SUBMIT = "submit"
    #: Jobs, results, workers and counters, as they are.
    READ = "read"
    #: Changes to jobs that are there: cancel, retry, decide, adopt.
    OPERATE = "operate"
    #: Everything, and tokens and backups.
    ADMIN = "admin"
    #: A worker page.
    WORKER = "worker"


_INCLUDED = {Scope.ADMIN: frozenset(Scope), Scope.OPERATE: frozenset({Scope.OPERATE, Scope.READ})}


def with_included(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """These scopes and those that they include: ``admin`` all, ``operate`` also ``read``."""
    return frozenset().union(*(_INCLUDED.get(scope, frozenset({scope})) for scope in scopes))
