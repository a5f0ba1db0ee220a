"""Helpers for the faults of worker pages: a server with their tasks, jobs for it, and waits for what it shows."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException

from tests.faults.long_form import LONG
from tests.page.browsers import Browser
from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

__all__ = [
    "LONG",
    "TASKS",
    "kept",
    "post",
    "serve",
    "show",
    "status",
    "until_another_load",
    "until_ready",
    "until_started",
    "until_state",
    "worker",
    "workers",
]

TASKS = Path(__file__).with_name("tasks")
PATIENCE_S = 20.0


def serve(directory: Path, **settings: float) -> AbstractContextManager[Live]:
    """A real server process with the tasks of this directory: ``serve(path, ping_interval_s=0.5)``."""
    flags = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return live(directory, "--tasks", str(TASKS), *flags)


def post(server: Live, kind: str, data: Any, **fields: Any) -> str:
    """The id of a job that was accepted."""
    reply = server.ask("POST", "/api/v1/jobs", json.dumps({"type": kind, "data": data, **fields}), JSON)
    assert reply.status == 201, reply
    return str(reply.json()["id"])


def until_state(server: Live, name: str, state: str, seconds: float = PATIENCE_S) -> dict[str, Any]:
    """The job, once it is in this state."""
    return dict(until(lambda: (now := server.job(name))["state"] == state and now, seconds, f"a job that is {state}"))


def until_started(server: Live, name: str) -> dict[str, Any]:
    """The job, once a page has accepted it."""
    return dict(until(lambda: (now := server.job(name))["started_at"] and now, PATIENCE_S, "an accept"))


def workers(server: Live) -> list[dict[str, Any]]:
    """The workers that the server knows."""
    return list(server.ask("GET", "/api/v1/workers").json()["items"])


def worker(server: Live, name: str) -> dict[str, Any]:
    """The worker of this name; empty if there is none."""
    return next((each for each in workers(server) if each["name"] == name), {})


def kept(browser: Any, name: str) -> None:
    """Keeps a picture for people, if ``PAGEHAND_PICTURES`` names a directory."""
    if directory := os.environ.get("PAGEHAND_PICTURES"):
        browser.screenshot(Path(directory) / f"{name}.png")


def status(browser: Browser) -> dict[str, str]:
    """What a person reads; empty while the page is loading anew."""
    try:
        return browser.status()
    except WebDriverException:
        return dict.fromkeys(("state", "word", "detail", "today"), "")


def until_ready(browser: Browser, seconds: float = PATIENCE_S) -> None:
    """Waits until the page says READY."""
    until(lambda: status(browser)["word"] == "READY", seconds, "a page that shows that it is ready")


def until_another_load(browser: Browser) -> None:
    """Waits until a page comes that does not know ``window.before``."""

    def another() -> bool:
        try:
            return browser.run("window.before === undefined") is True
        except WebDriverException:
            return False

    until(another, PATIENCE_S, "another load of the page")


def show(browser: Browser, server: Live, query: str, state: str = "ready") -> None:
    """Opens the worker page and waits until it says so."""
    browser.open(f"{server.url}/worker?{query}")
    until(lambda: status(browser)["state"] == state, PATIENCE_S, f"a page that is {state}")
