"""``/docs``: every call with its purpose, parameters, answers, errors and examples, made from the description.

It works without JavaScript, without the internet, and in IE 11. It holds no secrets, so it needs no token.
"""

from __future__ import annotations

from tornado.escape import xhtml_escape

from handlers.api.openapi.handler import Description
from handlers.console.page import PageHandler
from handlers.guide.examples import EXAMPLES
from handlers.guide.languages import LANGUAGES, Where
from handlers.guide.wording import CallWords, calls_by_group, marked, schema_rows, type_parts
from handlers.site import Site

__all__ = ["GuidePage"]

#: Stands in the page that is kept for the address of the server: making it costs a hundred times as much as filling
#: that in, and who asks may choose the Host.
_SERVER = "http://server.invalid"


class GuidePage(PageHandler):
    """``/docs``."""

    public = True

    def initialize(self, site: Site, description: Description, kept: dict[bool, bytes]) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        super().initialize(site)
        self._description, self._kept = description, kept

    def get(self) -> None:
        """The page."""
        with_token = not self.site.guard.open
        if with_token not in self._kept:
            self._kept[with_token] = self._reference(Where(_SERVER, with_token))
        url = xhtml_escape(self._own_url())
        self.show("docs.html", reference=self._kept[with_token].replace(_SERVER.encode(), url.encode()))

    head = get

    def _own_url(self) -> str:
        """The address at which the reader sees this server."""
        settings = self.site.settings
        if settings.public_url:
            return settings.public_url.rstrip("/")
        return f"{self.request.protocol}://{self.request.host}"

    def _reference(self, where: Where) -> bytes:
        document = self._description.document
        return self.render_string(
            "reference.html",
            groups=calls_by_group(document),
            group_words={tag["name"]: tag["description"] for tag in document["tags"]},
            schemas=document["components"]["schemas"],
            rows=schema_rows,
            parts=type_parts,
            marked=marked,
            examples=lambda call: self._examples(call, where),
        )

    def _examples(self, call: CallWords, where: Where) -> list[tuple[str, str]]:
        """Each language with its example; what needs no token shows none."""
        here = where if call.with_token else Where(where.url)
        return [(name, write(EXAMPLES[call.id], here)) for name, write in LANGUAGES.items()]
