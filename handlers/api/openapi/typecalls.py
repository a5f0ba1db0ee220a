"""The calls for types of jobs: what there is, and what operators order of them."""

from __future__ import annotations

from handlers.api.openapi.causes import COMMAND, READ, SEMANTIC
from handlers.api.openapi.operation import FARM, GoodAnswer, Operation
from handlers.mediatype import JSON

__all__ = ["TYPE_OPERATIONS"]

_TYPE = GoodAnswer("The type as it is now.", "OneType")
_ORDER = (*COMMAND, "wrong_state", "invalid", SEMANTIC)

TYPE_OPERATIONS: dict[tuple[str, str], Operation] = {
    ("api-types", "GET"): Operation(
        id="listTypes",
        group=FARM,
        title="List the types by name",
        answers={200: GoodAnswer("A page of the list.", "Types", ("Link",))},
        codes=READ,
    ),
    ("api-type", "GET"): Operation(
        id="readType",
        group=FARM,
        title="Read what is known of a type",
        answers={200: GoodAnswer("The type.", "OneType")},
        codes=READ,
    ),
    ("api-type", "PATCH"): Operation(
        id="changeType",
        group=FARM,
        title="Give the new jobs of a type other defaults",
        words="Jobs that are there keep the terms that they have. The type need not be known yet.",
        answers={200: _TYPE},
        codes=_ORDER,
        body={JSON: "TypeBody"},
    ),
    ("api-rollout", "GET"): Operation(
        id="readRollout",
        group=FARM,
        title="Ask which pages have old tasks, and how far the newest rollout is",
        answers={200: GoodAnswer("Both.", "Rollout")},
        codes=READ,
    ),
    ("api-rollout", "POST"): Operation(
        id="beginRollout",
        group=FARM,
        title="Have pages with old tasks load anew, some at a time",
        words="Each when it has nothing to do. It stops if a page does not come back. With a canary it goes back "
        "if new files fail more often than old ones.",
        answers={200: GoodAnswer("It has begun.", "Rollout")},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "RolloutBody"},
    ),
    ("api-rollout-stop", "POST"): Operation(
        id="stopRollout",
        group=FARM,
        title="Stop the rollout",
        words="Pages that have loaded anew keep the new files.",
        answers={200: GoodAnswer("It tells no more pages.", "Rollout")},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-rollout-release", "POST"): Operation(
        id="releaseRollout",
        group=FARM,
        title="Offer the task files that are withheld",
        words="They failed on a canary, and former versions are offered in their place.",
        answers={200: GoodAnswer("All files are offered as they are.", "Rollout")},
        codes=(*COMMAND, "wrong_state", "invalid"),
        body={JSON: "EmptyBody"},
    ),
    ("api-type-pause", "POST"): Operation(
        id="pauseType",
        group=FARM,
        title="Let the jobs of a type wait",
        words="`*`: those of all types. Those that run go on, and new ones are taken. The type need not be known yet.",
        answers={200: _TYPE},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
    ("api-type-resume", "POST"): Operation(
        id="resumeType",
        group=FARM,
        title="Offer the jobs of a type again",
        answers={200: _TYPE},
        codes=_ORDER,
        body={JSON: "OrderBody"},
    ),
}
