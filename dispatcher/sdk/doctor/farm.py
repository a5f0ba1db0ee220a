"""Checks of what the server tells of itself: store, descriptors, types, pages, refusals. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from .findings import Finding, found, listed, noted, plain, skipped, wrong
from .gate import version_of
from .seen import Sighting

__all__ = ["descriptors", "pages", "refusals", "store", "types"]

#: Over this share of its descriptors a server is near its end.
_FULL = 0.8
#: Of a healthy disk hardly a turn takes longer than this bucket's bound.
_SLOW_BUCKET = "0.25"
_SLOW_SHARE = 0.05
_FEW_TURNS = 20
#: The document mode of Internet Explorer that pages need.
_MODE = 11
_MENDS = {
    "started": "Wait: the server is starting. A large store may take minutes to be checked.",
    "not draining": "The server is stopping: start it again if nobody does.",
    "takes jobs": "The lines around this one say why; else look at the server's log.",
    "room on the store's disk": "Make room on the disk of the store (--low-disk). Results are still recorded.",
}
_MODE_MEND = (
    "Take the server's address out of Compatibility View, and let the program show it in IE 11 mode: "
    "FEATURE_BROWSER_EMULATION, 11001, for its .exe (docs/offices.md)."
)


def store(seen: Sighting) -> Iterator[Finding]:
    """What the server says of its own readiness, and how long its disk takes."""
    ready = next((heard for heard in seen.ready if re.match(r"\[[+-]\]", heard.text)), None)
    if ready is None:
        yield skipped("store", "/readyz did not come through")
        return
    lacking = re.findall(r"^\[-\](.*)$", ready.text, re.M)
    for words in lacking:
        yield wrong("store", f"the server says no to: {plain(words)}", _MENDS.get(words, "Look at the server's log."))
    if not lacking:
        yield found("store", "the server takes jobs, and its disk has room")
    yield from _slow(_values(seen))


def _slow(values: Mapping[str, float]) -> Iterator[Finding]:
    turns = values.get("pagehand_turn_duration_seconds_count", 0.0)
    fast = values.get(f'pagehand_turn_duration_seconds_bucket{{le="{_SLOW_BUCKET}"}}', turns)
    if turns >= _FEW_TURNS and (turns - fast) / turns > _SLOW_SHARE:
        yield wrong(
            "store", f"the disk is slow: {(turns - fast) / turns:.0%} of all writes took longer than {_SLOW_BUCKET} s",
            "Put the store on a local disk of its own, best an SSD: not on a network share, and not beside backups.",
        )  # fmt: skip


def descriptors(seen: Sighting) -> Iterator[Finding]:
    """Whether the server runs out of descriptors: each page has up to two."""
    values = _values(seen)
    used, most = values.get("process_open_fds"), values.get("process_max_fds")
    if used is None or not most:
        return  # not on every system does a process know
    if used / most > _FULL:
        mend = "Raise it (systemd: LimitNOFILE), and look which pages come again and again."
        yield wrong("descriptors", f"the server uses {used:.0f} of its {most:.0f} descriptors", mend)
    else:
        yield found("descriptors", f"the server uses {used:.0f} of its {most:.0f} descriptors")


def refusals(seen: Sighting) -> Iterator[Finding]:
    """Whether others were turned away since the start, for reasons that this look from here may not show."""
    for name, value in _values(seen).items():
        code = re.fullmatch(
            r'pagehand_answers_total\{code="(forbidden_host|forbidden_origin|head_too_large)".*\}', name
        )
        if code and value:
            yield noted(
                "refusals", f"since its start the server has refused {value:.0f} requests with {code[1]}",
                "They came by another way than this look. The server's log says from where, and what to change.",
            )  # fmt: skip
    if turned := _values(seen).get('pagehand_transport_events_total{event="refused_sessions"}'):
        yield noted("refusals", f"since its start the server had no room for pages {turned:.0f} times",
                    "Raise its descriptors, and --sessions if it is set.")  # fmt: skip


def _values(seen: Sighting) -> dict[str, float]:
    """The metrics by name and labels, as they stand in the text."""
    lines = re.findall(r"^([a-zA-Z_:][^ ]*(?:\{.*\})?) ([0-9.e+-]+)$", seen.metrics.text if seen.metrics else "", re.M)
    return {name: float(value) for name, value in lines if _is_number(value)}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# -- types and pages


def types(seen: Sighting) -> Iterator[Finding]:
    """Whether jobs wait for a type that nobody offers."""
    if seen.types is None:
        yield skipped("types", "it needs a token that may read")
        return
    alone = [str(item.get("type", "")) for item in seen.types if _queued(item) and not item.get("workers")]
    if alone:
        yield wrong(
            "types", f"jobs wait for what no worker offers: {listed(alone)}",
            "Open a worker page that offers it (/worker?types=...), or put its task file into --tasks. Is the type "
            "spelt wrongly? Then cancel these jobs.",
        )  # fmt: skip
    else:
        some = " among the first" if seen.more else ""
        yield found("types", f"each type that has waiting jobs{some} has a worker")


def _queued(item: Mapping[str, Any]) -> int:
    counts = item.get("counts")
    return int(counts.get("queued") or 0) if isinstance(counts, dict) else 0


def pages(seen: Sighting) -> Iterator[Finding]:
    """What the connected pages say of their browsers."""
    if seen.workers is None:
        yield skipped("pages", "it needs a token that may read")
        return
    here = [worker for worker in seen.workers if worker.get("state") != "gone"]
    if not here:
        yield noted("pages", "no worker page is connected", "Open /worker in a browser that shall do jobs.")
        return
    told = [*_modes(here), *_versions(here, version_of(seen)), *_forgetful(here), *_polling(here)]
    bad = any(finding.mend for finding in told)
    if not bad:
        yield found("pages", f"{len(here)} connected{' at least' if seen.more else ''}, in browsers that will do")
    yield from told


def _said(worker: Mapping[str, Any], name: str) -> str:
    page = worker.get("page")
    value = page.get(name) if isinstance(page, dict) else None
    return "" if value is None or value == "None" else str(value)  # "None", "False": as an older server says it


def _names(workers: list[Mapping[str, Any]]) -> str:
    return listed([str(worker.get("name") or worker.get("id") or "?") for worker in workers])


def _modes(here: list[Mapping[str, Any]]) -> Iterator[Finding]:
    old = [worker for worker in here if (mode := _said(worker, "document_mode")).isdigit() and int(mode) < _MODE]
    if old:
        modes = ", ".join(sorted({_said(worker, "document_mode") for worker in old}))
        yield wrong("pages", f"Internet Explorer shows them in document mode {modes}: {_names(old)}", _MODE_MEND)


def _versions(here: list[Mapping[str, Any]], version: str) -> Iterator[Finding]:
    by_version: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for worker in here:
        by_version[_said(worker, "library")].append(worker)
    for other, workers in sorted(by_version.items()):
        if other and version and other != version:
            yield wrong(
                "pages", f"their worker.js is of {plain(other)}, and the server of {version}: {_names(workers)}",
                "Reload them. If that does not help, something keeps an old /static/worker.js: a cache, or a copy in "
                "your own page.",
            )  # fmt: skip


def _forgetful(here: list[Mapping[str, Any]]) -> Iterator[Finding]:
    without = [worker for worker in here if _said(worker, "storage").lower() == "false"]
    if without:
        yield noted("pages", f"their browsers keep nothing: {_names(without)}",
                    "After a reload they are new workers, and lose results that were not sent: allow storage "
                    "for the server's address.")  # fmt: skip


def _polling(here: list[Mapping[str, Any]]) -> Iterator[Finding]:
    reasons: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for worker in here:
        if worker.get("transport") == "polling" and (reason := _said(worker, "transport_reason")):
            reasons[reason].append(worker)
    for reason, workers in sorted(reasons.items()):
        yield noted("pages", f"they stay with long-polling ({plain(reason)}): {_names(workers)}")
