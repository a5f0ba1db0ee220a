"""What a job is told by its submitter: one value, and the ranges and words of each of its fields, once.

A job's spec, row, claim and view carry the whole ``Terms``, and hand them on without looking inside. Whoever needs to
know what a field may be reads it here: the parser of the API, the form, the settings that are its defaults, the
messages of what is refused. To add a field: declare it here, use it where it acts, and describe it in docs/api.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

__all__ = ["MAX_DELAY_S", "TYPE_PATTERN", "Range", "Schedule", "Terms", "range_of", "range_words"]

MAX_DELAY_S = 31_536_000
_DAY_S = 86_400
#: ``\Z`` and not ``$``, which also matches before a line feed at the end.
TYPE_PATTERN = r"^[A-Za-z0-9._-]{1,100}\Z"


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for a job as long as it lives. A field with a title stands in the form."""

    #: Each step is a head start of 60 s in its lane.
    priority: Annotated[int, Meta(ge=-1_000, le=1_000, title="Priority")] = 0
    #: Of each attempt, counted from its accept.
    timeout_s: Annotated[float, Meta(ge=1, le=_DAY_S, title="Timeout of an attempt")] = 60.0
    #: How many attempts may end in an error or a timeout.
    max_attempts: Annotated[int, Meta(ge=1, le=100, title="Attempts")] = 3
    #: How many attempts may be lost with their page.
    max_crashes: Annotated[int, Meta(ge=0, le=100)] = 5
    #: While it runs, silence of this length ends the attempt as lost; None: no heartbeat is asked for.
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=_DAY_S)] | None = None
    #: ``repeat``: it may run more than once; ``once``: after ``go`` it never runs again by itself (promise S15b).
    effects: Literal["repeat", "once"] = "repeat"

    @property
    def once(self) -> bool:
        """It waits for ``go``, and after that it never runs again by itself."""
        return self.effects == "once"


class Schedule(Struct, frozen=True, kw_only=True):
    """What a submitter says of a job's first start. The store keeps the instants that follow from it."""

    #: Not started before this many seconds have passed.
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S, title="Start after")] = 0.0
    #: Not started after this many seconds; None: never expires.
    expires_s: Annotated[float, Meta(ge=0.1, le=MAX_DELAY_S)] | None = None


class Range(NamedTuple):
    """What a field may be: numbers from ``low`` to ``high``, or one of ``choices``."""

    whole: bool
    low: float
    high: float
    title: str
    choices: tuple[str, ...] = ()


def _ranges() -> dict[str, Range]:
    return {field.name: _range(field.type) for struct in (Terms, Schedule) for field in fields(struct)}


def _range(kind: Any) -> Range:
    if get_origin(kind) is Literal:
        return Range(False, 0, 0, "", get_args(kind))
    if get_origin(kind) is not Annotated:  # or None
        [kind] = [part for part in get_args(kind) if part is not type(None)]
    base, meta = get_args(kind)
    return Range(base is int, meta.ge, meta.le, meta.title or "")


_RANGES = _ranges()


def range_of(name: str) -> Range:
    """What a field of ``Terms`` or ``Schedule`` may be."""
    return _RANGES[name]


def range_words(name: str) -> str:
    """The same in words that follow the field's name: ``must be a whole number from 1 to 100``."""
    allowed = _RANGES[name]
    if allowed.choices:
        return "must be " + " or ".join(allowed.choices)
    kind = "a whole number" if allowed.whole else "a number of seconds" if name.endswith("_s") else "a number"
    return f"must be {kind} from {allowed.low:.15g} to {allowed.high:.15g}"
