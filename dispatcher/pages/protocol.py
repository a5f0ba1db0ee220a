"""The messages between a worker page and the server, as values and as text. docs/protocol.md is the authority.

Pure: no I/O, no clock. A message is one JSON object in one Engine.IO text message; ``op`` names it. Unknown fields
are ignored; an unknown ``op`` is refused, and so is a field that stands twice. Times on the wire are milliseconds and
end in ``_ms``. ``value`` and ``data`` are kept as the JSON text that came. It knows no sessions and no jobs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from dispatcher.core.jobs.doubturl import DoubtUrl
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.terms import MOST_LABELS, TYPE_PATTERN, LabelName, LabelValue
from dispatcher.doubles import twice
from dispatcher.errors import MessageRefused
from dispatcher.nesting import check_levels
from dispatcher.reading import json_fault, shape_fault

__all__ = [
    "VERSION",
    "Accept",
    "Bye",
    "CancelMessage",
    "CredentialMessage",
    "Doubt",
    "DoubtMessage",
    "Drain",
    "ErrorMessage",
    "GoMessage",
    "Held",
    "HoldMessage",
    "IdentityMessage",
    "JobMessage",
    "Log",
    "PageMessage",
    "Pause",
    "Progress",
    "Recorded",
    "Refused",
    "Register",
    "Registered",
    "Released",
    "Reload",
    "Result",
    "Resume",
    "ServerMessage",
    "decode",
    "encode",
]

#: The version of this protocol; ``register`` carries it.
VERSION = 1

AttemptId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
TypeName = Annotated[str, Meta(pattern=TYPE_PATTERN)]
Boot = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Text = Annotated[str, Meta(max_length=2_000)]
Opaque = Annotated[str, Meta(max_length=200)]


class Held(Struct, frozen=True):
    """An attempt that this boot still has; ``elapsed_ms`` counts from its accept, 0 while it waits for ``go``."""

    attempt: AttemptId
    elapsed_ms: Annotated[float, Meta(ge=0)] = 0


class Register(Struct, frozen=True, tag_field="op", tag="register"):
    """A page says who it is, what it can do and what it still has."""

    #: Empty only for a page that could load none of its tasks.
    types: Annotated[tuple[TypeName, ...], Meta(max_length=1_000)]
    boot: Boot
    version: int
    #: The boot that this window showed before; it noted that it was leaving.
    after: Boot | None = None
    #: How many sessions this boot has opened, this one included; 0: it does not say.
    sessions: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    worker: Opaque | None = None
    secret: Opaque | None = None
    name: Annotated[str, Meta(max_length=100)] = ""
    slots: Annotated[int, Meta(ge=1, le=64)] = 1
    #: Or the worker's credential.
    token: Annotated[str, Meta(max_length=1_000)] | None = None
    #: A token for joining, until the page has its credential.
    join: Annotated[str, Meta(max_length=1_000)] | None = None
    holding: Annotated[tuple[Held, ...], Meta(max_length=1_000)] = ()
    finished: Annotated[tuple[AttemptId, ...], Meta(max_length=1_000)] = ()
    labels: Annotated[dict[LabelName, LabelValue], Meta(max_length=MOST_LABELS)] = {}
    #: Of its tasks, by type.
    versions: Annotated[dict[TypeName, Annotated[str, Meta(max_length=100)]], Meta(max_length=1_000)] = {}
    #: Where people look whether a job of this type, which is in doubt, was done.
    doubt_urls: Annotated[dict[TypeName, DoubtUrl], Meta(max_length=100)] = {}
    #: The tasks that it could not load, each with why.
    unloaded: Annotated[dict[TypeName, Opaque], Meta(max_length=100)] = {}
    page: Annotated[
        dict[Opaque, Annotated[str, Meta(max_length=500)] | int | float | bool | None], Meta(max_length=50)
    ] = {}


class Accept(Struct, frozen=True, tag_field="op", tag="accept"):
    """The page has the job and is about to start it."""

    attempt: AttemptId


class Progress(Struct, frozen=True, tag_field="op", tag="progress"):
    """How far the task is; also the heartbeat of a job that asks for one."""

    attempt: AttemptId
    percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    note: Text | None = None


class Log(Struct, frozen=True, tag_field="op", tag="log"):
    """A line that the task wrote. A page says it again if it may not have arrived."""

    attempt: AttemptId
    line: Text
    #: Counts the lines of the attempt; None: the page does not count them.
    n: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None


class Result(Struct, frozen=True, tag_field="op", tag="result"):
    """The task's result; repeated until answered."""

    attempt: AttemptId
    value: Raw


