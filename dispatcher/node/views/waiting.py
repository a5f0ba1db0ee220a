"""Why a job waits, in counts for programs and in words that an operator can act on. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core.fleet.misses import Miss
from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.acts.kept import EVERY_TYPE, Hold
from dispatcher.core.jobs.matching import lane_of, lane_parts, said
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import Summary
from dispatcher.core.jobs.views.histograms import mean_s
from dispatcher.core.jobs.views.outlook import InLine, Outlook, Throughput, outlook
from dispatcher.core.jobs.views.unloaded import Unloaded

__all__ = ["Waiting", "Why", "Workers", "rate_tells", "waiting", "why", "why_untaken", "with_outlook", "words"]


class Workers(Protocol):
    """What this module asks about the workers; ``Machine`` answers."""

    @property
    def draining(self) -> bool:
        """Whether they get no more offers: the node is stopping."""

    def offering(self, type_name: str) -> int:
        """How many workers offer a type."""

    def standing(self, lane: str) -> Counter[Standing]:
        """The standing of the workers that match a lane."""

    def stuck_at(self, lane: str) -> int:
        """How many of those have tasks that do not stop in all of their slots."""

    def unloaded(self, type_name: str) -> Unloaded | None:
        """Which pages could not load its task, and why; None: none says so."""

    def nearest(self, lane: str) -> Miss:
        """The nearest miss, if no worker matches."""

    def type_hold(self, type_name: str) -> Hold | None:
        """Why an operator has paused a type; None: it is not paused."""

    def held(self, lane: str) -> Hold | None:
        """Why an operator keeps a worker that matches from jobs; None: none is found."""


class Waiting(Struct, frozen=True, kw_only=True):
    """Why a job waits. Only a queued job has counts; otherwise they are 0."""

    #: ``delayed``, ``backoff``, ``in_doubt``, ``stopping``, ``everything_paused`` or ``type_paused``; for another
    #: queued job ``no_worker``, ``no_match`` or ``next``;
    #: if some workers match and none can take it, ``away``, ``paused``, ``set_aside`` or ``busy``.
    code: str
    #: How many workers offer its type.
    offer: int = 0
    #: How many of those match what it requires; then the standing of the matching ones.
    match: int = 0
    connected: int = 0
    idle: int = 0
    busy: int = 0
    #: How many of the busy ones have tasks that do not stop in all of their slots.
    stuck: int = 0
    paused: int = 0
    away: int = 0
    #: Set aside: they did not take what was offered.
    aside: int = 0
    #: What keeps the job from a worker, in words; empty: nothing does.
    nearest: str = ""
    #: When it may start; None: nobody has asked, or it is not ready.
    outlook: Outlook | None = None


class Why(Struct, frozen=True):
    """Why a job waits, for people and for programs."""

    words: str
    waiting: Waiting


def waiting(job: JobView, lane: str, workers: Workers) -> Waiting | None:
    """Why a job is not running; None if it does not wait."""
    if job.state is JobState.SCHEDULED:
        return Waiting(code="backoff" if job.errors else "delayed")
    if job.state is JobState.IN_DOUBT:
        return Waiting(code="in_doubt")
    if job.state is not JobState.QUEUED:
        return None
    if workers.draining:
        return Waiting(code="stopping")
    if workers.type_hold(EVERY_TYPE) is not None:
        return Waiting(code="everything_paused")
    if workers.type_hold(job.type) is not None:
        return Waiting(code="type_paused")
    return _queued(lane, workers)


def words(found: Waiting, job: JobView, lane: str, held: str = "") -> str:
    """The same in words for people. ``held``: who keeps the workers from jobs, and why."""
    if found.code in _WORDS:
        return _WORDS[found.code].format(number=job.number) + held
    return _of_lane(found, lane, held)


def _of_lane(found: Waiting, lane: str, held: str) -> str:
    type_name, requirement = lane_parts(lane)
    if requirement or not found.match:
        return found.nearest + (held if found.match else "")
    return _of_type(found, type_name) + held


def why_untaken(lane: str, workers: Workers) -> Why | None:
    """Why no worker takes the ready jobs of a lane; None: one may, or those that would are just away."""
    found = _queued(lane, workers)
    if found.code not in ("no_match", "paused", "set_aside"):
        return None
    hold = workers.held(lane) if found.code == "paused" else None
    return Why(_of_lane(found, lane, "" if hold is None else hold.words()), found)


def why(job: JobView, workers: Workers) -> Why | None:
    """Why a job is not running, in words and counts; None if it does not wait."""
    lane = lane_of(job.type, job.terms.requires)
    found = waiting(job, lane, workers)
    if found is None:
        return None
    hold = _hold(found.code, job, lane, workers)
    return Why(words(found, job, lane, "" if hold is None else hold.words()), found)


def rate_tells(why: Why, job: JobView) -> bool:
    """Whether the rate of its type tells when a ready job starts: its workers go on, and any of its type will do."""
    return why.waiting.code in ("next", "busy") and not job.terms.requires


def with_outlook(why: Why, stands: InLine, ended: Summary | None, slots: int = 0) -> Why:
    """The same with when the job may start. ``ended``: how jobs of its type have ended lately; None: not asked.

    ``slots``: of the workers that can take such jobs, as far as they are counted.
    """
    found = why.waiting
    slots = max(slots, found.idle + found.busy - found.stuck)
    throughput = None if ended is None else _throughput(ended, slots)
    return replace(why, waiting=replace(found, outlook=outlook(stands, throughput)))


def _throughput(ended: Summary, slots: int) -> Throughput:
    runs = ended.total.run
    return Throughput(sum(runs.values()), ended.steps.until - ended.steps.first, mean_s(runs), slots)


def _hold(code: str, job: JobView, lane: str, workers: Workers) -> Hold | None:
    """Who keeps the job's type from all workers, or the workers that match from all jobs."""
    if code in ("everything_paused", "type_paused"):
        return workers.type_hold(job.type)
    return workers.held(lane) if code == "paused" else None


