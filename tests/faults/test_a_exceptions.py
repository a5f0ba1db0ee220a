"""Fault A12: an exception where none should be, in each handler, each step of the loop and a turn."""

from __future__ import annotations

import asyncio
import http.client
import signal
from pathlib import Path

from tornado.routing import URLSpec

from dispatcher.config.settings import Settings
from dispatcher.sdk.simulate import Farm, Faults
from handlers.guard import Guard
from handlers.routes import routes
from tests.faults.a_support import fault_numbers, planted_server
from tests.faults.planted import SECRET, STEPS, VERBS
from tests.support.process import ServerProcess, farm_for
from tests.support.waiting import PATIENCE_S, eventually

_JSON = {"Content-Type": "application/json"}
#: As a browser sends them: pages take nothing else.
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
#: Routes that cannot be made from their parts.
_PATHS = {"api-not-found": "/api/nowhere", "not-found": "/nowhere", "static": "/static/page.js"}
#: The answer would not end.
_PATHS["api-events"] = "/api/v1/events?after=odd"


_HOOKS = ["api-webhook", *(f"api-webhook-{verb}" for verb in ("rotate", "test", "deliveries", "dead", "redeliver"))]


def _routes() -> list[tuple[str, str]]:
    """(method, path) of everything that is served."""
    specs: list[URLSpec] = routes(None, Settings(), None, guard=Guard(Settings()))  # type: ignore[arg-type]  # nobody is asked
    return [
        (verb.upper(), _PATHS.get(spec.name or "") or _path(spec))
        for spec in specs
        for verb in VERBS
        if any(verb in vars(kind) for kind in spec.handler_class.__mro__ if kind.__module__.startswith("handlers"))
    ]


def _path(spec: URLSpec) -> str:
    groups = {
        "job-action": ("x", "retry"),
        "worker-action": ("x", "pause"),
        "worker-gate": ("x", "block"),
        "type-action": ("x", "pause"),
        "operation-button": ("x", "go"),
        "rollout-button": ("begin",),
        "task": ("echo",),
        "api-token": ("x" * 8,),
        **{name: ("x" * 12,) for name in _HOOKS},
    }.get(spec.name or "", ("x",) * spec.regex.groups)
    path = spec.reverse(*groups)
    assert path is not None
    return path.replace("\\", "")


def _ask(port: int, method: str, path: str, *, planted: bool) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        headers = (_JSON if path.startswith("/api/") else _FORM) | ({"X-Planted": "1"} if planted else {})
        connection.request(method, path, b"{}" if method == "POST" else None, headers)
        answer = connection.getresponse()
        return answer.status, f"{answer.headers}{answer.read().decode()}"
    finally:
        connection.close()


def test_fault_A12_an_exception_in_any_handler_is_one_500_that_says_nothing_of_the_inside(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with planted_server(tmp_path, "handlers", "-") as server:
            farm = farm_for(server)
            await farm.start()
            await farm.registered()
            routes = _routes()
            assert len(routes) > 40
            for method, path in routes:
                status, answer = await asyncio.to_thread(_ask, server.port, method, path, planted=True)
                assert status == 500, (method, path)
                assert SECRET not in answer, (method, path)
                assert "Traceback" not in answer, (method, path)
                assert ".py" not in answer, (method, path)
                assert "X-Request-Id" in answer, (method, path)
                # Once: the next request is served, whatever it gets; and so are others.
                assert (await asyncio.to_thread(_ask, server.port, method, path, planted=False))[0] != 500, (
                    method,
                    path,
                )
            assert (await server.job((await server.submit("x"))["id"], wait_s=10))["state"] == "succeeded"
            assert farm.stats["sessions"] == 1
            await farm.stop()
            assert await server.stop() == 0
            assert fault_numbers(server) == list(range(1, len(routes) + 1)), "each is logged and counted"

    asyncio.run(scenario())


async def _hanging(server: ServerProcess) -> tuple[Farm, list[str]]:
    """Two pages, each with a job that only its timeout ends."""
    farm = farm_for(server, workers=2, types=("hang",), faults=Faults(never_answer=1.0))
    await farm.start()
    jobs = [(await server.submit("x", type="hang", timeout_s=1, max_attempts=1))["id"] for _ in range(2)]
    await farm.until(lambda: len(farm.executed) == 2, timeout_s=PATIENCE_S)
    return farm, jobs


async def _fails_once(directory: Path, step: str) -> None:
    """Everything but what the exception hit goes on, each at its time."""
    directory.mkdir()
    async with planted_server(directory, "once", step, ping_interval_s=0.4, ping_timeout_s=3.0) as server:
        working, (hanging, stuck) = farm_for(server), await _hanging(server)
        await working.start()
        await working.registered()
        server.signal(signal.SIGUSR1)
        at_once, later = await server.submit("now"), await server.submit("later", delay_s=1.0)
        for job in (at_once, later):
            done = await server.job(job["id"], wait_s=15)
            assert (done["state"], done["result"]) == ("succeeded", done["data"]), (step, done)
            assert [each["state"] for each in done["attempts"]].count("succeeded") == 1, (step, done)

        async def ended() -> bool:
            states = [(await server.job(job))["reason"] for job in stuck]
            return states.count("timed_out") >= (1 if step == "the end of a lease" else 2)

        await eventually(ended, what=f"the other leases end ({step})")
        await eventually(lambda: _hit(server), what=f"the exception in {step}")
        assert working.stats["sessions"] + hanging.stats["sessions"] <= 3 + 1, f"at most one page was hit by {step}"
        for farm in (working, hanging):
            await farm.registered()
            await farm.stop()
        assert await server.stop() == 0
        assert fault_numbers(server) == [1], step


async def _hit(server: ServerProcess) -> bool:
    return bool(fault_numbers(server))


def test_fault_A12_an_exception_in_a_step_of_the_loop_is_counted_and_everything_else_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            for step in STEPS:
                if step != "a turn":
                    group.create_task(_fails_once(tmp_path / step.replace(" ", "-"), step))

    asyncio.run(scenario())


def test_fault_A12_a_step_that_always_fails_keeps_no_lease_from_its_end_and_does_not_spin(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with planted_server(tmp_path, "always", "the transport's tick", ping_interval_s=0.2) as server:
            farm, stuck = await _hanging(server)
            server.signal(signal.SIGUSR1)
            for job in stuck:
                assert (await server.job(job, wait_s=15))["reason"] == "timed_out"
            # Some for each second and request; a loop that spins has thousands.
            assert 1 <= len(fault_numbers(server)) < 100
            await farm.stop()

    asyncio.run(scenario())


def test_fault_A12_an_exception_in_a_turn_ends_the_server_and_the_next_one_has_everything(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with planted_server(tmp_path, "once", "a turn") as server:
            kept = await server.submit("kept", key="a")
            server.signal(signal.SIGUSR1)
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": "?"}, key="b")
            assert (answer.status, answer.json()["code"]) == (503, "storage_trouble")
            assert SECRET not in answer.body.decode()
            assert await server.ended() == 1
            await server.start()
            assert (await server.submit("?", key="b"))["state"] == "queued"
            farm = farm_for(server)
            await farm.start()
            assert (await server.job(kept["id"], wait_s=10))["state"] == "succeeded"
            await farm.stop()
            assert await server.stop() == 0

    asyncio.run(scenario())
