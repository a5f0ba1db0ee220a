"""One request for each call of the description: the examples of all languages are made from it.

``JOB``, ``BATCH``, ``BACKUP``, ``OPERATION``, ``WORKER`` and ``abcd1234`` (a token) stand for what only the reader
knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct

__all__ = ["EXAMPLES", "Example"]


class Example(Struct, frozen=True, kw_only=True):
    """A request, and the same in the words of the Python client."""

    method: str = "GET"
    #: With its query.
    target: str
    headers: Mapping[str, str] = {}
    #: What is sent as JSON.
    value: Any = UNSET
    #: Lines of Python with a ``client`` of ours; empty: it has no such call.
    python: str = ""

    @property
    def body(self) -> str:
        """What is sent."""
        return "" if self.value is UNSET else msgspec.json.format(msgspec.json.encode(self.value), indent=0).decode()


_LABEL = {"type": "print-label", "data": {"order": 4711}, "priority": 5}
_BOTH = [{"type": "print-label", "data": {"order": n}} for n in (4711, 4712)]
_JOB = 'job = client.job("JOB")\n'

#: By the name of the call.
EXAMPLES: dict[str, Example] = {
    "submitJob": Example(
        method="POST",
        target="/api/v1/jobs",
        headers={"Idempotency-Key": "order-4711"},
        value=_LABEL,
        python='job = client.submit("print-label", {"order": 4711}, priority=5, key="order-4711")\nprint(job.id)',
    ),
    "submitBatch": Example(
        method="POST",
        target="/api/v1/jobs/batch",
        headers={"Idempotency-Key": "orders-8"},
        value=_BOTH,
        python='jobs = client.submit_batch("print-label", [{"order": 4711}, {"order": 4712}], key="orders-8")\n'
        "print([job.id for job in jobs])",
    ),
    "duplicateJob": Example(
        method="POST",
        target="/api/v1/jobs/JOB/duplicate",
        headers={"Idempotency-Key": "again-1"},
        value={"priority": 9},
    ),
    "listJobs": Example(
        target="/api/v1/jobs?state=failed&state=in_doubt&ended_after=-7d",
        python='for job in client.jobs(state=["failed", "in_doubt"], ended_after="-7d"):\n    print(job.id, job.state)',
    ),
    "readJob": Example(
        target="/api/v1/jobs/JOB?wait=10", python=_JOB + "job.wait(timeout=10)\nprint(job.state, job.fields)"
    ),
    "readResult": Example(target="/api/v1/jobs/JOB/result?wait=10", python=_JOB + "print(job.result(timeout=10))"),
    "readLog": Example(target="/api/v1/jobs/JOB/log?q=printer"),
    "waitForJobs": Example(
        method="POST", target="/api/v1/jobs/wait", value={"ids": ["JOB"], "any": True, "timeout_s": 10}
    ),
    "actOnJobs": Example(
        method="POST",
        target="/api/v1/jobs/actions",
        value={"action": "retry", "filter": {"state": "failed", "ended_after": "-1h"}, "dry_run": True},
        python='told = client.act("retry", {"state": "failed", "ended_after": "-1h"}, dry_run=True)\n'
        'print(told["matched"])',
    ),
    "listOperations": Example(target="/api/v1/operations"),
    "readOperation": Example(target="/api/v1/operations/OPERATION?wait=10"),
    "stopOperation": Example(method="POST", target="/api/v1/operations/OPERATION/stop", value={}),
    "readBatch": Example(target="/api/v1/batches/BATCH?wait=10"),
    "readBatchResults": Example(target="/api/v1/batches/BATCH/results"),
    "changeJob": Example(method="PATCH", target="/api/v1/jobs/JOB", value={"priority": 9, "delay_s": 0}),
    "removeJob": Example(method="DELETE", target="/api/v1/jobs/JOB?free_key=1"),
    "cancelJob": Example(
        method="POST",
        target="/api/v1/jobs/JOB/cancel",
        value={"reason": "no paper"},
        python=_JOB + 'job.cancel("no paper")\nprint(job.state)',
    ),
    "retryJob": Example(
        method="POST", target="/api/v1/jobs/JOB/retry", value={}, python=_JOB + "job.retry()\nprint(job.state)"
    ),
    "decideJob": Example(
        method="POST",
        target="/api/v1/jobs/JOB/decide",
        value={"outcome": "succeeded", "value": {"printed": 2}, "reason": "the label is there"},
    ),
    "adoptResult": Example(method="POST", target="/api/v1/jobs/JOB/adopt", value={}),
    "followEvents": Example(target="/api/v1/events?type=print-label"),
    "readChanges": Example(target="/api/v1/changes?state=failed&state=in_doubt&after=oldest"),
    "listWorkers": Example(
        target="/api/v1/workers?state=connected",
        python='for worker in client.workers(state="connected"):\n    print(worker["name"], worker["types"])',
    ),
    "readWorker": Example(target="/api/v1/workers/WORKER"),
    "changeWorker": Example(
        method="PATCH",
        target="/api/v1/workers/WORKER",
        value={"name": "FRONT-DESK-07", "labels": {"site": "berlin"}, "note": "by the door", "reason": "it moved"},
    ),
    "actOnWorkers": Example(
        method="POST",
        target="/api/v1/workers/actions",
        value={"action": "pause", "filter": {"label": "site:berlin"}, "reason": "a new printer", "dry_run": True},
    ),
    "pauseWorker": Example(method="POST", target="/api/v1/workers/WORKER/pause", value={"reason": "lunch"}),
    "resumeWorker": Example(method="POST", target="/api/v1/workers/WORKER/resume", value={"reason": "it is mended"}),
    "drainWorker": Example(method="POST", target="/api/v1/workers/WORKER/drain", value={"reason": "a new PC"}),
    "reloadWorker": Example(method="POST", target="/api/v1/workers/WORKER/reload", value={"reason": "a new driver"}),
    "testWorker": Example(method="POST", target="/api/v1/workers/WORKER/test", value={"reason": "a new printer"}),
    "blockWorker": Example(method="POST", target="/api/v1/workers/WORKER/block", value={"reason": "not ours"}),
    "forgetWorker": Example(method="POST", target="/api/v1/workers/WORKER/forget", value={"reason": "scrapped"}),
    "unblockWorker": Example(method="POST", target="/api/v1/workers/WORKER/unblock", value={"reason": "it is ours"}),
    "listTypes": Example(
        target="/api/v1/types?q=print",
        python='for kind in client.types(q="print"):\n    print(kind["type"], kind["workers"])',
    ),
    "readType": Example(target="/api/v1/types/print-label"),
    "changeType": Example(
        method="PATCH",
        target="/api/v1/types/print-label",
        value={"defaults": {"priority": 5, "timeout_s": 30, "max_attempts": None}, "reason": "the new printer is slow"},
    ),
    "pauseType": Example(method="POST", target="/api/v1/types/print-label/pause", value={"reason": "no paper"}),
    "resumeType": Example(method="POST", target="/api/v1/types/print-label/resume", value={}),
    "readRollout": Example(target="/api/v1/rollout"),
    "beginRollout": Example(method="POST", target="/api/v1/rollout", value={"at_a_time": 5, "canary": True}),
    "stopRollout": Example(method="POST", target="/api/v1/rollout/stop", value={}),
    "releaseRollout": Example(method="POST", target="/api/v1/rollout/release", value={}),
    "listTasks": Example(target="/tasks/index.json"),
    "readTask": Example(target="/tasks/word-count.js"),
    "listTokens": Example(target="/api/v1/tokens"),
    "makeToken": Example(
        method="POST",
        target="/api/v1/tokens",
        value={"name": "till 3", "scopes": ["submit"], "types": ["print-label"], "expires_s": 2_592_000},
    ),
    "readToken": Example(target="/api/v1/tokens/abcd1234"),
    "revokeToken": Example(method="DELETE", target="/api/v1/tokens/abcd1234"),
    "listWebhooks": Example(target="/api/v1/webhooks"),
    "makeWebhook": Example(
        method="POST",
        target="/api/v1/webhooks",
        value={"url": "https://shop.example/pagehand", "events": ["job.succeeded", "job.failed"], "name": "the shop"},
    ),
    "readWebhook": Example(target="/api/v1/webhooks/abcd12345678"),
    "changeWebhook": Example(method="PATCH", target="/api/v1/webhooks/abcd12345678", value={"enabled": True}),
    "rotateWebhook": Example(method="POST", target="/api/v1/webhooks/abcd12345678/rotate", value={}),
    "testWebhook": Example(method="POST", target="/api/v1/webhooks/abcd12345678/test", value={}),
    "listDeliveries": Example(target="/api/v1/webhooks/abcd12345678/deliveries?failed=1"),
    "listDeadMessages": Example(target="/api/v1/webhooks/abcd12345678/dead"),
    "redeliverMessages": Example(method="POST", target="/api/v1/webhooks/abcd12345678/redeliver", value={"dead": True}),
    "deleteWebhook": Example(method="DELETE", target="/api/v1/webhooks/abcd12345678"),
    "listActs": Example(target="/api/v1/audit?action=job.cancel&after=-7d"),
    "listFailures": Example(target="/api/v1/failures?type=print-label"),
    "readOverview": Example(target="/api/v1/overview"),
    "readQuarter": Example(target="/api/v1/quarter?at=-2h"),
    "readStats": Example(
        target="/api/v1/stats?type=print&window=1h", python='print(client.stats(type="print", window="1h")["ended"])'
    ),
    "readMetrics": Example(target="/metrics"),
    "listNodes": Example(target="/api/v1/nodes"),
    "listBackups": Example(target="/api/v1/backups"),
    "beginBackup": Example(method="POST", target="/api/v1/backups", value={}),
    "readBackup": Example(target="/api/v1/backups/BACKUP"),
    "isAlive": Example(target="/livez"),
    "isReady": Example(target="/readyz?verbose"),
    "readDescription": Example(target="/openapi.json"),
}
