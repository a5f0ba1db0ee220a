"""Words for people: states, durations, instants, sizes, and parts of a job's JSON. For the templates. Pure."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from urllib.parse import quote

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.ledger import DECIDED, REOPEN_S
from dispatcher.core.jobs.matching import NAME, Requirement
from dispatcher.core.jobs.model import JobView, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import FINAL, Event, JobState, next_state
from dispatcher.core.jobs.views.deployed import changed_at
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES, Histogram, quantile_s
from handlers.console.errortext import clipped, error_of, first_line, json_or_text

__all__ = [
    "STATES",
    "TRANSPORTS",
    "age",
    "ago",
    "can_cancel",
    "can_change",
    "can_retry",
    "clock",
    "connections",
    "duration",
    "ended",
    "error_of",
    "first_line",
    "is_open",
    "kind_of_env",
    "label_link",
    "label_text",
    "namesakes",
    "only_for",
    "picture",
    "plural",
    "quantile",
    "quantiles",
    "size",
    "state_word",
    "utc",
    "worker_note",
    "worker_whole",
    "worker_word",
]

#: What carries a page's messages.
TRANSPORTS = {"polling": "long-polling", "websocket": "WebSocket"}

STATE_WORDS = {
    "scheduled": "Scheduled",
    "queued": "Queued",
    "running": "Running",
    "in_doubt": "In doubt",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "expired": "Expired",
    # States of attempts.
    "offered": "Offered",
    "error": "Error",
    "timed_out": "Timed out",
    "lost": "Lost",
    "lapsed": "Not accepted in time",
    "released": "Given back by the page",
}

#: In English, whatever the server's locale is.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: The most characters of a requirement in a table.
MOST_OF_LABELS = 60
#: The same of the reason for which a worker gets no jobs; one that is given may have 200.
MOST_OF_REASON = 60
WORKER_WORDS = {
    WorkerStatus.CONNECTED: "Connected",
    WorkerStatus.QUIET: "No sign of life",
    WorkerStatus.AWAY: "Away",
    WorkerStatus.SET_ASIDE: "Skipped",
    WorkerStatus.GONE: "Not here",
}
WORKER_DOINGS = {
    WorkerDoing.READY: "Ready", WorkerDoing.BUSY: "Busy", WorkerDoing.STUCK: "Stuck", WorkerDoing.PAUSED: "Paused"
}  # fmt: skip
#: Behind a number of workers.
WORKER_COUNTS = {state: word.lower() for state, word in WORKER_WORDS.items()} | {
    WorkerStatus.QUIET: "without a sign of life"
}
WORKER_NOTES = {
    WorkerStatus.CONNECTED: "",
    WorkerStatus.QUIET: "it has not answered for a while; nothing shows that it has gone",
    WorkerStatus.AWAY: "its connection was closed; it may come back",
    WorkerStatus.SET_ASIDE: "it ignored its last jobs; it gets another one after a while",
    WorkerStatus.GONE: "it was here once",
}

STATES = tuple(state.value for state in JobState)

_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/]+={0,2}")


def state_word(state: str) -> str:
    """A state of a job or an attempt."""
    return STATE_WORDS.get(state, state)


def worker_word(worker: WorkerView, most: int = MOST_OF_REASON) -> str:
    """The state of a worker, and of one that is connected what it does; of one that is kept from jobs who does that,
    and why, in so many characters.
    """
    word = WORKER_WORDS[worker.state]
    if worker.blocked is not None:
        return _kept_by("Blocked", worker.blocked, most)
    if worker.paused:
        hold = worker.held
        paused = "Paused at its page" if hold is None else _kept_by("Drained" if hold.leaves else "Paused", hold, most)
        return paused if worker.state is WorkerStatus.CONNECTED else f"{paused} ({word.lower()})"
    if worker.state is WorkerStatus.CONNECTED:
        return "Stuck" if worker.hanging else "Busy" if worker.jobs else "Ready" if worker.types else "Without tasks"
    return word


def worker_whole(worker: WorkerView) -> str:
    """The word with the whole reason."""
    return worker_word(worker, sys.maxsize)


def _kept_by(word: str, hold: Hold, most: int) -> str:
    """``Paused by anna: "printer broken"``."""
    by = f" by {hold.by}" if hold.by else ""
    return f'{word}{by}: "{clipped(hold.reason, most)}"' if hold.reason else word + by


def worker_link(worker: WorkerView) -> str:
    """The address of its page."""
    return f"/workers/{quote(worker.key, safe=':')}"


def worker_note(worker: WorkerView, now: float) -> str:
    """What the word means, if that is not plain; since when, if it has gone."""
    if worker.gone_at is not None:
        day, minute = utc(worker.gone_at)[:16].split()
        return f"since {'' if day == utc(now)[:10] else day + ' '}{minute} UTC".replace(" ", "\u00a0")
    return WORKER_NOTES[worker.state]


def only_for(requirement: Requirement) -> str:
    """What a job requires, in short for a list: ``FRONT-DESK-07, printer:brother or zebra``; empty: nothing."""
    parts = [f"{'' if label == NAME else f'{label}:'}{' or '.join(values)}" for label, values in requirement]
    return clipped(", ".join(parts), MOST_OF_LABELS)


def label_text(label: str, value: str) -> str:
    """A label and its value in a list, as people type them."""
    return clipped(f"{label}:{value}", MOST_OF_LABELS)


def label_link(label: str, value: str) -> str:
    """A label and its value as the query of a list has them."""
    return quote(f"{label}:{value}", safe=":")


def namesakes(count: int) -> str:
    """A note if several workers have one name; else empty."""
    if count < 2:
        return ""
    return f"{count:,} workers have this name; a job for it goes to {'either' if count == 2 else 'any of them'}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 job``, ``1,204 jobs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def connections(count: int) -> str:
    """How often a worker's page has connected: with a worker that goes, the count goes."""
    return f"{plural(count, 'connection')} since it was last gone, or since the server started"


