"""``/help``: what a stranger asks first: words, keys, where things are, and what programs can call.

It works without JavaScript and needs no token, as ``/docs`` does not: it holds no secrets. The list of calls is made
from the description, and so cannot miss one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from handlers.api.openapi.handler import Description
from handlers.console.page import PageHandler
from handlers.site import Site

__all__ = ["IN_THE_CONSOLE", "KEYS", "WORDS", "HelpPage"]

WORDS = (
    ("Job", "One piece of work. Somebody submits it once, and it ends once: succeeded, failed, cancelled or expired."),
    ("Task, type", "The JavaScript function that does a job, and its name. A job waits for a page that has the task."),
    ("Worker", "A web page that is open somewhere and does jobs. It has a name, such as FRONT-DESK-07, and labels."),
    ("Try", "One worker's go at a job. After an error, or when its page has gone, there is another, up to a limit."),
    ("In doubt", "The job may take effect only once, it had begun, and nobody knows whether it did. A person decides."),
    ("Paused", "Somebody keeps a worker, or all jobs of a type, from starting. What runs goes on."),
)
#: As static/keys.js has them.
KEYS = (
    ("g o", "Overview"), ("g j", "Jobs"), ("g w", "Workers"), ("g t", "Types"), ("g h", "Help"),
    ("/", "To the search"), ("j", "Next row"), ("k", "Row before"),
    ("x", "Tick the row, or take the tick away (jobs, workers)"), ("X", "Tick all rows, or take all ticks away"),
    ("r", "Load the page anew"), ("t", "Colours: light, dark, as the system has them"), ("?", "Show or hide this list"),
)  # fmt: skip
_JOB, _WORKER, _TYPE, _ORDER = "/jobs/<id>", "/workers/<id>", "/types/<type>", "/operations/<id>"
#: Where the console does what a call does.
IN_THE_CONSOLE: Mapping[str, str] = {
    "submitJob": "/submit",
    "listJobs": "/jobs",
    "actOnJobs": "/jobs",
    "decideJob": "/doubts",
    "listFailures": "/failures",
    "listOperations": "/operations",
    **dict.fromkeys(("readOperation", "stopOperation"), _ORDER),
    **dict.fromkeys(("readJob", "readResult", "readLog", "duplicateJob", "changeJob", "removeJob"), _JOB),
    **dict.fromkeys(("cancelJob", "retryJob", "adoptResult"), _JOB),
    **dict.fromkeys(("listWorkers", "actOnWorkers"), "/workers"),
    **dict.fromkeys(("readWorker", "changeWorker", "pauseWorker", "resumeWorker", "drainWorker"), _WORKER),
    **dict.fromkeys(("reloadWorker", "blockWorker", "unblockWorker", "forgetWorker", "testWorker"), _WORKER),
    "listTypes": "/types",
    **dict.fromkeys(("readType", "changeType", "pauseType", "resumeType"), _TYPE),
    **dict.fromkeys(("readRollout", "beginRollout", "stopRollout", "releaseRollout"), "/rollout"),
    **dict.fromkeys(("readOverview", "readQuarter"), "/"),
    "readStats": "/history",
}


class CallLine(Struct, frozen=True):
    """One call in one line."""

    id: str
    method: str
    path: str
    title: str
    #: The address of the console that does the same; empty: none does.
    page: str


def call_lines(document: dict[str, Any]) -> dict[str, list[CallLine]]:
    """All calls, by the name of their group, in order."""
    found: dict[str, list[CallLine]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            name = told["operationId"]
            line = CallLine(name, method.upper(), path, told["summary"], IN_THE_CONSOLE.get(name, ""))
            found[told["tags"][0]].append(line)
    return found


class HelpPage(PageHandler):
    """``/help``."""

    public = True

    def initialize(self, site: Site, description: Description) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        super().initialize(site)
        self._description = description

    def get(self) -> None:
        """The page."""
        self.show("help.html", glossary=WORDS, keys=KEYS, groups=call_lines(self._description.document))

    head = get
