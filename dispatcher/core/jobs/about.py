"""What a job carries for people and programs, and no rule reads: tags, a summary, its trace, the orders for it.

One value, which a job's spec, row, claim and view carry whole, as they do ``Terms``. Pure.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

__all__ = [
    "ABOUT_WORDS",
    "LONGEST_CALLBACK",
    "LONGEST_SUMMARY",
    "LONGEST_TAG",
    "MOST_OPERATIONS",
    "MOST_TAGS",
    "NOTHING_SAID",
    "About",
    "Said",
    "Tag",
    "once_each",
    "summary_of",
    "traceparent_of",
]

MOST_TAGS = 20
LONGEST_TAG = 100
LONGEST_SUMMARY = 200
LONGEST_CALLBACK = 2_000
#: The orders for many jobs that a job remembers: the newest.
MOST_OPERATIONS = 5

#: Control characters, and the ends of a line that Unicode knows besides them.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
#: One line, without blanks at its ends: a list is asked for a tag by its text, and blanks are cut off there.
_LINE = rf"^(?!\s)[^{_CONTROL}]*(?<!\s)\Z"
_NOT_SHOWN = re.compile(rf"[\s{_CONTROL}]+")

Tag = Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG, pattern=_LINE)]
_Summary = Annotated[str, Meta(min_length=1, max_length=LONGEST_SUMMARY, pattern=_LINE)]

_Url = Annotated[str, Meta(min_length=1, max_length=LONGEST_CALLBACK)]

_LINE_WORDS = "one line without control characters, and without blanks at its ends"
#: What a field must be, in words that follow its name.
ABOUT_WORDS = {
    "tags": f"must be a list of at most {MOST_TAGS} texts of 1 to {LONGEST_TAG} characters, each {_LINE_WORDS}",
    "summary": f"must be a text of 1 to {LONGEST_SUMMARY} characters, {_LINE_WORDS}",
    "callback_url": f"must be an address of at most {LONGEST_CALLBACK:,} characters",
}


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the body of a submission may say."""

    #: In the order given, each once.
    tags: Annotated[tuple[Tag, ...], Meta(max_length=MOST_TAGS)] = ()
    #: The job in a few words for people: "order 4711".
    summary: _Summary | None = None
    #: Who is told when the job has ended.
    callback_url: _Url | None = None


class About(Said, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All of it."""

    #: The trace that the job belongs to, as W3C Trace Context writes it.
    traceparent: str | None = None
    #: Who has submitted it; None: nobody has said.
    owner: str | None = None
    #: The orders for many jobs that have changed it, the newest last: the audit log has one line for each.
    operations: tuple[str, ...] = ()


#: What most jobs carry.
NOTHING_SAID = About()


def once_each(tags: tuple[str, ...]) -> tuple[str, ...]:
    """The same tags as a set: one that is given twice counts once."""
    return tuple(dict.fromkeys(tags))


def summary_of(text: str) -> str | None:
    """Any text as a summary: in one line, and cut where it is too long. None: nothing of it can be shown."""
    return _NOT_SHOWN.sub(" ", text).strip()[:LONGEST_SUMMARY].rstrip() or None


_TRACE = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


def traceparent_of(header: str) -> str | None:
    """The header ``traceparent``, checked. None: it is none, and is to be ignored, as the standard says.

    A version that is newer than ours may have more at its end: what we know of it counts.
    """
    match = _TRACE.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    version, trace, parent, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not trace.strip("0") or not parent.strip("0"):
        return None
    return f"00-{trace}-{parent}-{flags if version == '00' else f'{int(flags, 16) & 1:02x}'}"
