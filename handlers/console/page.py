"""The base of the server-rendered pages: templates, forms, errors as pages, the way to the login.

Pages work without JavaScript, and in IE 11. The templates escape all text; that is
the only defence in IE 11, which knows no CSP. This module knows no page in particular.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlencode

from tornado.web import HTTPError

from dispatcher import __version__
from dispatcher.access.acts import Actor, AuditEntry, AuditFilter
from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs import about, terms
from dispatcher.core.jobs.model import JobView, TypeFilter, WorkerFilter, WorkerStatus
from dispatcher.core.jobs.views import search
from dispatcher.errors import Forbidden, Unsupported
from handlers.base import BaseHandler
from handlers.console import acts, sentences, shown, words
from handlers.console.agents import page_facts
from handlers.console.colours import COLOURS, colours_of
from handlers.console.deploying import tasks_list, tasks_words
from handlers.errors import Problem
from handlers.forms.formbody import FormBody, read_form
from handlers.mediatype import is_among
from handlers.person import person_of, signed_by
from handlers.signin import signed_in
from handlers.site import asset

__all__ = ["MOST_CHOICES", "XSRF_HELP", "OneJobPage", "PageHandler", "local_path"]

_OWN_FORMS = "This address takes the forms of Pagehand's own pages, from a browser with cookies."
XSRF_HELP = "This form is too old, or cookies are blocked. Go back, reload the page and try again."
#: How many types, and how many names of workers, a form offers.
MOST_CHOICES = 200
#: The seconds after which a page may load itself anew; 0: never.
_REFRESH_S = (0, 2, 5, 10, 30, 60)
#: A job's page, as a form says it.
_A_JOB = re.compile(r"jobs/[A-Za-z0-9_-]{1,64}")
#: The cookie that keeps what was chosen.
_REFRESH = "pagehand_refresh"

Default = TypeVar("Default")


class PageHandler(BaseHandler):
    """One page for people."""

    #: Seconds until the page refreshes, if its address does not say.
    refresh_s = 0
    #: What ``read_form`` has read.
    form: FormBody
    #: Whether people may have the page refreshed. Their choice holds for all such pages, until they end it.
    offers_refresh: ClassVar[bool] = False
    #: Whether the page has fields for a reason and the like. The script keeps what is typed; where none runs, such a
    #: page must not load itself anew.
    is_typed_into = False

    def set_default_headers(self) -> None:
        """Sets the headers of every page, errors included."""
        super().set_default_headers()
        self.set_header("Content-Type", "text/html; charset=utf-8")

    def who(self) -> Principal | None:
        """Whose session the browser has, or whose token came."""
        return signed_in(self, self.site) or super().who()

    def ask_for_token(self) -> None:
        """Leads people to the login; tells programs what to do."""
        if not self.wants_page() or self.request.method not in ("GET", "HEAD"):
            super().ask_for_token()
        self.redirect("/login?" + urlencode({"next": self.request.uri or "/"}), status=303)

    @property
    def person(self) -> str:
        """The name that somebody has typed in this browser; empty: nobody has."""
        return person_of(self, self.site.guard)

    def plain_actor(self, way: str) -> Actor:
        """Who asks, without the name of a person."""
        return super().actor(way)

    def actor(self, way: str) -> Actor:
        """The same with it."""
        return signed_by(self.plain_actor(way), self.person)

    def wants_page(self) -> bool:
        """Whether a browser asks; a program that did not ask for a page gets text."""
        return is_among("text/html", self.request.headers.get("Accept", ""))

    def may(self, scope: str) -> bool:
        """Whether who asks has this scope."""
        return scope in self.principal.scopes

    # Templates

    def show(self, template: str, **values: object) -> None:
        """Ends the answer with a page."""
        self._keep_refresh()
        self.finish(self.site.prefix.page(self.render_string(template, **values)))

    def get_template_namespace(self) -> dict[str, Any]:
        """The names that every template may use."""
        return super().get_template_namespace() | {
            "asset": asset,
            "now": self.site.clock.utc(),
            "colours": colours_of(self),
            "dark": COLOURS[colours_of(self)],
            "person": self.person,
            "here": self.request.uri if self.request.method == "GET" and self.get_status() == 200 else "/",
            "refresh_s": self.refresh_argument(),
            "refresh_link": self.refresh_link,
            "page_facts": page_facts,
            "tasks_words": tasks_words,
            "tasks_list": tasks_list,
            "request_id": self.request_id,
            "env_label": self.site.settings.env_label,
            "shown": shown,
            "shown_text": shown.shown_text,
            "terms": terms,
            "about": about,
            "acting": acts,
            "search": search,
            "sentences": sentences,
            "may": self.may,
            "signed_in": not self.site.guard.open and signed_in(self, self.site) is not None,
            "at_home": self.site.guard.open or self.may(Scope.READ) or signed_in(self, self.site) is not None,
            "version": __version__,
            "words": words,
        }

    def stands_still(self) -> bool:
        """Whether this request's page must stay as it is."""
        return self.request.method not in ("GET", "HEAD") or self.get_status() != 200

    def refresh_argument(self) -> int:
        """``?refresh=N``; an unexpected value does not count."""
        kept = self.get_cookie(_REFRESH, "") if self.offers_refresh else ""
        chosen = self._chosen_refresh()
        wanted = _seconds(kept or "", self.refresh_s) if chosen is None else chosen
        return 0 if self.stands_still() else wanted

    def _chosen_refresh(self) -> int | None:
        text = self.request.arguments.get("refresh", [b""])[-1].decode("ascii", "replace")
        return _seconds(text, None)

    def _keep_refresh(self) -> None:
        """Keeps what was chosen, because links and filters do not have it."""
        if self.offers_refresh and (chosen := self._chosen_refresh()) is not None:
            self.set_cookie(_REFRESH, str(chosen), **self.site.guard.cookie_terms)

    def refresh_link(self, seconds: int) -> str:
        """This page's address with another refresh."""
        return self.link_with("refresh", str(seconds))

    def link_with(self, name: str, value: str) -> str:
        """This page's address with another value of a field."""
        others = [(n, v) for n, vs in self.request.query_arguments.items() if n != name for v in vs]
        return "?" + urlencode([*others, (name, value)])

    async def type_choices(self) -> list[str]:
        """Types to choose from in a form, by name; people can type the names of others."""
        page = await self.site.service.types.page(TypeFilter(limit=MOST_CHOICES))
        return [view.type for view in page.items]

    def name_choices(self) -> list[str]:
        """Names of connected workers to choose from, in order, each once; people can type others."""
        wanted = WorkerFilter(state=WorkerStatus.CONNECTED, limit=MOST_CHOICES)
        return list(dict.fromkeys(worker.name for worker in self.site.service.workers(wanted).items))

    # Errors

    def write_problem(self, problem: Problem) -> None:
        """Ends the answer with the problem as a page; a program that did not ask for a page gets text."""
        if self.wants_page():
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.show("error.html", problem=problem)
        else:
            super().write_problem(problem)

    # Forms

    def for_programs(self) -> str:
        """What a program does that sends something here."""
        return "Programs use the API: docs/api.md describes it."

    @classmethod
    def fields_of(cls, method: str) -> tuple[str, ...]:
        """Its own, and how often it refreshes."""
        refreshes = cls.offers_refresh and method in ("GET", "HEAD")
        return (*super().fields_of(method), *(("refresh",) if refreshes else ()))

    def check_body(self) -> None:
        """A page shows what its address asks for, or nothing. A program that sends JSON is led to the API."""
        self.check_fields()
        super().check_body()
        if self.request.method == "POST" and "json" in self.request.headers.get("Content-Type", "").lower():
            raise Unsupported(f"{_OWN_FORMS} {self.for_programs()}")

    def check_xsrf_cookie(self) -> None:
        """A browser that blocks cookies asks for a page; who does not, and has no cookie, is a program."""
        if not self.request.headers.get("Cookie") and not self.wants_page():
            raise Forbidden(f"{_OWN_FORMS} {self.for_programs()}", code="bad_xsrf")
        super().check_xsrf_cookie()

    def read_form(self) -> None:
        """Parses the body of a form and checks its XSRF token. Raises BadRequest, Unsupported, HTTPError 403."""
        self.form = read_form(self.request.headers.get("Content-Type", ""), bytes(self.body))

    def lead_back(self, usual: str) -> None:
        """Goes where the button stood: on the overview, on the page of a job, or here as usual."""
        back = self.form.field("back")
        if _A_JOB.fullmatch(back):
            usual = f"/{back}"
        self.redirect("/" if back == "overview" else usual, status=303)

    def xsrf_fails(self) -> bool:
        """Whether the form lacks this browser's ``_xsrf``; call it when the form has been read."""
        # Tornado reads it from here; the query does not count.
        self.request.arguments["_xsrf"] = [self.form.text("_xsrf").encode()]
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            return True
        return False

    async def acts(self, target: str, most: int) -> list[AuditEntry]:
        """What people and programs have done to a worker, the newest first; so many are looked at."""
        return acts.done_to(await self._acts_on(target, most), ())

    async def _acts_on(self, target: str, most: int) -> list[AuditEntry]:
        return (await self.site.service.access.acts(AuditFilter(target=target, limit=most))).items


class OneJobPage(PageHandler):
    """A page about one job, by its id in the path."""

    async def acts_on_job(self, job: JobView, most: int) -> list[AuditEntry]:
        """What people and programs have done to it, alone or with many others, the newest first."""
        of_many = [act for order in job.about.operations for act in await self._acts_on(order, 1)]
        return acts.done_to(await self._acts_on(job.id, most), of_many)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Ids in the path have small letters; some programs write them large. Called by Tornado."""
        text = super().decode_argument(value, name)
        return text.lower() if name is None else text


def _seconds(text: str, default: Default) -> int | Default:
    return int(text) if text in {str(seconds) for seconds in _REFRESH_S} else default


#: What stands for itself in a path, its query and what is encoded already.
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def local_path(text: str) -> str:
    """Where to go after the login: a path on this server, or the overview. Never another site.

    In ASCII, for it stands in a header: some proxies keep the last byte of other letters alone, and it may end a line.
    """
    fine = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    return quote(text, safe=_PRINTABLE, errors="replace") if fine else "/"
