"""The calls for one worker: what it is, and what operators order of it."""

from __future__ import annotations

from handlers.api.openapi.causes import COMMAND, READ, SEMANTIC
from handlers.api.openapi.operation import FARM, GoodAnswer, Operation
from handlers.mediatype import JSON

__all__ = ["WORKER_OPERATIONS"]

_WORKER = GoodAnswer("The worker as it is now.", "OneWorker")
_ORDER = (*COMMAND, "wrong_state", "invalid", SEMANTIC)

WORKER_OPERATIONS: dict[tuple[str, str], Operation] = {
    ("api-worker", "GET"): Operation(
        id="readWorker",
        group=FARM,
        title="Read what is known of a worker",
        answers={200: GoodAnswer("The worker.", "OneWorker")},
        codes=READ,
    ),
    ("api-worker", "PATCH"): Operation(
        id="changeWorker",
        group=FARM,
        title="Give a worker a name, a note, labels",
        words="They win over the page's, and stay over restarts.",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "WorkerBody"},
    ),
    ("api-worker-actions", "POST"): Operation(
        id="actOnWorkers",
        group=FARM,
        title="Pause, resume, drain, reload, block, forget, label or test any number of workers",
        words="Counts them first, then acts on them some at a time, while others are served. Those that are let be are "
        "counted by a code. To block, unblock, forget and label them it takes the scope `admin`; to test them also "
        "`submit`.",
        answers={
            200: GoodAnswer("It has ended.", "Action", ("Location",)),
            202: GoodAnswer("It goes on: ask for the operation.", "Action", ("Location",)),
        },
        codes=(*COMMAND, "unavailable", "invalid", "count_changed"),
        body={JSON: "WorkerActionBody"},
    ),
    ("api-worker-pause", "POST"): Operation(
        id="pauseWorker",
        group=FARM,
        title="Keep a worker from jobs",
        words="Those that it has go on. The person at the page reads the reason, and may end it, which is noted.",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-worker-resume", "POST"): Operation(
        id="resumeWorker",
        group=FARM,
        title="Let a worker have jobs again",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-worker-drain", "POST"): Operation(
        id="drainWorker",
        group=FARM,
        title="Let a worker finish what it has, and leave",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-worker-reload", "POST"): Operation(
        id="reloadWorker",
        group=FARM,
        title="Let a worker's page load anew",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "ReloadBody"},
    ),
    ("api-worker-block", "POST"): Operation(
        id="blockWorker",
        group=FARM,
        title="Turn a worker's page away",
        words="What it has goes to others.",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-worker-forget", "POST"): Operation(
        id="forgetWorker",
        group=FARM,
        title="Forget a worker that will not come back",
        words="It must not be here. What operators have said of it and its credential go, too; its jobs keep its name.",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-worker-unblock", "POST"): Operation(
        id="unblockWorker",
        group=FARM,
        title="Let a worker's page come again",
        answers={200: _WORKER},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
}
