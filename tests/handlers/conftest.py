"""The application on a dispatcher with a store in memory and a still clock, and a short way to ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobSpec, JobView, TypeFilter, TypePage, WorkerFilter, WorkerPage
from dispatcher.core.jobs.turn import Accepted
from dispatcher.core.jobs.views.batches import BatchItem
from dispatcher.node.acts.types import Types
from dispatcher.node.service import Dispatcher
from dispatcher.node.views.waiting import Why
from handlers.routes import TaskDirectory, make_app
from tests.handlers.rich import TASKS
from tests.support.clock import ManualClock
from tests.support.forms import FORM, Cookies, hidden
from tests.support.house import House
from tests.support.jobs import NOW

Ask = Callable[..., Awaitable[HTTPResponse]]
Scene = Callable[[House], Awaitable[None]]


async def nothing_more() -> None:
    """Does nothing."""


class WatchedTypes(Types):
    """The real types; it notes who reads the list."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[TypeFilter | None] = []

    async def page(self, wanted: TypeFilter | None = None) -> TypePage:
        self.asked.append(wanted)
        return await super().page(wanted)


class Watched(Dispatcher):
    """The real dispatcher; it notes the calls of handlers."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.asked_why: list[str] = []
        self.asked_workers: list[WorkerFilter | None] = []
        self.types = WatchedTypes(self._store, self._clock, self._turns, self.machine, self._readers, given["files"])
        self.asked_types = self.types.asked
        self.waited_s: list[float] = []
        self.read_jobs: list[str] = []
        self.somebody_waits, self.left = asyncio.Event(), asyncio.Event()
        #: Called before a batch's results are read on.
        self.before_next_items: Callable[[], Awaitable[object]] = nothing_more
        #: What every submission raises.
        self.fault: Exception | None = None

    async def submit(self, spec: JobSpec, *, token_id: str = "") -> Accepted:
        if self.fault is not None:
            raise self.fault
        return await super().submit(spec, token_id=token_id)

    def why(self, job: JobView) -> Why | None:
        self.asked_why.append(job.id)
        return super().why(job)

    def workers(self, wanted: WorkerFilter | None = None) -> WorkerPage:
        self.asked_workers.append(wanted)
        return super().workers(wanted)

    async def job(self, job_id: str) -> JobView:
        self.read_jobs.append(job_id)
        return await super().job(job_id)

    async def batch_items(self, batch_id: str, after: int = 0) -> list[BatchItem]:
        if after:
            await self.before_next_items()
        return await super().batch_items(batch_id, after)

    async def wait(self, job_id: str, timeout_s: float, *, is_new: bool = False) -> JobView:
        self.waited_s.append(timeout_s)
        self.somebody_waits.set()
        try:
            return await super().wait(job_id, timeout_s, is_new=is_new)
        except asyncio.CancelledError:
            self.left.set()
            raise


async def nothing(house: House) -> None:
    """No job, no worker."""


async def draining(house: House) -> None:
    """A server that is stopping."""
    house.dispatcher.begin_drain()


async def no_room(house: House) -> None:
    """A server whose disk is nearly full."""
    house.store.has_space = False
    await house.pass_time(house.settings.store_check_s)


@pytest.fixture
def scene() -> Scene | None:
    """The scene in which the test begins; None: the server has not started yet."""
    return nothing


async def open_house(settings: Settings, scene: Scene | None) -> House:
    """A dispatcher on a clock that stands still, after the scene."""
    house = House(clock=ManualClock(100.0, NOW), kind=Watched, **asdict(settings))
    house.shipped.clear()
    if scene is not None:
        await house.start()
        await scene(house)
    return house


@pytest.fixture
def house(io_loop: IOLoop, settings: Settings, scene: Scene | None) -> Iterator[House]:
    """The dispatcher behind the application."""
    house = io_loop.run_sync(lambda: open_house(settings, scene))
    yield house
    io_loop.run_sync(house.dispatcher.close)


@pytest.fixture
def watched(house: House) -> Watched:
    assert isinstance(house.dispatcher, Watched)
    return house.dispatcher


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
def short_way() -> bool:
    """Whether plain new jobs come by the short way; a module may want both."""
    return True


@pytest.fixture
def app(house: House, settings: Settings, tasks: TaskDirectory, short_way: bool) -> Application:
    return make_app(house.dispatcher, settings, tasks, house.clock, short_way=short_way)


class Browser:
    """Asks as a browser does: with Accept, cookies and the form's XSRF token.

    It is not ``forms.FormClient``: the server has the loop of the test that asks.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.cookies = Cookies()

    async def get(self, path: str, **given: Any) -> HTTPResponse:
        return await self._send("GET", path, **given)

    async def page(self, address: str) -> str:
        """The text of a page that is there."""
        response = await self.get(address)
        assert response.code == 200
        return str(response.body.decode())

    async def post(
        self, path: str, fields: Mapping[str, str | list[str]], from_page: str = "/submit", **given: Any
    ) -> HTTPResponse:
        """Loads a page, and sends a form with its XSRF token."""
        page = await self.get(from_page)
        hides = hidden(page.body.decode())
        own = {name: value for name, value in hides.items() if name == "_xsrf"}
        body = urlencode({**own, **fields}, doseq=True)
        return await self._send("POST", path, body=body, headers=FORM | given.pop("headers", {}), **given)

    async def _send(self, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> HTTPResponse:
        own = {"Accept": "text/html,*/*"} | self.cookies.header()
        response = await self._ask(path, method, headers=own | (headers or {}), **given)
        self.cookies.keep(response.headers.get_list("Set-Cookie"))
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


@pytest.fixture(params=["chromium", "phantom"])
def window(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A real browser: first the newest, then one as old as the oldest that are about."""
    from tests.page.browsers import PhantomJS, browsing  # for few tests: all others do without selenium

    if request.param == "chromium":
        yield request.getfixturevalue("chromium")
    else:
        with browsing(PhantomJS()) as phantom:
            yield phantom
