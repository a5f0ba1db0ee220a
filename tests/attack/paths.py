"""Every address of the server, for hostile requests."""

from __future__ import annotations

__all__ = ["PATHS", "WORKER_ORDERS"]

WORKER_ORDERS = ("pause", "resume", "drain", "reload", "block", "unblock")
_HOOK_VERBS = ("rotate", "test", "deliveries", "dead", "redeliver")
#: By the route's name; braces are filled in. A new route needs a line here: a test demands it.
PATHS = {
    "overview": "/",
    "jobs": "/jobs",
    "job": "/jobs/{id}",
    "job-action": "/jobs/{id}/{action}",
    "workers": "/workers",
    **{"one-worker": "/workers/{id}", "worker-action": "/workers/{id}/pause", "worker-gate": "/workers/{id}/block"},
    "types": "/types",
    "submit": "/submit",
    **{name: f"/{name}" for name in ("login", "logout")},
    "api-jobs": "/api/v1/jobs",
    "api-wait": "/api/v1/jobs/wait",
    "api-actions": "/api/v1/jobs/actions",
    "api-operations": "/api/v1/operations",
    "api-operation": "/api/v1/operations/{id}",
    "api-operation-stop": "/api/v1/operations/{id}/stop",
    "api-batch": "/api/v1/jobs/batch",
    "api-job": "/api/v1/jobs/{id}",
    "api-cancel": "/api/v1/jobs/{id}/cancel",
    "api-retry": "/api/v1/jobs/{id}/retry",
    "api-decide": "/api/v1/jobs/{id}/decide",
    "api-adopt": "/api/v1/jobs/{id}/adopt",
    "api-duplicate": "/api/v1/jobs/{id}/duplicate",
    "api-result": "/api/v1/jobs/{id}/result",
    "api-batch-view": "/api/v1/batches/{id}",
    "api-batch-results": "/api/v1/batches/{id}/results",
    "api-events": "/api/v1/events?after=odd{junk}",  # a stream would not end
    "api-changes": "/api/v1/changes",
    "api-workers": "/api/v1/workers",
    "api-worker": "/api/v1/workers/{id}",
    **{f"api-worker-{order}": f"/api/v1/workers/{{id}}/{order}" for order in WORKER_ORDERS},
    "api-types": "/api/v1/types",
    "api-stats": "/api/v1/stats",
    "api-backups": "/api/v1/backups",
    "api-backup": "/api/v1/backups/{task}.db",
    "api-audit": "/api/v1/audit",
    "api-tokens": "/api/v1/tokens",
    "api-token": "/api/v1/tokens/nobody12",
    "api-webhooks": "/api/v1/webhooks",
    "api-webhook": "/api/v1/webhooks/nobody123456",
    **{f"api-webhook-{verb}": f"/api/v1/webhooks/nobody123456/{verb}" for verb in _HOOK_VERBS},
    "metrics": "/metrics",
    "openapi": "/openapi.json",
    "docs": "/docs",
    "worker": "/worker",
    "worker-script": "/static/worker.js",
    "static": "/static/{file}",
    "task-index": "/tasks/index.json",
    "task": "/tasks/{task}.js",
    "livez": "/livez",
    "readyz": "/readyz",
    "api-not-found": "/api/{junk}",
    "not-found": "/{junk}",
    "engine.io": "/engine.io/",
}
