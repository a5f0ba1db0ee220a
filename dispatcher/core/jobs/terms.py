"""The terms that a submitter sets for a job: one value, with the range and the words of each field.

A job's spec, row, claim and view carry the whole ``Terms``, and hand them on without looking inside. Only this module
says what a field may be: the API's parser, the form, the settings for its defaults and the messages of refusals read
it here. To add a field: declare it here, use it where it acts, and describe it in docs/api.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import asdict, fields, replace

from dispatcher.core.jobs.matching import Requirement

__all__ = [
    "LABEL_WORDS",
    "LONGEST_LABEL",
    "LONGEST_TYPE",
    "LONGEST_VALUE",
    "MAX_DELAY_S",
    "MOST_LABELS",
    "MOST_VALUES",
    "NO_DEFAULTS",
    "TYPE_PATTERN",
    "TYPE_WORDS",
    "VALUE_WORDS",
    "LabelName",
    "LabelValue",
    "Range",
    "Schedule",
    "Terms",
    "TypeDefaults",
    "Wanted",
    "range_of",
    "range_words",
]

MAX_DELAY_S = 31_536_000
_DAY_S = 86_400
LONGEST_TYPE, LONGEST_LABEL, LONGEST_VALUE = 100, 50, 200
#: Most labels of a worker, and of a job's requirement.
MOST_LABELS = 20
#: Most values of one label that a job requires.
MOST_VALUES = 20

#: ``\Z`` and not ``$``, which also matches before a line feed at the end.
_NAME = r"^[A-Za-z0-9._-]{1,%s}\Z"
_NAME_WORDS = "1 to %s characters of A-Z, a-z, 0-9, '.', '_' and '-'"
TYPE_PATTERN = _NAME % LONGEST_TYPE
TYPE_WORDS = _NAME_WORDS % LONGEST_TYPE
LABEL_WORDS = _NAME_WORDS % LONGEST_LABEL
VALUE_WORDS = f"1 to {LONGEST_VALUE} characters"

#: The name of a label, of a worker or in a job's requirement.
LabelName = Annotated[str, Meta(pattern=_NAME % LONGEST_LABEL)]
LabelValue = Annotated[str, Meta(min_length=1, max_length=LONGEST_VALUE)]
_Values = Annotated[list[LabelValue], Meta(min_length=1, max_length=MOST_VALUES)]
#: ``Terms.requires`` as a submitter writes it: a list means any of these.
Wanted = Annotated[dict[LabelName, LabelValue | _Values], Meta(max_length=MOST_LABELS)]


#: Each step is a head start of 60 s in its lane.
Priority = Annotated[int, Meta(ge=-1_000, le=1_000, title="Priority")]
Timeout = Annotated[float, Meta(ge=1, le=_DAY_S, title="Timeout of an attempt")]
Attempts = Annotated[
    int, Meta(ge=1, le=100, title="Attempts", description="how often it may end in an error or a timeout")
]
Crashes = Annotated[
    int, Meta(ge=0, le=100, title="Lost attempts", description="how often its page may close or vanish")
]
Silence = Annotated[
    float,
    Meta(ge=0.1, le=_DAY_S, title="Longest silence", description="without progress for so long, a try is lost"),
]
Effects = Annotated[
    Literal["repeat", "once"], Meta(title="Effects", description="once: it never starts a second time by itself")
]


class Terms(Struct, frozen=True, kw_only=True):
    """The terms that hold for a job as long as it lives. The form and the job's page show each field under its title;
    a field without a title has a place of its own there."""

    priority: Priority = 0
    #: The time that each attempt has, from its accept.
    timeout_s: Timeout = 60.0
    #: How many attempts may end in an error or a timeout.
    max_attempts: Attempts = 3
    #: How many attempts may be lost with their page.
    max_crashes: Crashes = 5
    #: While it runs, silence of this length ends the attempt as lost; None: no heartbeat is asked for.
    heartbeat_s: Silence | None = None
    #: ``repeat``: it may run more than once; ``once``: after ``go`` it never runs again by itself (promise S15b).
    effects: Effects = "repeat"
    #: What the job requires of its worker: it goes to no other.
    requires: Requirement = ()

    @property
    def once(self) -> bool:
        """Whether it waits for ``go`` and never runs again by itself after that."""
        return self.effects == "once"


class TypeDefaults(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The terms that new jobs of a type have where their submitter names none; None: those of the server."""

    priority: Priority | None = None
    timeout_s: Timeout | None = None
    max_attempts: Attempts | None = None
    max_crashes: Crashes | None = None
    heartbeat_s: Silence | None = None
    effects: Effects | None = None

    def given(self) -> dict[str, int | float | str]:
        """Those that there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def over(self, terms: Terms) -> Terms:
        """The terms of a new job that names none; ``terms``: those of the server."""
        return replace(terms, **self.given())


NO_DEFAULTS = TypeDefaults()


class Schedule(Struct, frozen=True, kw_only=True):
    """When a job may first start, by its submitter. The store keeps the instants that follow from it."""

    #: It does not start before this many seconds have passed.
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S, title="Start after")] = 0.0
    #: It does not start after this many seconds; None: it never expires.
    expires_s: Annotated[float, Meta(ge=0.1, le=MAX_DELAY_S, title="Expire after")] | None = None


class Range(NamedTuple):
    """What a field may be: a number from ``low`` to ``high``, or one of ``choices``, or as ``words`` says."""

    whole: bool
    low: float
    high: float
    title: str
    choices: tuple[str, ...] = ()
    words: str = ""
    #: A hint for people who fill it in.
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
    return Range(base is int, meta.ge, meta.le, meta.title or "", note=meta.description or "")


_RANGES = _ranges()


def range_of(name: str) -> Range:
    """What a field of ``Terms`` or ``Schedule`` may be."""
    return _RANGES[name]


def range_words(name: str) -> str:
    """The field's range in words that follow its name: ``must be a whole number from 1 to 100``."""
    allowed = _RANGES[name]
    if allowed.words:
        return allowed.words
    if allowed.choices:
        return "must be " + " or ".join(allowed.choices)
    kind = "a whole number" if allowed.whole else "a number of seconds" if name.endswith("_s") else "a number"
    return f"must be {kind} from {allowed.low:.15g} to {allowed.high:.15g}"