#: The most characters that say what is missing: a job may require 400 values.
_MOST_SAID = 300
_WORDS = {
    "backoff": "attempt {number} did not succeed; it is tried again after a pause (backoff)",
    "delayed": "it was submitted with a delay",
    "in_doubt": "its effect may or may not have happened: a person must decide",
    "stopping": "the server is stopping; the job will run after it has started again",
    "everything_paused": "all types are paused",
    "type_paused": "its type is paused",
    "next": "it is about to be offered",
}


def _queued(lane: str, workers: Workers) -> Waiting:
    type_name, _ = lane_parts(lane)
    offer, standing = workers.offering(type_name), workers.standing(lane)
    match, away = standing.total(), standing[Standing.AWAY]
    stuck = workers.stuck_at(lane) if standing[Standing.BUSY] else 0
    return Waiting(
        code=_code(offer, match, standing),
        offer=offer,
        match=match,
        connected=match - away,
        idle=standing[Standing.IDLE],
        busy=standing[Standing.BUSY],
        stuck=stuck,
        paused=standing[Standing.PAUSED],
        away=away,
        aside=standing[Standing.ASIDE],
        nearest=_where_they_are(standing, stuck) if match else _clipped(_missed(type_name, offer, lane, workers)),
    )


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 1]}…"


def _code(offer: int, match: int, standing: Counter[Standing]) -> str:
    if not match:
        return "no_match" if offer else "no_worker"
    if standing[Standing.IDLE]:
        return "next"
    there = match - standing[Standing.AWAY]
    if not there:
        return "away"
    if there == standing[Standing.PAUSED]:
        return "paused"
    return "busy" if standing[Standing.BUSY] else "set_aside"


def _where_they_are(standing: Counter[Standing], stuck: int) -> str:
    """Where the matching workers are; empty if one is idle. ``stuck``: so many of those that are busy."""
    if standing[Standing.IDLE]:
        return ""
    parts = [f"{_are(standing[where])} {word}" for where, word in _PLACES.items() if standing[where]]
    parts[-1] += _with_tasks(standing[Standing.BUSY], stuck)
    if standing.total() == 1:
        return f"the only worker that matches {parts[0].removeprefix('1 ')}"
    return f"0 of {standing.total()} workers that match are free: {', '.join(parts)}"


#: Where they may be, in the order in which it is said: busy ones last.
_PLACES = {Standing.AWAY: "away", Standing.PAUSED: "paused", Standing.ASIDE: "skipped", Standing.BUSY: "busy"}


def _missed(type_name: str, offer: int, lane: str, workers: Workers) -> str:
    """The nearest miss in words; no worker matches."""
    if not lane_parts(lane)[1]:
        return _not_offered(type_name, workers)
    miss = workers.nearest(lane)
    if miss.called == 0:
        return f"no connected worker is called {' or '.join(miss.lacks[0][1])}"
    if miss.called is not None:
        called = f"{_count(miss.called, 'is', 'are')} called {' or '.join(dict(lane_parts(lane)[1])['name'])}"
        if not miss.offered:
            return f"{called}, but {_none(miss.called, 'does not offer', 'none offers')} {type_name}"
        return f"{called}, but {_none(miss.called, 'does not have', 'none has')} {said(miss.lacks)}"
    if not offer:
        return _not_offered(type_name, workers)
    lacks = said(miss.lacks) + (" together" if miss.together else "")
    offering = f"{_count(offer, 'offers', 'offer')} {type_name}"
    return f"{offering}, but {_none(offer, 'does not have', 'none has')} {lacks}"


def _not_offered(type_name: str, workers: Workers) -> str:
    unloaded = workers.unloaded(type_name)
    why = "" if unloaded is None else f": {unloaded.words()}"
    return f"no connected worker offers the type {type_name}{why}"


def _of_type(found: Waiting, type_name: str) -> str:
    """Why a job waits that requires nothing, and whose type some workers offer."""
    if found.code == "away":
        return (
            f"{_offers(found.match)} {type_name}, but {_none(found.match, 'it cannot', 'none can')} be reached just now"
        )
    if found.code == "paused":
        return f"{_offers(found.connected)} {type_name}, but {_none(found.connected, 'it is', 'all are')} paused"
    offering = found.connected - found.paused
    awake = f"{_offers(offering)} {type_name}"
    if found.code == "set_aside":
        ignored = _none(offering, "it ignored its last jobs and is", "they ignored their last jobs and are")
        return f"{awake}, but {ignored} skipped for a while"
    return f"{awake}, and {_none(offering, 'it is', 'all are')} busy{_with_tasks(offering, found.stuck)}"


def _with_tasks(busy: int, stuck: int) -> str:
    """Behind ``busy``: with what, if it is nothing that will end."""
    if not stuck:
        return ""
    tasks = _none(stuck, "a task that does not stop", "tasks that do not stop")
    return f" with {tasks}" if busy == 1 else f", {stuck:,} of them with {tasks}"


def _offers(workers: int) -> str:
    return f"{_count(workers, 'offers', 'offer')} the type"


def _count(workers: int, one: str, many: str) -> str:
    return f"1 worker {one}" if workers == 1 else f"{workers:,} workers {many}"


def _none(workers: int, one: str, many: str) -> str:
    return one if workers == 1 else many


def _are(workers: int) -> str:
    return "1 is" if workers == 1 else f"{workers:,} are"
