"""All checks in their order, and how their findings are shown. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from textwrap import fill

from . import farm, gate, way
from .findings import Finding, Level
from .seen import Sighting

__all__ = ["as_json", "as_text", "examine", "exit_status"]

Check = Callable[[Sighting], Iterator[Finding]]

_ALWAYS: tuple[Check, ...] = (gate.port,)
_CONNECTED: tuple[Check, ...] = (gate.pagehand,)
_REACHED: tuple[Check, ...] = (
    gate.token, gate.clock, way.host, way.cache, way.script, way.buffering, way.waiting, way.page_polls, way.websocket,
    farm.store, farm.descriptors, farm.types, farm.pages, farm.refusals,
)  # fmt: skip
_WIDTH = 100
_MARGIN = " " * 21


def examine(seen: Sighting) -> list[Finding]:
    """Whatever the checks find; those that make no sense yet are left out."""
    checks = _ALWAYS
    if seen.doorstep.mishap is None:
        checks += _CONNECTED
        if gate.is_pagehand(seen):
            checks += _REACHED
    return list(chain.from_iterable(check(seen) for check in checks))


def exit_status(seen: Sighting, findings: Iterable[Finding]) -> int:
    """0: nothing is wrong. 1: something is. 4: no answer of Pagehand's came."""
    if seen.doorstep.mishap is not None or not gate.is_pagehand(seen):
        return 4
    return int(any(finding.level is Level.WRONG for finding in findings))


def as_text(findings: list[Finding]) -> str:
    """For people."""
    lines = []
    for finding in findings:
        word = finding.level.value.upper() if finding.level is Level.WRONG else finding.level.value
        lines.append(_wrapped(finding.says, f"{word:<8} {finding.check:<12}"))
        if finding.mend:
            lines.append(_wrapped(finding.mend, _MARGIN + "-> ", _MARGIN + "   "))
    count = sum(finding.level is Level.WRONG for finding in findings)
    lines += ["", {0: "Nothing is wrong.", 1: "1 thing is wrong."}.get(count, f"{count} things are wrong.")]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, first: str, rest: str = _MARGIN) -> str:
    return fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def as_json(seen: Sighting, findings: list[Finding]) -> str:
    """For programs; the names of the checks and the levels are stable."""
    told = {
        "url": seen.url,
        "reached": exit_status(seen, ()) != 4,
        "version": gate.version_of(seen) or None,
        "wrong": sum(finding.level is Level.WRONG for finding in findings),
        "findings": [
            {"check": it.check, "level": it.level.value, "says": it.says, "mend": it.mend or None} for it in findings
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"
