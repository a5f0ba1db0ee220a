"""What the probes saw, as one value. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..address import ServerAddress
from ..client.exchange import ServerAnswer

__all__ = ["PIECE_S", "SECOND_PIECE_S", "Doorstep", "Heard", "Mishap", "PageTry", "Sighting"]

#: When the first piece of a stream must have come; it is sent at once.
PIECE_S = 5.0
#: The same of the second: where nothing happens it is sent after 15 s.
SECOND_PIECE_S = 18.0


class Mishap(StrEnum):
    """Why no whole answer came."""

    NAME = "name"
    REFUSED = "refused"
    SILENT = "silent"
    NO_WAY = "no_way"
    CERTIFICATE = "certificate"
    #: TLS was spoken to a port that has none, or that wants another kind.
    TLS = "tls"
    #: The connection ended before the answer did.
    CUT = "cut"
    NOT_HTTP = "not_http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorstep:
    """How far a bare connection came."""

    mishap: Mishap | None = None
    words: str = ""
    took_s: float = 0.0
    #: Who has signed the certificate that is not trusted, as it says itself.
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of one request. ``answer`` is None if none came; it has no body where that was left unread."""

    answer: ServerAnswer | None = None
    mishap: Mishap | None = None
    words: str = ""
    took_s: float = 0.0
    #: When each piece of the body came, where it was read in pieces.
    pieces_s: tuple[float, ...] = ()
    #: The id that went with it.
    request_id: str = ""
    #: The local wall clock in its middle.
    at_s: float = 0.0

    @property
    def status(self) -> int:
        """0 if no answer came."""
        return 0 if self.answer is None else self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        return {} if self.answer is None else self.answer.headers

    @property
    def text(self) -> str:
        """The body."""
        return "" if self.answer is None else self.answer.body.decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        """Whether a page came."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() in (
            "text/html",
            "application/xhtml+xml",
        )

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str:
        """The code of the problem that it is; empty if it is none of Pagehand's."""
        fields = self.fields
        ours = str(fields.get("type", "")).startswith("urn:pagehand:error:")
        return str(fields.get("code", "")) if ours else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTry:
    """What became of a page: its handshake, and if that succeeded, the request that it let wait and its WebSocket."""

    handshake: Heard
    poll: Heard | None = None
    socket: Heard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Everything that was asked; None was not asked."""

    url: str
    address: ServerAddress
    doorstep: Doorstep = field(default_factory=Doorstep)
    #: The machine is told to use a proxy (HTTP_PROXY and the like): ours goes straight, and browsers may not.
    proxy_variable: str = ""
    #: How long a waiting request had to be held.
    hold_s: float = 0.0
    #: ``/readyz?verbose``, twice.
    ready: tuple[Heard, ...] = ()
    #: ``/api/v1/stats`` without a token; and so, with this address as the page's origin.
    bare: Heard | None = None
    own_page: Heard | None = None
    #: The same with the token, in ``Authorization`` and, if that was in vain, in ``X-Pagehand-Token``.
    shown: Heard | None = None
    shown_apart: Heard | None = None
    #: The script of a worker page.
    script: Heard | None = None
    page: PageTry | None = None
    #: ``/api/v1/changes?wait=``, and the first pieces of ``/api/v1/events``: so many were to come.
    waited: Heard | None = None
    stream: Heard | None = None
    stream_pieces: int = 1
    metrics: Heard | None = None
    #: Whole lists, or their beginnings.
    workers: tuple[Mapping[str, Any], ...] | None = None
    types: tuple[Mapping[str, Any], ...] | None = None
    more: bool = False
