"""The farm on which the work is done, as its API tells it: what must be there before, and what has come of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.places import ROOT, environment
from tests.support.server import ask_at

__all__ = ["Chore", "Site"]

if TYPE_CHECKING:
    from tests.chores.person import Person

_JSON = {"Content-Type": "application/json"}


class Site:
    """A running server, and its directories of tasks and backups."""

    def __init__(self, port: int, tasks: Path, backups: Path) -> None:
        self.port, self.tasks, self.backups = port, tasks, backups
        self.commands = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the API, which must be good."""
        reply = ask_at(self.port, method, f"/api/v1/{path}", None if body is None else json.dumps(body), _JSON)
        assert reply.status < 300, (method, path, reply.status, reply.body)
        return json.loads(reply.body)

    def submit(self, type_name: str, data: Any, **options: Any) -> str:
        """The id of a new job."""
        return str(self.ask("POST", "jobs", {"type": type_name, "data": data, **options})["id"])

    def submit_many(self, type_name: str, jobs: int) -> None:
        """Many at once."""
        self.ask("POST", "jobs/batch", [{"type": type_name, "data": {"order": n}} for n in range(jobs)])

    def job(self, job_id: str) -> Any:
        """One job."""
        return self.ask("GET", f"jobs/{job_id}")

    def newest(self, type_name: str) -> Any:
        """The newest job of a type, whole."""
        return self.job(self.ask("GET", f"jobs?type={type_name}&limit=1")["items"][0]["id"])

    def worker(self, name: str) -> Any:
        """The worker of this name."""
        return self.ask("GET", f"workers?name={name}&state=connected")["items"][0]

    def count(self, type_name: str | None, state: str) -> int:
        """How many jobs are in this state."""
        told = self.ask("GET", "stats") if type_name is None else self.ask("GET", f"types/{type_name}")
        return int((told["jobs"] if "jobs" in told else told["counts"]).get(state, 0))

    def metrics(self) -> str:
        """What monitoring reads."""
        return ask_at(self.port, "GET", "/metrics").body.decode()

    def command(self, *words: str) -> str:
        """What ``pagehand`` prints for this command, which must end well."""
        self.commands += 1
        program = [sys.executable, "-m", "pagehand", *words]
        urls = {"PAGEHAND_URL": f"http://127.0.0.1:{self.port}"}
        return subprocess.run(
            program, cwd=ROOT, env=environment() | urls, check=True, capture_output=True, text=True, timeout=60
        ).stdout


#: Does it, and fails if it has not come about.
Chore = Callable[["Person", Site], None]
