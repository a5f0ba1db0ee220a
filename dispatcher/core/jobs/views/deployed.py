"""Which version of a task the connected pages have, and which one the site offers. Pure.

A version is a text, ``1a2b3c4d5e6f-1764493200``: a digest of the file, then when it was changed. Two are the same if
their digests are, so a file that was only copied is no other version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

__all__ = [
    "MOST_VERSIONS",
    "Deployed",
    "TaskVersion",
    "WithheldTask",
    "changed_at",
    "digest_of",
    "old_types",
    "read_versions",
    "same_version",
    "version_text",
    "versions_text",
]

#: Of one task so many versions are told.
MOST_VERSIONS = 20
_VERSION = re.compile(r"[0-9a-f]{12}-([0-9]{1,11})")
_WAS = " was "


def version_text(digest: str, changed: float) -> str:
    """The version of a file with this SHA-256; ``changed``: UTC seconds."""
    return f"{digest[:12]}-{max(0, int(changed))}"


def changed_at(version: str) -> float | None:
    """When the file was changed, UTC seconds; None: the version does not say, because the page is not ours."""
    found = _VERSION.fullmatch(version)
    return None if found is None else float(found[1])


def digest_of(version: str) -> str:
    """What two versions of the same text share."""
    return version.partition("-")[0]


def same_version(one: str, other: str) -> bool:
    """Whether both name the same text of a file."""
    return digest_of(one) == digest_of(other)


def versions_text(version: str, was: str | None) -> str:
    """For the audit log: the version that a task has now, and the one before it; None: it was never seen before."""
    return version if was is None else f"{version}{_WAS}{was}"


def read_versions(text: str) -> tuple[str, str | None]:
    """What ``versions_text`` has written."""
    version, _, was = text.partition(_WAS)
    return version, was or None


def old_types(versions: Mapping[str, str], offered: Mapping[str, str]) -> list[str]:
    """The tasks of a page with these versions of which the site offers another one. A file that the site offers no more
    makes no page old, and neither does a task of which the page does not tell its version."""
    return [
        name
        for name, version in versions.items()
        if name in offered and version and not same_version(version, offered[name])
    ]


class WithheldTask(Struct, frozen=True):
    """A task whose file is withheld, because it failed on a canary: the site offers a former version in its place."""

    type: str
    #: What the site offers.
    version: str
    #: What stands in the file.
    failed: str


class TaskVersion(Struct, frozen=True):
    """One version of a task, and how many pages have it."""

    version: str
    #: UTC seconds; None: nobody knows.
    changed_at: float | None
    pages: int
    #: It is the one that the site offers.
    newest: bool


class Deployed(Struct, frozen=True, kw_only=True):
    """One task, and which of its versions the connected pages have."""

    type: str
    #: What the site offers; None: it has no such file.
    version: str | None
    #: What stands in its file and is withheld; None: the file is offered.
    withheld: str | None = None
    #: Those that offer the type.
    pages: int
    #: Of these, how many have another version than the site, and how many do not say which one they have: their tasks
    #: come from elsewhere, or their page is older than this.
    old: int = 0
    silent: int = 0
    #: What they have: the newest first, then those of most pages. At most MOST_VERSIONS.
    versions: list[TaskVersion] = []
