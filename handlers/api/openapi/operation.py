"""What is told of one method of one address. What its handler says itself is not told twice."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

__all__ = [
    "ACCESS",
    "ACT",
    "FARM",
    "FOLLOW",
    "GROUPS",
    "READING",
    "SERVER",
    "SUBMIT",
    "WEBHOOKS",
    "GoodAnswer",
    "Operation",
]

SUBMIT, READING, ACT, FOLLOW = "Submit", "Read", "Act", "Follow"
FARM, ACCESS, WEBHOOKS, SERVER = "Workers and types", "Access", "Webhooks", "Server"
#: What the groups of calls are about, in their order.
GROUPS = {
    SUBMIT: "New jobs.",
    READING: "Jobs and their results.",
    ACT: "What people and programs do with a job that is there.",
    FOLLOW: "Changes as they come.",
    FARM: "Who does the work, and what can be done.",
    ACCESS: "Who may ask, and who has done what.",
    WEBHOOKS: "Who is told of changes, and what became of that.",
    SERVER: "How the server is.",
}


class GoodAnswer(Struct, frozen=True):
    """One way in which a request goes well."""

    words: str
    #: The name of the schema of its JSON, or another media type; empty: there is no body.
    body: str = ""
    headers: tuple[str, ...] = ()
    #: The name of the schema of its JSON where the query chooses fields.
    part: str = ""
    #: The media types that the client may ask for instead.
    also: tuple[str, ...] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """What a method of an address does."""

    #: The name of a function that calls it.
    id: str
    group: str
    #: One line.
    title: str
    words: str = ""
    answers: Mapping[int, GoodAnswer]
    #: The codes of problems, besides those that follow from the handler.
    codes: tuple[str, ...] = ()
    #: Headers that it reads.
    headers: tuple[str, ...] = ()
    #: The name of a schema by media type.
    body: Mapping[str, str] = {}
