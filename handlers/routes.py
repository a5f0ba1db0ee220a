"""HTTP: the routes in one list, the handlers behind them, the application that server.py serves.

Handlers are verbs: they parse, call one method of the service and write. They know the service, the ``Dispatcher``,
only by its type; they never import a store, the transport or the core's machine.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.routing import URLSpec
from tornado.web import Application, url

from dispatcher.clock import Clock, SystemClock
from dispatcher.config.settings import Settings
from handlers.access import log_request
from handlers.api import (
    actions,
    audit,
    backups,
    batch,
    batches,
    events,
    jobs,
    nodes,
    tokens,
    types,
    waitmany,
    webhooks,
    workers,
)
from handlers.api import resources as api
from handlers.api.failures import FailuresHandler
from handlers.api.openapi.handler import Description, DescriptionHandler
from handlers.api.overview import OverviewHandler
from handlers.api.quarters import QuarterHandler
from handlers.api.rollouts import RolloutHandler, RolloutReleaseHandler, RolloutStopHandler
from handlers.api.shortway import ShortWayApplication
from handlers.api.workeractions import WorkerActionsHandler
from handlers.board.page import BoardPage
from handlers.console import console, doubts, lists, login, me, orders, rollouts, submit, trying, upkeep, worker
from handlers.console import types as typepages
from handlers.console.workerorders import CountWorkersPage
from handlers.failures.page import FailuresAgain, FailuresPage
from handlers.guard import Guard, Refusal
from handlers.guide.help import HelpPage
from handlers.guide.page import GuidePage
from handlers.measures.scrape import MetricsHandler
from handlers.nowhere import ApiNotFound, PageNotFound
from handlers.overview.history import HistoryPage
from handlers.overview.page import OverviewPage
from handlers.phone import page as phone
from handlers.prefix import Prefix, PrefixedApplication
from handlers.record.page import JobRecordPage
from handlers.site import STATIC, TEMPLATES, Site
from handlers.worker import connection, files
from handlers.worker.script import worker_script
from handlers.worker.tasks import TaskDirectory
from handlers.worker.turnstile import Turnstile

if TYPE_CHECKING:
    from dispatcher.node.service import Dispatcher

__all__ = ["Guard", "Refusal", "TaskDirectory", "make_app", "routes", "shipped_tasks"]

#: The path of a static file or directory; Tornado checks it further.
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_BUTTONS = "cancel|change|retry|succeeded|failed|reopen|adopt|duplicate|delete"
_ORDERS = {
    "pause": workers.WorkerPauseHandler,
    "resume": workers.WorkerResumeHandler,
    "drain": workers.WorkerDrainHandler,
    "reload": workers.WorkerReloadHandler,
    "block": workers.WorkerBlockHandler,
    "unblock": workers.WorkerUnblockHandler,
    "forget": workers.WorkerForgetHandler,
    "test": workers.WorkerTestHandler,
}
_ID = r"([A-Za-z0-9_-]{1,64})"
#: The id of a worker, or ``name:`` and a name of at most 100 characters.
_WORKER = r"([^/]{1,1210})"
#: An asterisk: all types.
_TYPE = r"([A-Za-z0-9._-]{1,100}|\*|%2[Aa])"


def shipped_tasks() -> str:
    """The directory of the tasks that come with Pagehand; ``--tasks`` may name another."""
    return str(STATIC / "tasks")


def routes(
    service: Dispatcher,
    settings: Settings,
    tasks: TaskDirectory,
    clock: Clock | None = None,
    guard: Guard | None = None,
) -> list[URLSpec]:
    """Every address, in the order in which they are tried."""
    clock = clock or SystemClock()
    site = Site(
        service=service,
        settings=settings,
        tasks=tasks,
        guard=guard or Guard(settings, clock, service.access.find, service.pages.gate.guesses),
        clock=clock,
        prefix=Prefix(settings.public_path),
    )
    given = {"site": site}
    description = Description(settings.public_path)
    named = [*_console(given), *_api(given), *_files(given), *_described(given, description)]
    description.routes = named
    # Files have exact names.
    known = [spec.regex for spec in named if not spec.regex.pattern.startswith(("/static", "/tasks"))]
    nowhere = {**given, "known": known}
    return [
        *named,
        url(r"/api(?:/.*)?", ApiNotFound, nowhere, name="api-not-found"),
        url(r"/.*", PageNotFound, nowhere, name="not-found"),
    ]


def _console(given: dict[str, Any]) -> list[URLSpec]:
    return [
        url(r"/", OverviewPage, given, name="overview"),
        url(r"/jobs", lists.JobsPage, given, name="jobs"),
        url(r"/jobs/act", orders.CountPage, given, name="jobs-act"),
        url(rf"/jobs/{_ID}", console.JobPageHandler, given, name="job"),
        url(rf"/jobs/{_ID}/({_BUTTONS})", console.JobActionHandler, given, name="job-action"),
        url(rf"/jobs/{_ID}/record", JobRecordPage, given, name="job-record"),
        url(rf"/jobs/{_ID}/try", trying.TryPage, given, name="job-try"),
        url(r"/workers", lists.WorkersPage, given, name="workers"),
        url(r"/workers/act", CountWorkersPage, given, name="workers-act"),
        url(rf"/workers/{_WORKER}", worker.OneWorkerPage, given, name="one-worker"),
        url(
            rf"/workers/{_WORKER}/(pause|resume|drain|reload|reload-now|test)",
            worker.WorkerActionHandler,
            given,
            name="worker-action",
        ),
        url(
            rf"/workers/{_WORKER}/(block|unblock|forget|describe)", worker.WorkerGateHandler, given, name="worker-gate"
        ),
        *_surveys(given),
        url(r"/operations", orders.OperationsPage, given, name="operations"),
        url(rf"/operations/{_ID}", orders.OperationPage, given, name="operation"),
        url(rf"/operations/{_ID}/(go|again|stop|undo)", orders.OperationButton, given, name="operation-button"),
        url(r"/submit", submit.SubmitPage, given, name="submit"),
        url(r"/me", me.MePage, given, name="me"),
        url(r"/login", login.LoginPage, given, name="login"),
        url(r"/logout", login.LogoutHandler, given, name="logout"),
    ]


def _surveys(given: dict[str, Any]) -> list[URLSpec]:
    """The pages that show more than one job or worker: by type, in doubt, failed, of the past."""
    return [
        url(r"/types", lists.TypesPage, given, name="types"),
        url(rf"/types/{_TYPE}", typepages.OneTypePage, given, name="one-type"),
        url(rf"/types/{_TYPE}/(pause|resume|defaults)", typepages.TypeActionHandler, given, name="type-action"),
        url(r"/rollout", rollouts.RolloutPage, given, name="rollout"),
        url(r"/rollout/(begin|stop|release)", rollouts.RolloutButton, given, name="rollout-button"),
        url(r"/phone", phone.PhonePage, given, name="phone"),
        url(r"/upkeep", upkeep.UpkeepPage, given, name="upkeep"),
        url(r"/doubts", doubts.DoubtsPage, given, name="doubts"),
        url(r"/failures", FailuresPage, given, name="failures"),
        url(r"/failures/again", FailuresAgain, given, name="failures-again"),
        url(r"/history", HistoryPage, given, name="history"),
        url(r"/board", BoardPage, given, name="board"),
    ]


def _api(given: dict[str, Any]) -> list[URLSpec]:
    return [
        url(r"/api/v1/jobs", jobs.JobsHandler, given, name="api-jobs"),
        url(r"/api/v1/jobs/wait", waitmany.WaitHandler, given, name="api-wait"),
        url(r"/api/v1/jobs/actions", actions.ActionsHandler, given, name="api-actions"),
        url(r"/api/v1/jobs/batch", batch.BatchHandler, given, name="api-batch"),
        url(rf"/api/v1/jobs/{_ID}", jobs.JobHandler, given, name="api-job"),
        url(rf"/api/v1/jobs/{_ID}/cancel", api.CancelHandler, given, name="api-cancel"),
        url(rf"/api/v1/jobs/{_ID}/retry", api.RetryHandler, given, name="api-retry"),
        url(rf"/api/v1/jobs/{_ID}/decide", api.DecideHandler, given, name="api-decide"),
        url(rf"/api/v1/jobs/{_ID}/adopt", api.AdoptHandler, given, name="api-adopt"),
        url(rf"/api/v1/jobs/{_ID}/duplicate", api.DuplicateHandler, given, name="api-duplicate"),
        url(rf"/api/v1/jobs/{_ID}/log", jobs.JobLogHandler, given, name="api-job-log"),
        url(rf"/api/v1/jobs/{_ID}/result", api.ResultHandler, given, name="api-result"),
        url(rf"/api/v1/batches/{_ID}", batches.OneBatchHandler, given, name="api-batch-view"),
        url(rf"/api/v1/batches/{_ID}/results", batches.BatchResultsHandler, given, name="api-batch-results"),
        url(r"/api/v1/operations", actions.OperationsHandler, given, name="api-operations"),
        url(rf"/api/v1/operations/{_ID}", actions.OneOperationHandler, given, name="api-operation"),
        url(rf"/api/v1/operations/{_ID}/stop", actions.StopHandler, given, name="api-operation-stop"),
        url(r"/api/v1/events", events.EventsHandler, given, name="api-events"),
        url(r"/api/v1/changes", events.ChangesHandler, given, name="api-changes"),
        *_farm(given),
        url(r"/api/v1/failures", FailuresHandler, given, name="api-failures"),
        url(r"/api/v1/overview", OverviewHandler, given, name="api-overview"),
        url(r"/api/v1/quarter", QuarterHandler, given, name="api-quarter"),
        url(r"/api/v1/stats", api.StatsHandler, given, name="api-stats"),
        url(r"/api/v1/nodes", nodes.NodesHandler, given, name="api-nodes"),
        url(r"/api/v1/backups", backups.BackupsHandler, given, name="api-backups"),
        url(r"/api/v1/backups/([A-Za-z0-9._-]{1,64})", backups.BackupHandler, given, name="api-backup"),
        url(r"/api/v1/audit", audit.AuditHandler, given, name="api-audit"),
        url(r"/api/v1/tokens", tokens.TokensHandler, given, name="api-tokens"),
        url(rf"/api/v1/tokens/{_ID}", tokens.TokenHandler, given, name="api-token"),
        *_webhooks(given),
        url(r"/metrics", MetricsHandler, given, name="metrics"),
    ]


def _farm(given: dict[str, Any]) -> list[URLSpec]:
    return [
        url(r"/api/v1/workers", api.WorkersHandler, given, name="api-workers"),
        url(r"/api/v1/workers/actions", WorkerActionsHandler, given, name="api-worker-actions"),
        url(rf"/api/v1/workers/{_WORKER}", workers.WorkerHandler, given, name="api-worker"),
        *(
            url(rf"/api/v1/workers/{_WORKER}/{order}", handler, given, name=f"api-worker-{order}")
            for order, handler in _ORDERS.items()
        ),
        url(r"/api/v1/rollout", RolloutHandler, given, name="api-rollout"),
        url(r"/api/v1/rollout/stop", RolloutStopHandler, given, name="api-rollout-stop"),
        url(r"/api/v1/rollout/release", RolloutReleaseHandler, given, name="api-rollout-release"),
        url(r"/api/v1/types", types.TypesHandler, given, name="api-types"),
        url(rf"/api/v1/types/{_TYPE}", types.OneTypeHandler, given, name="api-type"),
        url(rf"/api/v1/types/{_TYPE}/pause", types.TypePauseHandler, given, name="api-type-pause"),
        url(rf"/api/v1/types/{_TYPE}/resume", types.TypeResumeHandler, given, name="api-type-resume"),
    ]


def _webhooks(given: dict[str, Any]) -> list[URLSpec]:
    return [
        url(r"/api/v1/webhooks", webhooks.WebhooksHandler, given, name="api-webhooks"),
        url(rf"/api/v1/webhooks/{_ID}", webhooks.WebhookHandler, given, name="api-webhook"),
        url(rf"/api/v1/webhooks/{_ID}/rotate", webhooks.RotateHandler, given, name="api-webhook-rotate"),
        url(rf"/api/v1/webhooks/{_ID}/test", webhooks.TestHandler, given, name="api-webhook-test"),
        url(rf"/api/v1/webhooks/{_ID}/deliveries", webhooks.DeliveriesHandler, given, name="api-webhook-deliveries"),
        url(rf"/api/v1/webhooks/{_ID}/dead", webhooks.DeadMessagesHandler, given, name="api-webhook-dead"),
        url(rf"/api/v1/webhooks/{_ID}/redeliver", webhooks.RedeliverHandler, given, name="api-webhook-redeliver"),
    ]


def _files(given: dict[str, Any]) -> list[URLSpec]:
    """The worker page and the files that it loads; the probes."""
    static = {**given, "path": str(STATIC)}
    script = {**given, "script": worker_script()}
    tested = {**given, "turnstile": Turnstile(connection.AT_ONCE, connection.PER_MINUTE)}
    return [
        url(r"/worker", files.WorkerPageHandler, given, name="worker"),
        url(r"/static/worker\.js", files.ScriptHandler, script, name="worker-script"),
        url(rf"/static/({_NAME}(?:/{_NAME})*)", files.StaticHandler, static, name="static"),
        url(r"/tasks/index\.json", files.TaskIndexHandler, given, name="task-index"),
        url(r"/tasks/([A-Za-z0-9._-]{1,100})\.js", files.TaskHandler, given, name="task"),
        url(r"/engine\.io/test", connection.ConnectionTestHandler, tested, name="connection-test"),
        url(r"/livez", files.LiveHandler, given, name="livez"),
        url(r"/readyz", files.ReadyHandler, given, name="readyz"),
    ]


def _described(given: dict[str, Any], description: Description) -> list[URLSpec]:
    told = {**given, "description": description}
    return [
        url(r"/openapi\.json", DescriptionHandler, told, name="openapi"),
        url(r"/help", HelpPage, told, name="help"),
        url(r"/docs", GuidePage, {**told, "kept": {}}, name="docs"),
    ]


def _site_of(spec: URLSpec) -> Site:
    assert spec.kwargs is not None
    site: Site = spec.kwargs["site"]
    return site


def make_app(
    service: Dispatcher,
    settings: Settings,
    tasks: TaskDirectory,
    clock: Clock | None = None,
    guard: Guard | None = None,
    *,
    short_way: bool = True,
) -> Application:
    """The application: everything but the transport's own address. Give it a ``guard`` if its token may change.

    Without the ``short_way`` a handler takes every new job; the answers are the same.
    """
    specs = routes(service, settings, tasks, clock, guard)
    # Also for a target that is not a path, such as "OPTIONS *" or an absolute address.
    not_found = specs[-1]
    kind = partial(ShortWayApplication, site=_site_of(not_found)) if short_way else PrefixedApplication
    return kind(
        specs,
        prefix=Prefix(settings.public_path),
        default_handler_class=not_found.handler_class,
        default_handler_args=not_found.kwargs,
        template_path=str(TEMPLATES),
        # The templates escape with it. See handlers/console/shown.py.
        autoescape="shown_text",
        log_function=log_request,
        # Tornado's own check (xsrf_cookies) runs before a streamed body has come; PageHandler has the check.
        xsrf_cookie_name="pagehand_xsrf",
        xsrf_cookie_kwargs={
            "httponly": True,
            "samesite": "Lax",
            "secure": Guard(settings).secure,
            "path": settings.public_path or "/",
        },
        serve_traceback=False,
    )
