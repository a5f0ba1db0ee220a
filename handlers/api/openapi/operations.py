"""Every call of the HTTP surface, by the name of its route and its method."""

from __future__ import annotations

from handlers.api.openapi.causes import COMMAND, NEW_JOB, READ, SEMANTIC
from handlers.api.openapi.hookoperations import WEBHOOK_OPERATIONS
from handlers.api.openapi.lookcalls import LOOK_OPERATIONS
from handlers.api.openapi.operation import (
    ACCESS,
    ACT,
    FARM,
    FOLLOW,
    READING,
    SERVER,
    SUBMIT,
    GoodAnswer,
    Operation,
)
from handlers.api.openapi.typecalls import TYPE_OPERATIONS
from handlers.api.openapi.workercalls import WORKER_OPERATIONS
from handlers.mediatype import CSV, JSON, LINES, MULTIPART, URLENCODED

__all__ = ["FOR_PEOPLE", "OPERATIONS"]

#: Routes that are not described: pages and forms for people, files of these pages, and what no route names.
FOR_PEOPLE = frozenset(
    {"overview", "jobs", "job", "job-action", "job-record", "job-try", "workers", "types", "submit", "login", "logout"}
    | {"docs", "help", "me"}
    | {"one-worker", "worker-action", "worker-gate", "one-type", "type-action"}
    | {"rollout", "rollout-button"}
    | {"board", "doubts", "failures", "failures-again", "history", "phone", "upkeep"}
    | {"workers-act"}
    | {"jobs-act", "operations", "operation", "operation-button"}
    | {"worker", "worker-script", "connection-test", "static", "api-not-found", "not-found"}
)

