"""``--hsts-s``: every answer says that the name is reached over TLS alone, and none says it by itself."""

from __future__ import annotations

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask
from tests.handlers.matrix import MATRIX

pytestmark = pytest.mark.gen_test
HEADER = "Strict-Transport-Security"
ADDRESSES = sorted(
    (path, method.partition(":")[0]) for path, methods, _ in MATRIX.values() for method in methods.split()
)


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[0, 86_400])
def hsts_s(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def settings(hsts_s: int) -> Settings:
    return Settings(public_url="https://jobs.example", hsts_s=hsts_s)


@pytest.mark.parametrize(("path", "method"), [*ADDRESSES, ("/nowhere", "GET"), ("/api/v1/jobs", "PUT")])
async def test_every_answer_says_it_if_it_was_asked_for(ask: Ask, hsts_s: int, path: str, method: str) -> None:
    headers = {"Host": "jobs.example"} | ({} if method == "GET" else {"Content-Type": "application/json"})
    answer = await ask(path, method, headers=headers)
    assert answer.headers.get(HEADER) == (f"max-age={hsts_s}" if hsts_s else None)


async def test_a_job_that_is_made_says_it_too(ask: Ask, hsts_s: int) -> None:
    made = await ask("/api/v1/jobs", "POST", json={"type": "echo"}, headers={"Host": "jobs.example"})
    assert (made.code, HEADER in made.headers) == (201, bool(hsts_s))
