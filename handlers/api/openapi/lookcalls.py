"""The calls that tell how the server is doing, and how it did."""

from __future__ import annotations

from handlers.api.openapi.causes import READ
from handlers.api.openapi.operation import READING, SERVER, GoodAnswer, Operation

__all__ = ["LOOK_OPERATIONS"]

LOOK_OPERATIONS: dict[tuple[str, str], Operation] = {
    ("api-stats", "GET"): Operation(
        id="readStats",
        group=SERVER,
        title="Count jobs and workers by state, and how jobs have ended",
        words="Where a type or a window is named, `ended` tells of the jobs that ended in it.",
        answers={200: GoodAnswer("The counts.", "Stats")},
        codes=READ,
    ),
    ("api-failures", "GET"): Operation(
        id="listFailures",
        group=READING,
        title="List what jobs failed with",
        words="The newest 1,000 failed jobs, those with the same message together. Numbers in a message stand as `#`.",
        answers={200: GoodAnswer("The groups, the largest first.", "Failures")},
        codes=READ,
    ),
    ("api-overview", "GET"): Operation(
        id="readOverview",
        group=SERVER,
        title="Ask whether all is well",
        words="What the overview shows: problems in sentences, counters, the types that have most to do.",
        answers={200: GoodAnswer("How the server is doing.", "Overview")},
        codes=READ,
    ),
    ("api-quarter", "GET"): Operation(
        id="readQuarter",
        group=SERVER,
        title="Look back on a quarter of an hour of the last day",
        words="How jobs ended then, by type, with the commonest errors; deploys, pauses and restarts; who went.",
        answers={200: GoodAnswer("What is kept of it.", "Quarter")},
        codes=READ,
    ),
}
