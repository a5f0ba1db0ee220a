"""The list of types: those of the store and of the shipped tasks, and how many workers offer each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from msgspec.structs import replace

from dispatcher.core.jobs.acts.kept import KeptType
from dispatcher.core.jobs.model import TypeFilter, TypePage, TypeView
from dispatcher.core.workers.machine import Machine
from dispatcher.node.views.cursors import cursor_of, place_of

__all__ = ["after", "page", "unnamed", "view", "with_shipped"]


def after(wanted: TypeFilter) -> str | None:
    """The type after which the page begins; None on the first page. Raises BadParameter for a bad cursor."""
    return None if wanted.cursor is None else place_of(wanted.cursor, 1)[0]


def with_shipped(known: list[TypeView], shipped: Iterable[str], wanted: TypeFilter) -> list[TypeView]:
    """A slice of the store's types, with the shipped tasks in its range that no job or worker has named yet."""
    names, behind = {view.type for view in known}, after(wanted) or ""
    fitting = (name for name in shipped if name.startswith(wanted.prefix) and name > behind)
    new = [unnamed(name) for name in fitting if name not in names]
    return sorted([*known, *new], key=attrgetter("type")) if new else known


def unnamed(name: str) -> TypeView:
    """A type that no job and no worker has named yet."""
    return TypeView(type=name, offered_at=None, counts={})


def view(known: TypeView, machine: Machine) -> TypeView:
    """A type with what the node knows of it."""
    kept = machine.operators.types.get(known.type) or KeptType(type=known.type)
    return replace(
        known, workers=machine.offering(known.type), paused=kept.paused, defaults=kept.defaults,
        unloaded=machine.unloaded(known.type),
    )  # fmt: skip


def page(known: list[TypeView], wanted: TypeFilter, machine: Machine) -> TypePage:
    """The first of these types; ``known`` has more if there are more."""
    shown = [view(one, machine) for one in known[: wanted.limit]]
    return TypePage(items=shown, next_cursor=cursor_of(shown[-1].type) if len(known) > wanted.limit else None)