class ErrorMessage(Struct, frozen=True, tag_field="op", tag="error"):
    """The task failed; repeated until answered."""

    attempt: AttemptId
    message: Annotated[str, Meta(max_length=10_000)]
    stack: Annotated[str, Meta(max_length=50_000)] | None = None
    code: Opaque | None = None
    retry: bool = True


class Released(Struct, frozen=True, tag_field="op", tag="released"):
    """The page no longer holds the attempt: it declined the offer, or obeyed a cancel."""

    attempt: AttemptId
    reason: Opaque = ""


class Pause(Struct, frozen=True, tag_field="op", tag="pause"):
    """Offer me nothing more."""


class Resume(Struct, frozen=True, tag_field="op", tag="resume"):
    """Page to server: offer me jobs again. Server to page: a drain is over."""

    #: The person at the page ends an operator's hold, too: the one that ``hold`` said has begun then.
    held_since_ms: Annotated[int, Meta(ge=0, le=2**53 - 1)] | UnsetType = UNSET


class Doubt(Struct, frozen=True, tag_field="op", tag="doubt"):
    """Is the job in doubt, which this page had? If somebody there has said so: this has become of it."""

    attempt: AttemptId
    job: Annotated[str, Meta(max_length=64)]
    #: Whether it happened; UNSET: nobody has said.
    happened: bool | UnsetType = UNSET
    #: What was asked.
    question: Annotated[str, Meta(max_length=300)] = ""


class Bye(Struct, frozen=True, tag_field="op", tag="bye"):
    """The page goes away for good; what it held is lost."""


PageMessage = Register | Accept | Progress | Log | Result | ErrorMessage | Released | Pause | Resume | Doubt | Bye


class Registered(Struct, frozen=True, tag_field="op", tag="registered"):
    """The page is known; it keeps ``worker`` and ``secret`` and sends them next time."""

    worker: str
    secret: str
    name: str
    settings: Mapping[str, int]
    #: Those that count; left out: it has none. An older server never says.
    labels: Mapping[str, str] | UnsetType = UNSET


class IdentityMessage(Struct, frozen=True, tag_field="op", tag="identity"):
    """The page has none and wants to join: it keeps these and registers again, at once."""

    worker: str
    secret: str


class CredentialMessage(Struct, frozen=True, tag_field="op", tag="credential"):
    """The page has joined: from now on it sends this as its token, and the token for joining no more."""

    credential: str


class JobMessage(Struct, frozen=True, tag_field="op", tag="job"):
    """An offer."""

    attempt: str
    id: str
    type: str
    data: Raw
    number: int
    timeout_ms: int
    confirm: bool = False
    #: What few jobs have is left out.
    tags: tuple[str, ...] | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET


class GoMessage(Struct, frozen=True, tag_field="op", tag="go"):
    """The accept of a job with ``confirm`` is durable: start."""

    attempt: str


class Recorded(Struct, frozen=True, tag_field="op", tag="recorded"):
    """The verdict on a result or an error; the page stops repeating it."""

    attempt: str
    verdict: str


class CancelMessage(Struct, frozen=True, tag_field="op", tag="cancel"):
    """The attempt is over; stop if you can and answer with ``released``."""

    attempt: str
    reason: str


class Drain(Struct, frozen=True, tag_field="op", tag="drain"):
    """The server is stopping: no more offers; finish what you have."""


class Reload(Struct, frozen=True, tag_field="op", tag="reload", omit_defaults=True):
    """Please load the page anew."""

    #: When the page has nothing to do: no offer comes before it has.
    idle: bool = False


class HoldMessage(Struct, frozen=True, tag_field="op", tag="hold", omit_defaults=True):
    """An operator keeps this page from jobs, or does so no more; a ``resume`` of the page may end it."""

    paused: bool
    by: str = ""
    reason: str = ""
    #: Finish what you have, then stop with ``bye``: no page ends that.
    leave: bool = False
    #: UTC, by the server's clock: names this hold among those of the worker.
    since_ms: int | UnsetType = UNSET


class DoubtMessage(Struct, frozen=True, tag_field="op", tag="doubt"):
    """How the job of this attempt stands, as far as the page may answer for it: it asks again while it is open."""

    attempt: str
    #: ``in_doubt``, ``running``, ``noted`` or ``over``.
    state: str
    #: Why it is in doubt: how the attempt ended. Left out: it is not in doubt, or an older server does not say.
    reason: str | UnsetType = UNSET


