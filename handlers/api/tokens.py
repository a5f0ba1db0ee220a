"""``/api/v1/tokens``: makes, lists and revokes tokens. docs/api.md describes it."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.terms import MOST_LABELS, TYPE_PATTERN, LabelName, LabelValue
from handlers.api.jobjson import instant
from handlers.api.resources import ConsoleApiHandler
from handlers.errors import Invalid, field_error
from handlers.intake import decode_object

__all__ = ["MOST_USES", "JoinBody", "TokenBody", "TokenHandler", "TokensHandler"]

#: Ten years.
_LONGEST_S = 3_660 * 86_400
MOST_JOBS_PER_MINUTE = 1_000_000
#: Most workers that may join with one token.
MOST_USES = 10_000
_WORDS = (
    'must be {"name": 1 to 100 characters, "scopes": some of '
    + ", ".join(f'"{scope.value}"' for scope in Scope)
    + f', "types": at most 100 types of jobs, or none for all, "expires_s": 1 to {_LONGEST_S:,}, or none for ever, '
    + f'"labels": at most {MOST_LABELS}, or none, "join": {{"uses": 1 to {MOST_USES:,}}}, or none, '
    + f'"jobs_per_minute": 1 to {MOST_JOBS_PER_MINUTE:,}, or none for any number}}'
)


class JoinBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many workers may join."""

    uses: Annotated[int, Meta(ge=1, le=MOST_USES)]


class TokenBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A token that is wanted."""

    # No control characters: the name stands in lists and logs.
    name: Annotated[
        str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
    ]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    types: Annotated[list[Annotated[str, Meta(pattern=TYPE_PATTERN)]], Meta(max_length=100)] = []
    expires_s: Annotated[float, Meta(ge=1, le=_LONGEST_S)] | None = None
    #: Of the pages that come with it; ``name`` is none of them.
    labels: Annotated[dict[LabelName, LabelValue], Meta(max_length=MOST_LABELS)] = {}
    #: None: it is no token for joining.
    join: JoinBody | None = None
    #: New jobs; None: as many as there is room for.
    jobs_per_minute: Annotated[int, Meta(ge=1, le=MOST_JOBS_PER_MINUTE)] | None = None


_decoder = msgspec.json.Decoder(TokenBody)


def _token_json(token: Token, now_at: float) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": [scope.value for scope in token.scopes],
        "types": list(token.types),
        "labels": dict(token.labels),
        "join": _join_json(token),
        "jobs_per_minute": token.jobs_per_minute,
        "works": token.works(now_at),
        "made_by": token.made_by,
        "made_at": instant(token.made_at),
        "expires_at": instant(token.expires_at),
        "revoked_at": instant(token.revoked_at),
        "last_used_at": instant(token.last_used_at),
        "links": {"self": f"/api/v1/tokens/{token.id}"},
    }


def _join_json(token: Token) -> dict[str, int] | None:
    if token.uses is None:
        return None
    return {"uses": token.uses, "used": token.used, "left": max(0, token.uses - token.used)}


class TokensHandler(ConsoleApiHandler):
    """``/api/v1/tokens``."""

    scopes: ClassVar = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}

    async def get(self) -> None:
        """All tokens, the newest first; the one of the settings is none of them."""
        now_at = self.site.clock.utc()
        tokens = self.site.service.access.all()
        self.answer({"items": [_token_json(token, now_at) for token in tokens], "next_cursor": None})

    head = get

    async def post(self) -> None:
        """Makes one: 201. Only this answer holds the token itself."""
        body = self._wanted()
        now_at = self.site.clock.utc()
        token, text = await self.site.service.access.make(
            body.name.strip(),
            tuple(scope for scope in Scope if scope in body.scopes),
            types=tuple(dict.fromkeys(body.types)),
            labels=body.labels,
            jobs_per_minute=body.jobs_per_minute,
            uses=None if body.join is None else body.join.uses,
            expires_at=None if body.expires_s is None else now_at + body.expires_s,
            actor=self.actor("api"),
            made_by=self.principal.name,
        )
        self.set_header("Location", self.site.prefix.link(f"/api/v1/tokens/{token.id}"))
        self.answer(_token_json(token, now_at) | {"token": text}, 201)

    def _wanted(self) -> TokenBody:
        try:
            body = decode_object(_decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            raise Invalid([field_error("", _WORDS)]) from None
        if body.types and Scope.ADMIN in body.scopes:
            raise Invalid([field_error("types", "must be empty for the scope 'admin', which is for everything")])
        if body.join is not None and body.scopes != [Scope.WORKER]:
            raise Invalid([field_error("join", "is for tokens with the scope 'worker' alone")])
        if body.labels and Scope.WORKER not in body.scopes:
            raise Invalid([field_error("labels", "are those of worker pages: the scope 'worker' is missing")])
        if NAME in body.labels:
            raise Invalid([field_error("labels", "has no label `name`: each page has a name of its own")])
        if body.jobs_per_minute is not None and not {Scope.SUBMIT, Scope.ADMIN} & set(body.scopes):
            raise Invalid([field_error("jobs_per_minute", "is for tokens with the scope 'submit', which this has not")])
        return body


class TokenHandler(ConsoleApiHandler):
    """``/api/v1/tokens/<id>``."""

    scopes: ClassVar = {"GET": Scope.ADMIN, "DELETE": Scope.ADMIN}

    async def get(self, token_id: str) -> None:
        """What is known of it."""
        self._show(self.site.service.access.one(token_id))

    head = get

    async def delete(self, token_id: str) -> None:
        """Revokes it. It stays in the list, and opens nothing any more."""
        self._show(await self.site.service.access.revoke(token_id, self.actor("api")))

    def _show(self, token: Token) -> None:
        self.answer(_token_json(token, self.site.clock.utc()))