_NEW = ("Location", "Idempotency-Replayed", "Preference-Applied")
_PAGE = ("Link",)
_TAGGED = ("Etag",)
_KEYED = ("Idempotency-Key", "Prefer", "Traceparent")
_TEXT, _STREAM = "text/plain", "text/event-stream"
_SUBMITTED = {
    201: GoodAnswer("The job, which is durable.", "Job", _NEW),
    200: GoodAnswer("The job that this key has made before.", "Job", _NEW),
}
_AS_IT_IS = GoodAnswer("The job as it is now.", "Job", _TAGGED)
_OPEN_JOB = "The job; `Prefer: wait=N` holds the answer until it has ended."

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("api-jobs", "POST"): Operation(
        id="submitJob",
        group=SUBMIT,
        title="Submit a job",
        words=f"{_OPEN_JOB} After a broken connection ask again with the same `Idempotency-Key`.",
        answers=_SUBMITTED,
        codes=NEW_JOB,
        headers=(*_KEYED, "X-Requested-With"),
        body={JSON: "JobBody", URLENCODED: "JobForm", MULTIPART: "JobForm"},
    ),
    ("api-batch", "POST"): Operation(
        id="submitBatch",
        group=SUBMIT,
        title="Submit 1 to 1,000 jobs, all or none",
        words="As an array, or one per line. The key stands for the whole batch.",
        answers={
            201: GoodAnswer("The jobs, which are durable, in their order.", "Batch", ("Location",)),
            200: GoodAnswer("The jobs that this key has made before.", "Batch", ("Location", "Idempotency-Replayed")),
        },
        codes=NEW_JOB,
        headers=("Idempotency-Key", "Traceparent"),
        body={JSON: "JobBatch", LINES: ""},
    ),
    ("api-duplicate", "POST"): Operation(
        id="duplicateJob",
        group=SUBMIT,
        title="Submit a job like this one",
        words="With the same type, data and terms, but for what the body says. Delay and expiry are not copied.",
        answers=_SUBMITTED,
        codes=NEW_JOB,
        headers=_KEYED,
        body={JSON: "JobCopy"},
    ),
    ("api-worker-test", "POST"): Operation(
        id="testWorker",
        group=SUBMIT,
        title="Submit a test job for one worker",
        words="The example of a task that it offers, for it alone. It takes the scopes `submit` and `operate`.",
        answers=_SUBMITTED,
        codes=(*NEW_JOB, "wrong_state"),
        headers=("Idempotency-Key", "Traceparent"),
        body={JSON: "WorkerTestBody"},
    ),
    ("api-jobs", "GET"): Operation(
        id="listJobs",
        group=READING,
        title="List jobs, the newest first",
        words="A page may be short, or empty, and still have a `next_cursor`: go on until it is null. "
        "With a `format`, or by the Accept header, all of the list comes in one answer.",
        answers={200: GoodAnswer("A page of the list, or all of it.", "Jobs", _PAGE, "JobsPart", (LINES, CSV))},
        codes=(*READ, "unavailable"),
    ),
    ("api-job", "GET"): Operation(
        id="readJob",
        group=READING,
        title="Read a job",
        words="With `wait` as soon as it is final or in doubt, or after that time.",
        answers={200: GoodAnswer("The job.", "Job", part="JobPart")},
        codes=(*READ, "unavailable"),
    ),
    ("api-result", "GET"): Operation(
        id="readResult",
        group=READING,
        title="Read the result alone",
        answers={
            200: GoodAnswer("The result as the page sent it: any JSON.", "Result"),
            202: GoodAnswer("The job: it is open.", "Job", ("Retry-After", *_TAGGED)),
        },
        codes=(*READ, "unavailable", "wrong_state"),
    ),
    ("api-job-log", "GET"): Operation(
        id="readLog",
        group=READING,
        title="Read the lines that a job's tasks wrote",
        words="Each begins with its number, which stays the same, and its instant. The job itself has them as JSON.",
        answers={200: GoodAnswer("The newest lines, oldest first.", _TEXT)},
        codes=(*READ, "unavailable"),
    ),
    ("api-wait", "POST"): Operation(
        id="waitForJobs",
        group=READING,
        title="Wait for 1 to 1,000 jobs",
        words="Answers as soon as all of them, or with `any` the first one, are final or in doubt, or after the time.",
        answers={200: GoodAnswer("The state of each.", "Standings")},
        codes=(*READ, "unavailable", "invalid"),
        body={JSON: "WaitBody"},
    ),
    ("api-actions", "POST"): Operation(
        id="actOnJobs",
        group=ACT,
        title="Cancel, retry, remove or rank any number of jobs",
        words="Counts the jobs first, then acts on them some at a time, while others are served. "
        "Jobs that come later are not touched, and those that cannot be helped are counted by a code.",
        answers={
            200: GoodAnswer("It has ended.", "Action", ("Location",)),
            202: GoodAnswer("It goes on: ask for the operation.", "Action", ("Location",)),
        },
        codes=(*COMMAND, "unavailable", "invalid", "count_changed"),
        body={JSON: "ActionBody"},
    ),
    ("api-operations", "GET"): Operation(
        id="listOperations",
        group=ACT,
        title="List the orders for many jobs or workers, the newest first",
        words="Those that run, and the newest that have ended since the server started.",
        answers={200: GoodAnswer("All that are kept.", "Operations")},
    ),
    ("api-operation", "GET"): Operation(
        id="readOperation",
        group=ACT,
        title="Ask how far an order for many is",
        words="With `wait` as soon as it has ended, or after that time.",
        answers={200: GoodAnswer("It.", "Operation")},
        codes=("unavailable",),
    ),
    ("api-operation-stop", "POST"): Operation(
        id="stopOperation",
        group=ACT,
        title="Stop an order for many",
        words="What was done stays done.",
        answers={200: GoodAnswer("It, which does nothing more.", "Operation")},
        codes=("wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-batch-view", "GET"): Operation(
        id="readBatch",
        group=READING,
        title="Ask how far a batch is",
        words="With `wait` as soon as all of its jobs are final or in doubt, or after that time.",
        answers={200: GoodAnswer("Its jobs, counted by state.", "BatchCounts")},
        codes=(*READ, "unavailable"),
    ),
    ("api-batch-results", "GET"): Operation(
        id="readBatchResults",
        group=READING,
        title="Read the results of a batch",
        words="One line of JSON for each job, in their order: `id`, `state`, `result`, `error`.",
        answers={200: GoodAnswer("The lines.", LINES)},
        codes=(*READ, "unavailable"),
    ),
    ("api-job", "PATCH"): Operation(
        id="changeJob",
        group=ACT,
        title="Change a job that waits",
        words="Durations count from now. A page that gets the job meanwhile wins: then the answer is 409.",
        answers={200: _AS_IT_IS},
        codes=(*COMMAND, "wrong_state", "version_mismatch", "invalid", SEMANTIC),
        headers=("If-Match",),
        body={JSON: "JobChange"},
    ),
    ("api-job", "DELETE"): Operation(
        id="removeJob",
        group=ACT,
        title="Remove a job that has ended",
        words="With its data, result, attempts and log. A job with a key stays for 24 h, unless the key may go.",
        answers={204: GoodAnswer("It is gone.")},
        codes=(*COMMAND, "wrong_state", "version_mismatch", "bad_request", "invalid"),
        headers=("If-Match",),
    ),
    ("api-cancel", "POST"): Operation(
        id="cancelJob",
        group=ACT,
        title="Cancel a job",
        answers={
            200: GoodAnswer("The job, which was waiting.", "Job", _TAGGED),
            202: GoodAnswer("The job, which was running: its page has yet to hear of it.", "Job", _TAGGED),
        },
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "CancelBody"},
    ),
    ("api-retry", "POST"): Operation(
        id="retryJob",
        group=ACT,
        title="Give a job another round",
        words="One that is failed, cancelled, expired or in doubt. The audit log keeps the reason.",
        answers={200: _AS_IT_IS},
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "RetryBody"},
    ),
    ("api-decide", "POST"): Operation(
        id="decideJob",
        group=ACT,
        title="Settle a job that is in doubt, or take that back",
        words="It succeeded, with a result, or it failed. To run it again, give it another round. With `in_doubt` "
        "a decision of the last 24 hours is taken back, with the result that was given; that it runs again only until "
        "a page gets it. What a page has recorded never changes.",
        answers={200: _AS_IT_IS},
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "DecideBody"},
    ),
    ("api-adopt", "POST"): Operation(
        id="adoptResult",
        group=ACT,
        title="Take the late result of a failed job for its result",
        answers={200: _AS_IT_IS},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-events", "GET"): Operation(
        id="followEvents",
        group=FOLLOW,
        title="Follow the changes of jobs as server-sent events",
        words="The stream ends with the server. Events: `job`, `gap` and `bye`, and those that `event` names.",
        answers={200: GoodAnswer("The stream.", _STREAM)},
        codes=("unavailable",),
        headers=("Last-Event-ID",),
    ),
    ("api-changes", "GET"): Operation(
        id="readChanges",
        group=FOLLOW,
        title="Read the changes of jobs page by page",
        words="Send `after` back unchanged, and you get what came behind it.",
        answers={200: GoodAnswer("A page of changes.", "Changes")},
        codes=("unavailable",),
        headers=("Last-Event-ID",),
    ),
    ("api-workers", "GET"): Operation(
        id="listWorkers",
        group=FARM,
        title="List the workers by name",
        answers={200: GoodAnswer("A page of the list.", "Workers", _PAGE)},
        codes=READ,
    ),
    **WORKER_OPERATIONS,
    **LOOK_OPERATIONS,
    **TYPE_OPERATIONS,
    ("task-index", "GET"): Operation(
        id="listTasks",
        group=FARM,
        title="List the tasks that this site offers",
        answers={200: GoodAnswer("The tasks, and the files that are none.", "TaskIndex")},
    ),
    ("task", "GET"): Operation(
        id="readTask",
        group=FARM,
        title="Read the file of a task",
        answers={200: GoodAnswer("The script.", "application/javascript")},
    ),
    ("metrics", "GET"): Operation(
        id="readMetrics",
        group=SERVER,
        title="Read the counts and sums for Prometheus",
        answers={200: GoodAnswer("The metrics; OpenMetrics for those that accept it.", _TEXT)},
        codes=READ,
    ),
    ("api-nodes", "GET"): Operation(
        id="listNodes",
        group=SERVER,
        title="List the servers that share the store",
        words="`live`, `silent` for 10 s, or `gone`: another one has taken over what it had.",
        answers={200: GoodAnswer("All nodes, by name.", "Nodes")},
        codes=READ,
    ),
    ("api-backups", "GET"): Operation(
        id="listBackups",
        group=SERVER,
        title="List the backups, the newest first",
        answers={200: GoodAnswer("All backups.", "Backups")},
        codes=(*READ, "backup_failed"),
    ),
    ("api-backups", "POST"): Operation(
        id="beginBackup",
        group=SERVER,
        title="Begin a backup of the store",
        words="It holds every job that was acknowledged before.",
        answers={202: GoodAnswer("The backup, which runs.", "Backup", ("Location",))},
        codes=(*COMMAND, "backup_failed", "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-backup", "GET"): Operation(
        id="readBackup",
        group=SERVER,
        title="Ask how far a backup is, or how it went",
        answers={200: GoodAnswer("The backup.", "Backup")},
        codes=(*READ, "backup_failed"),
    ),
    ("api-tokens", "GET"): Operation(
        id="listTokens",
        group=ACCESS,
        title="List the tokens, the newest first",
        words="The one of the settings is none of them.",
        answers={200: GoodAnswer("All tokens.", "Tokens")},
    ),
    ("api-tokens", "POST"): Operation(
        id="makeToken",
        group=ACCESS,
        title="Make a token",
        answers={201: GoodAnswer("The token; no other answer holds it.", "MadeToken", ("Location",))},
        codes=(*COMMAND, "wrong_state", "invalid", SEMANTIC),
        body={JSON: "TokenBody"},
    ),
    ("api-token", "GET"): Operation(
        id="readToken",
        group=ACCESS,
        title="Read what is known of a token",
        answers={200: GoodAnswer("It, without itself.", "Token")},
    ),
    ("api-token", "DELETE"): Operation(
        id="revokeToken",
        group=ACCESS,
        title="Revoke a token",
        words="It stays in the list, and opens nothing any more.",
        answers={200: GoodAnswer("What is known of it.", "Token")},
        codes=COMMAND,
    ),
    ("api-audit", "GET"): Operation(
        id="listActs",
        group=ACCESS,
        title="Read who has done what, the newest first",
        words="With a `format`, or by the Accept header, all of it comes in one answer.",
        answers={200: GoodAnswer("A page of the audit log, or all of it.", "Acts", _PAGE, "", (LINES, CSV))},
        codes=READ,
    ),
    **WEBHOOK_OPERATIONS,
    ("livez", "GET"): Operation(
        id="isAlive",
        group=SERVER,
        title="Ask whether the process answers",
        answers={200: GoodAnswer("It does.", _TEXT)},
    ),
    ("readyz", "GET"): Operation(
        id="isReady",
        group=SERVER,
        title="Ask whether the server takes jobs",
        answers={200: GoodAnswer("It does.", _TEXT), 503: GoodAnswer("It does not.", _TEXT, ("Retry-After",))},
    ),
    ("openapi", "GET"): Operation(
        id="readDescription",
        group=SERVER,
        title="Read this description",
        answers={200: GoodAnswer("An OpenAPI 3.1 document.", "Description")},
    ),
}
