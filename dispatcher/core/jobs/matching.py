"""Matches jobs with workers: what a job requires of its worker, and the lane that follows from it.

A *lane* is a type and a requirement. Its key is one text; a turn carries it, and a store counts by it. It is the type
alone if nothing is required, else the type, a blank and the requirement as a compact JSON object. Equal requirements
have equal keys, and a key can be read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = [
    "NAME",
    "Requirement",
    "lane_of",
    "lane_parts",
    "matches",
    "missing",
    "requirement_of",
    "requires",
    "said",
    "wanted_of",
]

#: What a job requires: (label, values); a worker must have one of the values, and all labels must match. Labels stand
#: in order, each once, and so do the values of each. Empty: nothing is required.
Requirement = tuple[tuple[str, tuple[str, ...]], ...]

#: The label that every worker has: its name.
NAME = "name"

_TEXT = r'"(?:[^"\\]|\\.)*"'
_LABEL = re.compile(rf"({_TEXT}):({_TEXT}|\[{_TEXT}(?:,{_TEXT})*\])")
_VALUE = re.compile(_TEXT)
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')
_ESCAPED = re.compile(r"\\(?:u(.{4})|(.))")


def requirement_of(wanted: Mapping[str, str | Iterable[str]]) -> Requirement:
    """The requirement in its one form, from labels with a value or a list of values each."""
    values = {label: (value,) if isinstance(value, str) else value for label, value in wanted.items()}
    return tuple((label, tuple(sorted(set(values[label])))) for label in sorted(values))


def wanted_of(requirement: Requirement) -> dict[str, str | list[str]]:
    """The requirement as a submitter writes it."""
    return {label: values[0] if len(values) == 1 else list(values) for label, values in requirement}


def lane_of(type_name: str, requirement: Requirement) -> str:
    """The key of a lane."""
    if not requirement:
        return type_name
    fields = (f"{_quoted(label)}:{_listed(values)}" for label, values in requirement)
    return f"{type_name} {{{','.join(fields)}}}"


def lane_parts(key: str) -> tuple[str, Requirement]:
    """The type and the requirement of a lane. ``key`` is one that ``lane_of`` has made."""
    type_name, _, fields = key.partition(" {")
    if not fields:
        return type_name, ()
    found = _LABEL.findall(fields)
    return type_name, tuple((_plain(label), tuple(map(_plain, _VALUE.findall(values)))) for label, values in found)


def matches(requirement: Requirement, labels: Mapping[str, str], name: str) -> bool:
    """Whether a worker with these labels and this name has all that is required."""
    return not missing(requirement, labels, name)


def requires(requirement: Requirement, wanted: Iterable[tuple[str, str]]) -> bool:
    """Whether all of these labels are required, each with this value or with this among others."""
    required = dict(requirement)
    return all(value in required.get(label, ()) for label, value in wanted)


def missing(requirement: Requirement, labels: Mapping[str, str], name: str) -> Requirement:
    """The part of the requirement that a worker with these labels and this name does not have."""
    return tuple(wanted for wanted in requirement if not _has(wanted, labels, name))


def said(requirement: Requirement) -> str:
    """The requirement in words: ``printer:brother or zebra, site:berlin``."""
    return ", ".join(f"{label}:{' or '.join(values)}" for label, values in requirement)


def _has(wanted: tuple[str, tuple[str, ...]], labels: Mapping[str, str], name: str) -> bool:
    label, values = wanted
    return (name if label == NAME else labels.get(label)) in values


def _listed(values: tuple[str, ...]) -> str:
    return _quoted(values[0]) if len(values) == 1 else f"[{','.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return f"\\{char}" if char in '"\\' else f"\\u{ord(char):04x}"


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], quoted[1:-1])
