"""The list of types: those of the store and of the shipped tasks, and how many workers offer each. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import islice
from operator import attrgetter

from msgspec.structs import replace

from dispatcher.core.fleet.roster import Roster
from dispatcher.core.jobs.model import TypeFilter, TypePage, TypeView
from dispatcher.node.cursors import cursor_of, place_of

__all__ = ["page", "unserved", "with_shipped"]

_name = attrgetter("type")


def with_shipped(known: list[TypeView], shipped: Iterable[str]) -> list[TypeView]:
    """The store's types, which are in order, and those of shipped tasks that no job or worker has named yet."""
    new = [name for name in shipped if not _knows(known, name)]
    if not new:
        return known
    return sorted([*known, *(TypeView(type=name, offered_at=None, counts={}) for name in new)], key=_name)


def _knows(known: list[TypeView], name: str) -> bool:
    index = bisect_left(known, name, key=_name)
    return index < len(known) and known[index].type == name


def page(known: list[TypeView], wanted: TypeFilter, roster: Roster) -> TypePage:
    """A slice of the types. Raises BadRequest for a cursor that is not ours."""
    start = bisect_left(known, wanted.prefix, key=_name)
    if wanted.cursor is not None:
        start = max(start, bisect_right(known, place_of(wanted.cursor, 1)[0], key=_name))
    fitting = [view for view in known[start : start + wanted.limit + 1] if view.type.startswith(wanted.prefix)]
    shown = [replace(view, workers=roster.offering(view.type)) for view in fitting[: wanted.limit]]
    more = len(fitting) > wanted.limit
    return TypePage(items=shown, next_cursor=cursor_of(shown[-1].type) if more else None)


def unserved(known: list[TypeView], roster: Roster, most: int) -> list[TypeView]:
    """The first of the types that jobs wait for and no worker offers."""
    waiting = (view for view in known if view.counts.get("queued") and not roster.offering(view.type))
    return list(islice(waiting, most))
