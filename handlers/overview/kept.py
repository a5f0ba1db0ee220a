"""Jobs that wait though workers are here: these are paused or stuck, or could not load the task. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.views.overview import Overview
from dispatcher.core.jobs.views.troubles import ShutType
from handlers.console import words
from handlers.overview.concern import MOST_CONCERNS, MOST_NAMED, Concern, for_words, jobs_link, waiting

__all__ = ["shut", "stuck", "unloaded", "unserved"]


def shut(seen: Overview) -> Iterator[Concern]:
    """A sentence for each type that jobs wait for; one for all others with the same workers: a page may offer many."""
    wanted = [one for one in seen.troubles.shut if one.queued]
    for one in wanted[:MOST_CONCERNS]:
        since = seen.troubles.since.get(one.type)
        text = f"{waiting(one.queued, one.type, since, seen.at)}: every worker that offers it is {_kept_by([one])}."
        code = "all_paused" if one.paused else "set_aside"
        link, workers = f"/workers?type={one.type}", WorkerFilter(type=one.type)
        yield Concern(code=code, words=text, link=link, type=one.type, since=since, workers=workers)
    told = {worker for one in wanted for worker in one.workers}
    others: dict[tuple[str, ...], list[ShutType]] = {}
    for one in seen.troubles.shut:
        # Whoever has the workers of a wanted type take jobs again helps these, too.
        if not one.queued and not (one.workers and told.issuperset(one.workers)):
            others.setdefault(one.workers, []).append(one)
    for same in others.values():
        yield _unwanted(same, seen.at)


def _unwanted(same: list[ShutType], at: float) -> Concern:
    """Types that no job waits for, with the same workers."""
    more = " and more" if len(same) > MOST_NAMED else ""
    named, first = ", ".join(one.type for one in same[:MOST_NAMED]), same[0]
    return Concern(
        code="all_paused" if any(one.paused for one in same) else "set_aside",
        words=f"Every worker that offers {named}{more} is {_kept_by(same)}{for_words(1, first.since, at)}.",
        link=f"/workers?type={first.type}",
        since=first.since,
        workers=WorkerFilter(type=first.type) if first.workers else None,
    )


def _kept_by(types: list[ShutType]) -> str:
    parts = ["paused"] if any(one.paused for one in types) else []
    if any(one.aside for one in types):
        parts.append("skipped for a while, because it ignored its last jobs")
    return " or ".join(parts)


def stuck(seen: Overview) -> Iterator[Concern]:
    """Types whose workers have tasks that are over and do not stop."""
    for one in seen.troubles.stuck[:MOST_CONCERNS]:
        since, names = seen.troubles.since.get(one.type), [name for _, name in one.workers]
        are = f"worker {names[0]} is" if len(names) == 1 else f"workers {', '.join(names)} are"
        who = f"its {'only ' if len(names) == 1 and not one.others else ''}{are} stuck"
        others = f". {words.plural(one.others, 'other')} {'takes' if one.others == 1 else 'take'} no jobs now"
        why = f"{who} in a task that is over and does not stop{others if one.others else ''}"
        text = f"{waiting(one.queued, one.type, since, seen.at)}: {why}."
        link = f"/workers?type={one.type}"
        yield Concern(code="stuck", words=text, link=link, type=one.type, since=since, reloads=one.workers)


def unloaded(seen: Overview) -> Iterator[Concern]:
    """Types whose tasks pages could not load: the waiting jobs of those that no other worker offers are told before."""
    jobs_wait = {one.type for one in seen.troubles.unserved[:MOST_CONCERNS] if one.unloaded is not None}
    others = [one for one in seen.troubles.unloaded if one.type not in jobs_wait]
    for one in others[:MOST_CONCERNS]:
        who, since = one.by.who(), for_words(one.by.pages, one.since, seen.at)
        text = words.ended(f"{who[0].upper()}{who[1:]} could not load the task {one.type}{since}: {one.by.why()}")
        # No type of which jobs wait: they may wait for something else.
        yield Concern(code="unloaded", words=text, link=f"/types/{one.type}", since=one.since)
    if len(others) > MOST_CONCERNS:
        yield Concern(code="unloaded", words="Pages could not load more tasks.", link="/types")


def unserved(seen: Overview) -> Iterator[Concern]:
    """Types that jobs wait for and no worker offers."""
    found = seen.troubles.unserved
    for view in found[:MOST_CONCERNS]:
        never, name = view.offered_at is None, view.type
        code, why, link = ("never_offered" if never else "not_connected"), "no connected worker offers it", ""
        if view.unloaded is not None:
            code, why, link = "unloaded", view.unloaded.words(), f"/types/{name}"
        elif never:
            why = "no worker has ever offered it"
        since = seen.troubles.since.get(name)
        text = f"{waiting(view.counts.get('queued', 0), name, since, seen.at)}: {why}."
        yield Concern(code=code, words=text, link=link or jobs_link("queued", name), type=name, since=since)
    if len(found) > MOST_CONCERNS:
        text = "Jobs of more types wait, and no connected worker offers them."
        yield Concern(code="not_connected", words=text, link="/types")