class Refused(Struct, frozen=True, tag_field="op", tag="refused", omit_defaults=True):
    """A message was not obeyed."""

    code: str
    detail: str
    attempt: str | None = None


ServerMessage = (
    Registered | JobMessage | GoMessage | Recorded | CancelMessage | Drain | Resume | Reload | HoldMessage | Refused
    | IdentityMessage | CredentialMessage | DoubtMessage
)  # fmt: skip


class _Op(Struct):
    op: str


_ATTEMPT = re.compile(r'"attempt"\s*:\s*"([A-Za-z0-9_-]{1,64})"')
_NEAR_THE_START = 300


class _Inner(Struct):
    """The objects in a ``register``, as they came."""

    labels: Raw = Raw()
    page: Raw = Raw()
    versions: Raw = Raw()
    doubt_urls: Raw = Raw()
    unloaded: Raw = Raw()
    holding: tuple[Raw, ...] = ()


_decoder = msgspec.json.Decoder(PageMessage)
_inner_decoder = msgspec.json.Decoder(_Inner)
_op_decoder = msgspec.json.Decoder(_Op)
_encoder = msgspec.json.Encoder()


def decode(text: str) -> PageMessage:
    """One message from a page. Raises MessageRefused: ``bad_message``, ``unknown_op``, ``bad_version``."""
    try:
        check_levels(text)
        message: PageMessage = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refusal(text, error) from None
    if not _has_each_name_once(text, message) and (
        name := twice(text) or (isinstance(message, Register) and _twice_within(text))
    ):
        detail = f"bad {message.__struct_config__.tag}: {name[:100]} stands twice"
        raise MessageRefused(detail, code="bad_message", attempt=_attempt_in(text))
    if isinstance(message, Register) and message.version != VERSION:
        detail = f"this server speaks version {VERSION} of the worker protocol, the page {message.version}: reload it"
        raise MessageRefused(detail, code="bad_version")
    if isinstance(message, Register) and (wrong := _wrong_in(message)):
        raise MessageRefused(f"bad register: {wrong}", code="bad_message")
    return message


def _wrong_in(register: Register) -> str:
    """What its fields do not say each for itself; empty if nothing is wrong."""
    if NAME in register.labels:
        return "no label may be called `name`, the name of the page is a field of its own - at `$.labels`"
    if not register.types and not register.unloaded:
        return "types must have at least 1 entry, or unloaded says which tasks the page could not load"
    return ""


def _has_each_name_once(text: str, message: PageMessage) -> bool:
    """Whether that can be seen at a glance: each name brings a colon, and the three of a result bring three."""
    return isinstance(message, Result) and text.count(":") == 3 + bytes(message.value).count(b":")


def _twice_within(register: str) -> str:
    """The first name that stands twice in an object within a ``register``; empty if none does."""
    inner = _inner_decoder.decode(register)
    objects = (inner.labels, inner.page, inner.versions, inner.doubt_urls, inner.unloaded, *inner.holding)
    return next((name for part in objects if (name := twice(bytes(part) or b"{}"))), "")


def _attempt_in(text: str) -> str | None:
    """Found by a search: a page should stop repeating even what cannot be read (what is nested too deeply, say)."""
    start = text[:_NEAR_THE_START]
    match = None if '"register"' in start else _ATTEMPT.search(start)
    return match[1] if match else None


def _refusal(text: str, error: Exception) -> MessageRefused:
    attempt = _attempt_in(text)
    try:
        check_levels(text)
        op = _op_decoder.decode(text).op
    except (msgspec.DecodeError, RecursionError):
        return MessageRefused(f"not a message: {_why(text, error)}", code="bad_message", attempt=attempt)
    known = {page_message.__struct_config__.tag for page_message in PageMessage.__args__}
    if op not in known:
        return MessageRefused(f"unknown op {op[:50]!r}", code="unknown_op", attempt=attempt)
    return MessageRefused(f"bad {op}: {_why(text, error)}", code="bad_message", attempt=attempt)


def _why(text: str, error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return shape_fault(error)[:300]
    # The transport has read it as UTF-8.
    return json_fault(text.encode(errors="replace"), error)


def encode(message: ServerMessage) -> str:
    """The JSON text of a message to a page."""
    return _encoder.encode(message).decode()
