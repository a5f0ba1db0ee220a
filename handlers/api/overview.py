"""``/api/v1/overview``: how the server is doing, as the overview of the console shows it. docs/api.md describes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import asdict

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.views.overview import Overview, Present, TypeLine
from handlers.api.endingjson import summary_json
from handlers.api.jobjson import instant, type_json
from handlers.api.resources import ConsoleApiHandler
from handlers.overview.concern import Concern
from handlers.overview.concerns import concerns, sentence
from handlers.overview.counters import counters
from handlers.overview.looking import beside

__all__ = ["OverviewHandler"]

Json = dict[str, Any]
#: So many of those that are missed are named.
MOST_NAMED = 20


class OverviewHandler(ConsoleApiHandler):
    """Problems, counters, and the types that have most to do."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self) -> None:
        """All of it."""
        seen = await self.site.service.overview()
        found = concerns(seen, await beside(self.site, seen))
        self.answer(_overview_json(seen, found, self.site.prefix.link))

    head = get


def _overview_json(seen: Overview, found: list[Concern], link: Callable[[str], str]) -> Json:
    """``link``: how others must write an address of ours."""
    return {
        "at": instant(seen.at),
        "well": not found,
        "sentence": _plain(sentence(seen, found)),
        "problems": [_problem_json(concern, link) for concern in found],
        "counters": {counter.name: counter.number for counter in counters(seen)},
        "workers": _present_json(seen.present),
        "roll_call": _roll_json(seen.roll),
        "types": [_line_json(line) for line in seen.types],
        "more_types": seen.more_types,
    }


def _problem_json(concern: Concern, link: Callable[[str], str]) -> Json:
    return {
        "code": concern.code,
        "sentence": _plain(concern.words),
        "type": concern.type,
        "since": instant(concern.since),
        "links": {"console": link(concern.link)} if concern.link else {},
    }


def _line_json(line: TypeLine) -> Json:
    present = None if line.present is None else _present_json(line.present)
    return type_json(line.known) | {
        "waits_since": instant(line.since),
        "present": present,
        "ended": summary_json(line.hour),
    }


def _roll_json(roll: Roll) -> Json:
    missed = [{"name": one.name, "gone_at": instant(one.gone_at)} for one in roll.some[:MOST_NAMED]]
    return {"usual": roll.usual, "here": roll.here, "missed": missed}


def _present_json(present: Present) -> Json:
    return asdict(present)


def _plain(text: str) -> str:
    """For programs a blank is a blank, also one at which no page breaks a line."""
    return text.replace("\u00a0", " ")
