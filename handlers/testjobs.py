"""The jobs with which workers can be tested: the examples of the site's tasks. For API and console, which send them."""

from __future__ import annotations

from dispatcher.core.jobs.model import JobSpec
from handlers.carried import carried
from handlers.errors import Invalid, field_error
from handlers.intake import body_of, to_spec
from handlers.rules import Rules
from handlers.worker.tasks import Task, TaskDirectory, example_text

__all__ = ["example_jobs", "tasks_with_example"]

#: The harmless task of this program comes first.
_FIRST = "echo"


def tasks_with_example(tasks: TaskDirectory) -> list[Task]:
    """The tasks that come with an example, in the order in which a worker is tested with them."""
    found = [task for task in tasks.tasks() if task.example is not None]
    return sorted(found, key=lambda task: (task.name != _FIRST, task.name))


def example_jobs(rules: Rules, wanted: str, key: str | None = None) -> tuple[JobSpec, ...]:
    """One for each task, or for the one that is wanted. Raises Invalid if that has none.

    ``key``: so that the same order makes no second job; None: each does.
    """
    site, headers, owner = rules.site, rules.request.headers, rules.principal.owner
    tasks = [task for task in tasks_with_example(site.tasks) if wanted in ("", task.name)]
    if not tasks:
        raise Invalid([field_error("type", "must be a task of this site that comes with an example")])
    jobs = [body_of({"type": task.name}, example_text(task)) for task in tasks]
    specs = [to_spec(job, site.settings, key, site.terms_of) for job in jobs]
    return tuple(carried(spec, headers, site.tasks, owner, rules.kept_key(spec.key)) for spec in specs)
