"""The application on a fake service, and a short way to ask it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.web import Application

from dispatcher.config.settings import Settings
from handlers.routes import TaskDirectory, make_app
from tests.handlers.fake_service import NOW, FakeService
from tests.handlers.rich import TASKS

Ask = Callable[..., Awaitable[HTTPResponse]]


class StillClock:
    """A clock that stands still."""

    def utc(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 100.0


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def tasks(tmp_path: Path) -> TaskDirectory:
    directory = tmp_path / "tasks"
    directory.mkdir()
    for name, text in TASKS.items():
        (directory / f"{name}.js").write_text(text, "utf-8")
    return TaskDirectory(directory, host_call=("Print",))


@pytest.fixture
def app(service: FakeService, settings: Settings, tasks: TaskDirectory) -> Application:
    return make_app(service, settings, tasks, StillClock())


class Browser:
    """Asks as a browser does: with Accept, cookies and the form's XSRF token."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, **given: Any) -> HTTPResponse:
        return await self._send("GET", path, **given)

    async def post(self, path: str, fields: dict[str, str], from_page: str = "/submit", **given: Any) -> HTTPResponse:
        """Loads a page, and sends a form with its XSRF token."""
        page = await self.get(from_page)
        match = re.search(r'name="_xsrf" value="([^"]+)"', page.body.decode())
        body = urlencode(({"_xsrf": match[1]} if match else {}) | fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", path, body=body, headers=kind | given.pop("headers", {}), **given)

    async def _send(self, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> HTTPResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Accept": "text/html,*/*"} | ({"Cookie": cookie} if cookie else {})
        response = await self._ask(path, method, headers=own | (headers or {}), **given)
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response


@pytest.fixture
def ask(app: Application, http_client: AsyncHTTPClient, base_url: str) -> Ask:
    """``await ask(path, method, body=..., json=..., headers=...)``; no error is raised, no redirect followed."""

    async def fetch(path: str, method: str = "GET", **given: Any) -> HTTPResponse:
        headers = dict(given.pop("headers", {}))
        if "json" in given:
            given["body"] = json.dumps(given.pop("json"))
            headers.setdefault("Content-Type", "application/json")
        given.setdefault("allow_nonstandard_methods", True)
        return await http_client.fetch(
            base_url + path, method=method, headers=headers, raise_error=False, follow_redirects=False, **given
        )

    return fetch


@pytest.fixture
def browser(ask: Ask) -> Browser:
    return Browser(ask)


def body_of(response: HTTPResponse) -> Any:
    """The JSON of an answer."""
    return json.loads(response.body)
