"""What a job is told by its submitter: one value, and the ranges and words of each of its fields, once.

A job's spec, row, claim and view carry the whole ``Terms``, and hand them on without looking inside. Whoever needs to
know what a field may be reads it here: the parser of the API, the form, the settings that are its defaults, the
messages of what is refused. To add a field: declare it here, use it where it acts, and describe it in docs/api.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

from dispatcher.core.jobs.matching import Requirement

__all__ = [
    "LABEL_WORDS",
    "LONGEST_LABEL",
    "LONGEST_TYPE",
    "LONGEST_VALUE",
    "MAX_DELAY_S",
    "MOST_LABELS",
    "MOST_VALUES",
    "TYPE_PATTERN",
    "TYPE_WORDS",
    "VALUE_WORDS",
    "LabelName",
    "LabelValue",
    "Range",
    "Schedule",
    "Terms",
    "Wanted",
    "range_of",
    "range_words",
]

MAX_DELAY_S = 31_536_000
_DAY_S = 86_400
LONGEST_TYPE, LONGEST_LABEL, LONGEST_VALUE = 100, 50, 200
#: Of a worker, and of what a job requires.
MOST_LABELS = 20
#: Of one label that a job requires.
MOST_VALUES = 20

#: ``\Z`` and not ``$``, which also matches before a line feed at the end.
_NAME = r"^[A-Za-z0-9._-]{1,%s}\Z"
_NAME_WORDS = "1 to %s characters of A-Z, a-z, 0-9, '.', '_' and '-'"
TYPE_PATTERN = _NAME % LONGEST_TYPE
TYPE_WORDS = _NAME_WORDS % LONGEST_TYPE
LABEL_WORDS = _NAME_WORDS % LONGEST_LABEL
VALUE_WORDS = f"1 to {LONGEST_VALUE} characters"

#: Of a worker's label, and of what a job requires.
LabelName = Annotated[str, Meta(pattern=_NAME % LONGEST_LABEL)]
LabelValue = Annotated[str, Meta(min_length=1, max_length=LONGEST_VALUE)]
_Values = Annotated[list[LabelValue], Meta(min_length=1, max_length=MOST_VALUES)]
#: ``Terms.requires`` as a submitter writes it: a list means any of these.
Wanted = Annotated[dict[LabelName, LabelValue | _Values], Meta(max_length=MOST_LABELS)]


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for a job as long as it lives. The form and the job's page show each field under its title;
    one without a title has a place of its own there."""

    #: Each step is a head start of 60 s in its lane.
    priority: Annotated[int, Meta(ge=-1_000, le=1_000, title="Priority")] = 0
    #: Of each attempt, counted from its accept.
    timeout_s: Annotated[float, Meta(ge=1, le=_DAY_S, title="Timeout of an attempt")] = 60.0
    #: How many attempts may end in an error or a timeout.
    max_attempts: Annotated[int, Meta(ge=1, le=100, title="Attempts")] = 3
    #: How many attempts may be lost with their page.
    max_crashes: Annotated[int, Meta(ge=0, le=100, title="Lost attempts")] = 5
    #: While it runs, silence of this length ends the attempt as lost; None: no heartbeat is asked for.
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=_DAY_S, title="Longest silence")] | None = None
    #: ``repeat``: it may run more than once; ``once``: after ``go`` it never runs again by itself (promise S15b).
    effects: Annotated[
        Literal["repeat", "once"], Meta(title="Effects", description="once: it never starts twice by itself")
    ] = "repeat"
    #: What the job requires of its worker: it goes to nobody else.
    requires: Requirement = ()

    @property
    def once(self) -> bool:
        """It waits for ``go``, and after that it never runs again by itself."""
        return self.effects == "once"


class Schedule(Struct, frozen=True, kw_only=True):
    """What a submitter says of a job's first start. The store keeps the instants that follow from it."""

    #: Not started before this many seconds have passed.
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S, title="Start after")] = 0.0
    #: Not started after this many seconds; None: never expires.
    expires_s: Annotated[float, Meta(ge=0.1, le=MAX_DELAY_S, title="Expire after")] | None = None


class Range(NamedTuple):
    """What a field may be: numbers from ``low`` to ``high``, or one of ``choices``, or what ``words`` say."""

    whole: bool
    low: float
    high: float
    title: str
    choices: tuple[str, ...] = ()
    words: str = ""
    #: What people should know who fill it in.
    note: str = ""


_WANTED = (
    f"must be an object of at most {MOST_LABELS} labels ({LABEL_WORDS}), "
    f"each with a text or a list of 1 to {MOST_VALUES} texts of {VALUE_WORDS}"
)


def _ranges() -> dict[str, Range]:
    return {field.name: _range(field.type) for struct in (Terms, Schedule) for field in fields(struct)}


def _range(kind: Any) -> Range:
    if kind == Requirement:
        return Range(False, 0, 0, "", words=_WANTED)
    if get_origin(kind) is not Annotated:  # or None
        [kind] = [part for part in get_args(kind) if part is not type(None)]
    base, meta = get_args(kind)
    if get_origin(base) is Literal:
        return Range(False, 0, 0, meta.title, get_args(base), note=meta.description)
    return Range(base is int, meta.ge, meta.le, meta.title or "")


_RANGES = _ranges()


def range_of(name: str) -> Range:
    """What a field of ``Terms`` or ``Schedule`` may be."""
    return _RANGES[name]


def range_words(name: str) -> str:
    """The same in words that follow the field's name: ``must be a whole number from 1 to 100``."""
    allowed = _RANGES[name]
    if allowed.words:
        return allowed.words
    if allowed.choices:
        return "must be " + " or ".join(allowed.choices)
    kind = "a whole number" if allowed.whole else "a number of seconds" if name.endswith("_s") else "a number"
    return f"must be {kind} from {allowed.low:.15g} to {allowed.high:.15g}"
