"""With ``--isolate``: every address, by every method, for tokens of each scope, with an own and with a foreign job.

A foreign job, batch or operation is answered byte for byte as one that is not there.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.access.scopes import Scope, with_included
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder
from dispatcher.core.jobs.model import JobFilter
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask, Scene
from tests.handlers.matrix import MATRIX, OPEN
from tests.handlers.rich import rich
from tests.handlers.test_scopes import METHODS, declared
from tests.handlers.test_security import TOKEN
from tests.support.house import House
from tests.support.jobs import spec

pytestmark = pytest.mark.gen_test(timeout=60)

#: Each scope alone, and a program that submits and looks after its jobs.
GIVEN = [(scope,) for scope in Scope] + [(Scope.SUBMIT, Scope.READ, Scope.OPERATE)]
#: What a request must say to be more than malformed.
BODIES: dict[tuple[str, str], Any] = {
    ("api-job", "PATCH"): {"priority": 1},
    ("api-type", "PATCH"): {"defaults": {"priority": 1}},
    ("api-decide", "POST"): {"outcome": "failed"},
}
#: Whose address names a job, a batch or an operation, and how it is named in the matrix.
JOB, BATCH, OPERATION = "done-1", "batches/nope", "operations/nope"
NOT_THERE = "00000000-0000-7000-8000-00000000dead"


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.fixture
def settings() -> Settings:
    return Settings(token=TOKEN, isolate=True)


async def something_of(house: House, owner: str, token_id: str, path: str) -> str:
    """A job, batch or operation of this owner: as the address names it."""
    if JOB in path:
        return (await house.submit("thumbnail", owner=owner)).id
    if BATCH in path:
        (accepted,) = await house.dispatcher.submit_batch([spec("thumbnail", owner=owner)])
        assert accepted.job is not None
        return str(accepted.job.batch)
    order = OperationOrder(
        action=OperationAction.CANCEL, wanted=JobFilter(type="none"), actor=Actor(owner, token_id, "192.0.2.7")
    )
    operations = house.dispatcher.operations
    return (await operations.wait(operations.begin(order).id, 30.0)).id


def named_in(path: str) -> str | None:
    """What stands in the address for a job, a batch or an operation."""
    return next((name for name in (JOB, BATCH, OPERATION) if name in path), None)


def address_of(path: str, name: str) -> str:
    stands = named_in(path)
    assert stands is not None
    return path.replace(stands, f"{stands.rpartition('/')[0]}/{name}".lstrip("/"))


def told(answer: Any, name: str) -> tuple[int, Any, Any]:
    """An answer without what must differ: the name that was asked for, and the request's own id."""
    text = answer.body.decode().replace(name, "NAME")
    body = json.loads(text) if text.startswith("{") else text
    if isinstance(body, dict):
        body.pop("request_id", None)
    return answer.code, answer.headers.get("Content-Type"), body


@pytest.mark.parametrize("name", MATRIX)
async def test_a_foreign_job_is_as_one_that_is_not_there(
    ask: Ask, house: House, settings: Settings, tasks: TaskDirectory, name: str
) -> None:
    path, _, kind = MATRIX[name]
    scopes = declared(house, settings, tasks)[name]
    handler = next(route.handler_class for route in routes(house.dispatcher, settings, tasks) if route.name == name)
    for given in GIVEN:
        owner = "-".join(given)
        token, text = await house.dispatcher.access.make(owner, given, actor=Actor("test"))
        alone = Scope.SUBMIT in given and Scope.ADMIN not in given
        for verb in METHODS:
            cell = (verb, path, owner)
            headers = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
            sent: dict[str, Any] = {"headers": headers}
            if verb in ("POST", "PATCH"):
                sent["body"] = json.dumps(BODIES.get((name, verb), {}))
            has = set(scopes.get(verb, "none").split(" and ")) <= {"public", *with_included(given)}
            if named_in(path) is None or kind == OPEN:
                answer = await ask(path, verb, **sent)
                closed = kind != OPEN and alone and has and not handler.looks_at_jobs
                assert (answer.code == 403) == (verb in scopes and (closed or not has)), cell
                if closed and verb != "HEAD" and kind != "page":
                    assert json.loads(answer.body)["code"] == "forbidden_owner", cell
                continue
            names = {
                "own": await something_of(house, owner, token.id, path),
                "foreign": await something_of(house, "another", "abcd1234", path),
                "nobody's": NOT_THERE,
            }
            answers = {
                whose: told(await ask(address_of(path, named), verb, **sent), named) for whose, named in names.items()
            }
            codes = {whose: answer[0] for whose, answer in answers.items()}
            if verb not in scopes:
                assert set(codes.values()) == {405}, cell
            elif not has or (alone and not handler.looks_at_jobs):
                assert answers["own"] == answers["foreign"] == answers["nobody's"], cell
                assert codes["own"] == 403, cell
            elif alone:
                assert answers["foreign"] == answers["nobody's"], cell
                assert codes["foreign"] == 404, cell
                assert codes["own"] not in (403, 404), cell
            else:
                assert codes["own"] == codes["foreign"] != 404, cell


async def test_whoever_knows_of_his_own_jobs_alone_is_not_told_how_many_wait(ask: Ask, house: House) -> None:
    job = await house.submit("crowded", owner="ann")
    await house.submit("crowded", owner="bert", priority=9)
    told = {}
    for owner, given in (("ann", (Scope.SUBMIT, Scope.READ)), ("reader", (Scope.READ,))):
        _, text = await house.dispatcher.access.make(owner, given, actor=Actor("test"))
        answer = await ask(f"/api/v1/jobs/{job.id}", headers={"Authorization": f"Bearer {text}"})
        outlook = json.loads(answer.body)["waiting"]["outlook"]
        told[owner] = outlook and (outlook["place"], outlook["of"])
    assert told == {"ann": None, "reader": (2, 2)}