def ended(text: str) -> str:
    """With a full stop, unless somebody has ended it already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def ordinal(place: int) -> str:
    """``1st``, ``22nd``, ``113th``."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending}"


def size(count: int) -> str:
    """``1 MiB``, ``767 KiB``; rounded down, because it is shown for limits."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            whole, tenths = divmod(count * 10 // unit, 10)
            return f"{whole}.{tenths} {name}" if tenths and whole < 10 else f"{whole} {name}"
    return f"{count} bytes"


def duration(seconds: float | None) -> str:
    """``12 ms``, ``3.2 s``, ``2 min 5 s``, ``3 h 12 min``, ``4 d 3 h``; never broken over two lines.

    A clock that was stepped back shows ``0 ms``.
    """
    return "" if seconds is None else _duration(seconds).replace(" ", "\u00a0")


def _duration(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, small, small_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size:,} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def quantile(histogram: Histogram, share: float) -> str:
    """A quantile of durations; of few of them it says little, and so their number is told instead."""
    samples = sum(histogram.values())
    if samples < FEW_SAMPLES:
        return f"few (n = {samples})" if samples else "–"
    return duration(quantile_s(histogram, share))


def quantiles(histogram: Histogram) -> str:
    """``20 ms, 1.2 s``: half of them took no longer, and 95 %. Of few only their number."""
    samples = sum(histogram.values())
    return quantile(histogram, 0.5) + (f", {quantile(histogram, 0.95)}" if samples >= FEW_SAMPLES else "")


def ago(at: float | None, now: float) -> str:
    """``3 min ago``, ``in 20 s``; coarse, so that a column of them looks calm."""
    if at is None:
        return ""
    distance = abs(now - at)
    if distance < 1:
        return "now"
    return f"{age(distance)} ago" if at <= now else f"in {age(distance)}"


def age(seconds: float) -> str:
    """``3 min``: the first number of a duration, and its unit."""
    return "\u00a0".join(_duration(round(seconds)).replace(".0 s", " s").split()[:2])


def utc(at: float | None) -> str:
    """``2026-11-23 21:04:05.123 UTC``."""
    if at is None:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "milliseconds").replace("+00:00", " UTC")


def version_word(version: str) -> str:
    """``1a2b3c4d5e6f of 2026-11-30 09:00 UTC``: the version of a task; one that is not ours as it is."""
    at = changed_at(version)
    return version if at is None else f"{version.partition('-')[0]} of {minute(at)}"


def minute(at: float) -> str:
    """``2026-11-30 09:00 UTC``."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def clock(at: float) -> str:
    """``21:04:05.123``, for lines of a log."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]


def short_clock(at: float, now: float) -> str:
    """``21:04``; of another day ``22 Nov 21:04``."""
    said = datetime.fromtimestamp(at, UTC)
    today = said.date() == datetime.fromtimestamp(now, UTC).date()
    return f"{said:%H:%M}" if today else f"{said.day} {_MONTHS[said.month - 1]} {said:%H:%M}"


def is_open(job: JobView) -> bool:
    """Whether the job may still change by itself."""
    return job.state not in FINAL


def can_cancel(job: JobView) -> bool:
    """Whether the table of transitions lists it."""
    return next_state(job.state, Event.CANCEL) is not None


def can_change(job: JobView) -> bool:
    """Whether it waits: then its terms may be changed."""
    return next_state(job.state, Event.AMEND) is not None


def can_retry(job: JobView) -> bool:
    """Whether the table of transitions lists it."""
    return next_state(job.state, Event.RETRY) is not None


def can_adopt(job: JobView) -> bool:
    """Whether there is a late answer that may become its result."""
    return job.evidence is not None and next_state(job.state, Event.ADOPT) is not None


def can_reopen(job: JobView, now: float) -> bool:
    """Whether it stands where a decision about its doubt has put it that can be taken back."""
    on_time = job.ended_at is None or now - job.ended_at <= REOPEN_S
    return job.reason == DECIDED and on_time and next_state(job.state, Event.REOPEN) is not None


def can_remove(job: JobView) -> bool:
    """Whether it has ended, so that nothing more happens to it."""
    return job.state in FINAL


#: Why a job that has ended is not removed.
KEY_IS_KEPT = (
    "The job was not removed. Its idempotency key is kept for 24 hours after its end, so that the same submission "
    "makes no second job. Tick the box if the key may go."
)


def kind_of_env(label: str) -> str:
    """``live``: what is done there counts; else ``other``."""
    return "live" if label.casefold().startswith(("prod", "live")) else "other"


def picture(text: str | None) -> str | None:
    """The data URL of a picture, which this JSON is or has under ``image``; None if none is safe to show."""
    if text is None or "data:image/" not in text:
        return None
    value = json_or_text(text)
    if isinstance(value, dict):
        value = value.get("image")
    return value if isinstance(value, str) and _PICTURE.fullmatch(value) else None
