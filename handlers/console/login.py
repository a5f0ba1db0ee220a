"""``/login`` and ``/logout``: how a browser shows the token."""

from __future__ import annotations

from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope
from dispatcher.errors import BadRequest, Forbidden, TooManyGuesses
from handlers import queries
from handlers.console.page import XSRF_HELP, PageHandler, local_path
from handlers.person import LONGEST_PERSON, forget_person, keep_person, person_typed, signed_by
from handlers.signin import sign_in, sign_out

__all__ = ["LoginPage", "LogoutHandler"]


class LoginPage(PageHandler):
    """Takes the token once and sets a cookie in its place; asks who it is, so that acts have authors."""

    public = True
    query_fields = queries.NEXT

    def for_programs(self) -> str:
        """How they show the token."""
        return "Programs do not sign in: they send 'Authorization: Bearer TOKEN' with each request."

    def get(self) -> None:
        """The form."""
        following = local_path(self.get_query_argument("next", "/"))
        if self.site.guard.open:
            self.redirect(following, status=303)
        else:
            self._show(following, self.person)

    head = get

    def post(self) -> None:
        """303 to where the person wanted to go, or the form again."""
        self.read_form()
        following = local_path(self.form.field("next"))
        if self.xsrf_fails():
            return self._again(following, 403, XSRF_HELP)
        try:
            person = person_typed(self.form.field("person"))
        except BadRequest as refused:
            return self._again(following, 422, refused.detail)
        try:
            who = self.site.guard.whose(self.form.field("token").strip().encode(), self.request.remote_ip)
        except TooManyGuesses as refused:
            self.set_header("Retry-After", str(refused.retry_after_s))
            return self._again(following, 429, refused.detail)
        if who is None:
            return self._again(following, 401, "That is not this server's token.")
        try:
            who.needs(Scope.READ)
            who.needs_no_bound()
            if self.site.settings.isolate and who.is_submitter:
                raise who.has_only_its_own("The console shows everybody's.")
        except Forbidden as refused:
            return self._again(following, 403, refused.detail)
        self._sign_in(who, person)
        self.redirect(following, status=303)
        return None

    def _sign_in(self, who: Principal, person: str) -> None:
        self.principal = who
        sign_in(self, self.site.guard, who)
        if person:
            keep_person(self, self.site.guard, person)
        self.site.service.access.signed_in(signed_by(self.plain_actor("console"), person or self.person))

    def _again(self, following: str, status: int, error: str) -> None:
        self.set_status(status)
        if status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="pagehand"')
        self._show(following, self.form.text("person"), "person" if status == 422 else "token", error)

    def _show(self, following: str, typed: str, wrong: str = "", error: str = "") -> None:
        """``wrong``: the field that is."""
        self.show("login.html", following=following, typed=typed, wrong=wrong, error=error, longest=LONGEST_PERSON)


class LogoutHandler(PageHandler):
    """Ends the session of this browser."""

    public = True

    def post(self) -> None:
        """303 to the login."""
        self.read_form()
        if not self.xsrf_fails():
            sign_out(self, self.site.guard)
            forget_person(self, self.site.guard)
        self.redirect("/login", status=303)
