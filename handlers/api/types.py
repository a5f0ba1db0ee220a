"""``/api/v1/types``: the types of jobs, their pauses and their defaults. docs/api.md describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import asdict, fields

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.terms import (
    Attempts,
    Crashes,
    Effects,
    Priority,
    Silence,
    Timeout,
    TypeDefaults,
    range_words,
)
from dispatcher.doubles import twice
from handlers import queries
from handlers.api.jobjson import one_type_json, type_json
from handlers.api.resources import ConsoleApiHandler
from handlers.api.workers import Reason, reason_in
from handlers.errors import FieldError, Invalid, field_error
from handlers.intake import decode_object
from handlers.queries import type_filter

__all__ = [
    "OneTypeHandler",
    "TypeBody",
    "TypePauseHandler",
    "TypeResumeHandler",
    "TypesHandler",
    "changes_of",
]


class DefaultsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The terms of new jobs that name none. null takes one away: that of the server stands again."""

    priority: Priority | UnsetType | None = UNSET
    timeout_s: Timeout | UnsetType | None = UNSET
    max_attempts: Attempts | UnsetType | None = UNSET
    max_crashes: Crashes | UnsetType | None = UNSET
    heartbeat_s: Silence | UnsetType | None = UNSET
    effects: Effects | UnsetType | None = UNSET


class TypeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different, and why."""

    defaults: DefaultsBody
    reason: Reason = ""


class _LooseBody(Struct, frozen=True, forbid_unknown_fields=True):
    defaults: Raw
    reason: Raw = Raw(b'""')


Changes = dict[str, int | float | str | None]
_loose = msgspec.json.Decoder(_LooseBody)
_object = msgspec.json.Decoder(dict[str, Raw])
_kinds = {field.name: field.type for field in fields(DefaultsBody)}
_NAMES = ", ".join(TypeDefaults.__struct_fields__)
_BODY_WORDS = f'must be {{"defaults": an object with any of {_NAMES}, "reason": a text}}'


def changes_of(given: Mapping[str, object]) -> Changes:
    """The defaults that are to be different: each a ``Raw`` or a value. Raises Invalid with all that is wrong."""
    if problems := [problem for name, value in given.items() if (problem := _problem(name, value)) is not None]:
        raise Invalid(problems)
    body = msgspec.convert({name: _plain(value) for name, value in given.items()}, DefaultsBody)
    return {name: value for name, value in asdict(body).items() if value is not UNSET}


def _problem(name: str, value: object) -> FieldError | None:
    if name not in _kinds:
        return field_error(f"defaults.{name[:100]}", f"is not a default of a type: it has {_NAMES}")
    try:
        msgspec.convert(_plain(value), _kinds[name])
    except msgspec.ValidationError:
        return field_error(f"defaults.{name}", f"{range_words(name)}, or null")
    return None


def _plain(value: object) -> object:
    """A number that is whole is the same whole number in JSON, however it is written."""
    plain = msgspec.json.decode(value) if isinstance(value, Raw) else value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


class TypesHandler(ConsoleApiHandler):
    """``/api/v1/types``."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = queries.TYPES

    async def get(self) -> None:
        """A page of the list of types that some job, worker or shipped task has named, by name."""
        wanted = type_filter(self)
        page = await self.site.service.types.page(wanted)
        self.answer_page([type_json(view) for view in page.items], wanted, page.next_cursor)

    head = get


class _TypeAnswer(ConsoleApiHandler):
    """What the addresses of one type share."""

    names_type = True
    keeps_capitals = True

    def show(self, view: TypeView) -> None:
        """Ends the answer with the type."""
        self.answer(one_type_json(view, self.site.service.types.deployed(view.type)))


class OneTypeHandler(_TypeAnswer):
    """``/api/v1/types/<type>``."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.OPERATE}

    async def get(self, name: str) -> None:
        """One that a job, a worker, a shipped task or an operator has named."""
        self.principal.needs_types([name])
        self.show(await self.site.service.types.one(name))

    head = get

    async def patch(self, name: str) -> None:
        """Its new jobs have these terms where their submitters name none; jobs that are there keep theirs."""
        self.principal.needs_types([name])
        changes, reason = self._wanted()
        types = self.site.service.types
        self.show(await types.change_defaults(name, changes, reason, actor=self.actor("api")))

    def _wanted(self) -> tuple[Changes, str]:
        body = bytes(self.body) or b"{}"
        try:
            wanted = decode_object(_loose, body)
            given = _object.decode(wanted.defaults)
        except msgspec.ValidationError:
            raise Invalid([field_error("", _BODY_WORDS)]) from None
        if doubled := twice(bytes(wanted.defaults)):
            raise Invalid([field_error(f"defaults.{doubled[:100]}", "stands twice")])
        return changes_of(given), reason_in(b'{"reason":' + bytes(wanted.reason) + b"}")


class TypePauseHandler(_TypeAnswer):
    """``/api/v1/types/<type>/pause``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, name: str) -> None:
        """Its jobs wait until it is resumed; those that run go on."""
        self.principal.needs_types([name])
        reason = reason_in(bytes(self.body))
        self.show(await self.site.service.types.pause(name, reason, actor=self.actor("api")))


class TypeResumeHandler(_TypeAnswer):
    """``/api/v1/types/<type>/resume``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, name: str) -> None:
        """Its jobs are offered again."""
        self.principal.needs_types([name])
        reason = reason_in(bytes(self.body))
        self.show(await self.site.service.types.resume(name, reason, actor=self.actor("api")))
