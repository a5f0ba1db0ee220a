"""``/submit``: the form. It never loses what was typed: an error shows the form again with every value."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import JobNotFound, KeyConflict, PagehandError, TooLarge, TooManyJobs, Unavailable
from handlers import queries
from handlers.carried import carried
from handlers.console.options import options, typed_options
from handlers.console.page import MOST_CHOICES, XSRF_HELP, PageHandler
from handlers.errors import Invalid, problem_of
from handlers.forms.formbody import form_limit
from handlers.forms.formdata import TYPED, chosen_of, job_of_form
from handlers.forms.formlabels import typed_of
from handlers.intake import check_key, to_spec
from handlers.worker.tasks import example_text

__all__ = ["SubmitPage", "new_key"]

_CONFLICT = (
    "This form has already been sent with other content, and that job stands. "
    "Send it once more to submit what it says now as another job."
)


@dataclass(slots=True, kw_only=True)
class _Form:
    """What the form shows."""

    key: str
    typed: dict[str, str] = field(default_factory=dict)
    #: By field; the empty name stands for the whole form.
    errors: dict[str, str] = field(default_factory=dict)


class SubmitPage(PageHandler):
    """GET shows the form, POST takes it."""

    scopes: ClassVar = {"GET": Scope.SUBMIT, "POST": Scope.SUBMIT}
    query_fields = queries.NEW_JOB

    def body_limit(self) -> int:
        """The limit of a form."""
        return form_limit(self.site.settings.body_limit)

    def for_programs(self) -> str:
        """The same as this form."""
        link = self.site.prefix.link("/api/v1/jobs")
        return f"Programs submit jobs as JSON: POST {link}, with 'Content-Type: application/json'."

    async def get(self) -> None:
        """The empty form; ``?type=`` fills in a type and its example, ``?worker=`` a worker, ``?like=<id>`` a job."""
        form = _Form(key=new_key())
        like, wanted = self.get_query_argument("like", ""), self.get_query_argument("type", "")
        if like and self.may(Scope.READ):
            form.typed = await self._like(like)
        elif wanted:
            form.typed = {"type": wanted, "data": self._example(wanted)}
        if (worker := self.get_query_argument("worker", "")) and not like:
            form.typed |= {"worker": worker}
        await self._show(form, 200)

    head = get

    def _example(self, type_name: str) -> str:
        task = next((task for task in self.site.tasks.tasks() if task.name == type_name), None)
        return example_text(task) if task else ""

    async def _like(self, job_id: str) -> dict[str, str]:
        try:
            job = await self.site.service.job(job_id.lower())
        except JobNotFound:
            return {}
        return {"type": job.type, "data": job.data} | typed_of(job.terms.requires) | typed_options(job)

    async def post(self) -> None:
        """Submits; 303 to the job when it is durable. The same key means the same job: a double click submits once."""
        self.read_form()
        form = _Form(key=self.form.field("key"), typed={name: self.form.text(name) for name in TYPED})
        if self.xsrf_fails():
            form.errors[""] = XSRF_HELP.replace("Go back, reload the page and try again", "Send the form again")
            return await self._show(form, 403)
        try:
            accepted = await self.site.service.submit(self._spec(form), token_id=self.principal.token_id)
        except (Invalid, KeyConflict, TooLarge, TooManyJobs, Unavailable) as error:
            return await self._show_error(form, error)
        assert accepted.job is not None, "submit() raises where it accepts nothing"
        self.redirect(f"/jobs/{accepted.job.id}", status=303)
        return None

    def _spec(self, form: _Form) -> JobSpec:
        body = job_of_form(form.typed, chosen_of(self.form))
        spec = to_spec(body, self.site.settings, check_key(form.key or None), self.site.terms_of)
        key = self.kept_key(spec.key)
        return carried(spec, self.request.headers, self.site.tasks, self.principal.owner, key)

    async def _show_error(self, form: _Form, error: PagehandError) -> None:
        problem = problem_of(error)
        if isinstance(error, Invalid):
            # The first error of a field is enough.
            for item in reversed(error.errors):
                form.errors[item["pointer"].removeprefix("#").removeprefix("/")] = item["detail"]
        elif isinstance(error, KeyConflict):
            form.key = new_key()
            form.errors[""] = _CONFLICT
        elif isinstance(error, TooLarge):
            form.errors["file" if self._has_file() else "data"] = f"is too large: {problem.detail}"
        else:
            form.errors[""] = problem.detail
            self.set_header("Retry-After", str(problem.retry_after_s or 5))
        if self._has_file():
            form.errors.setdefault("file", "has to be chosen again: a browser does not keep it")
        await self._show(form, problem.status)

    def _has_file(self) -> bool:
        return bool(self.form.field("image")) or self.form.file("file") is not None

    async def _show(self, form: _Form, status: int) -> None:
        self.set_status(status)
        tasks = self.site.tasks.tasks()
        # The site's own tasks come first, then as many others as there is room for.
        others = await self.type_choices() if self.may(Scope.READ) else []
        choices = dict.fromkeys([*(task.name for task in tasks), *others])
        types = sorted([*choices][:MOST_CHOICES])
        limit = self.site.settings.body_limit
        terms = self.site.settings.terms
        self.show(
            "submit.html",
            form=form,
            types=types,
            tasks=tasks,
            limit=limit,
            names=self.name_choices() if self.may(Scope.READ) else [],
            options=options(terms),
        )


def new_key() -> str:
    return f"form-{secrets.token_hex(16)}"
