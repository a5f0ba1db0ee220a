"""Real answers, good ones and refusals, are what the description says: status, headers, fields and types."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest, HTTPResponse

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.telling import RollEvent
from tests.handlers.api.openapi.conftest import Judge
from tests.handlers.conftest import Ask, Scene, body_of, draining
from tests.handlers.rich import rich
from tests.support.house import House

JSON = {"Content-Type": "application/json"}
KEY = {"Idempotency-Key": "order-1"}
NEW = {"type": "print-label", "data": {"order": 4711}, "requires": {"site": ["berlin", "rome"]}, "delay_s": 60}
#: Address, what is sent, and the status of the answer. In this order: some change jobs.
ORDERS = ("pause", "resume", "drain", "reload", "block", "unblock", "forget", "test")
CASES: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/api/v1/jobs?limit=3", {}, 200),
    ("GET", "/api/v1/jobs?limit=100", {}, 200),
    ("GET", "/api/v1/jobs?state=failed&state=in_doubt&created_after=-1h", {}, 200),
    ("GET", "/api/v1/jobs?q=order&snippets=1", {}, 200),
    ("GET", "/api/v1/jobs?q=order&snippets=1&fields=id,state", {}, 200),
    ("GET", "/api/v1/jobs?status=failed", {}, 400),
    ("GET", "/api/v1/jobs?limit=0", {}, 400),
    ("GET", "/api/v1/jobs?fields=id,state&limit=1", {}, 200),
    ("GET", "/api/v1/jobs?fields=id,data", {}, 400),
    ("GET", "/api/v1/jobs?format=ndjson", {}, 200),
    ("GET", "/api/v1/jobs?fields=id", {"headers": {"Accept": "text/csv"}}, 200),
    ("GET", "/api/v1/jobs?format=csv&limit=1", {}, 400),
    ("POST", "/api/v1/jobs", {"json": NEW}, 201),
    ("POST", "/api/v1/jobs", {"json": NEW, "headers": {**KEY, "Prefer": "wait=0"}}, 201),
    ("POST", "/api/v1/jobs", {"json": NEW, "headers": KEY}, 200),
    ("POST", "/api/v1/jobs", {"json": {"type": "other"}, "headers": KEY}, 422),
    ("POST", "/api/v1/jobs", {"json": {"type": "a b", "priority": 2_000, "colour": "red"}}, 422),
    ("POST", "/api/v1/jobs", {"body": "{", "headers": JSON}, 400),
    ("POST", "/api/v1/jobs", {"body": "{}"}, 415),
    ("POST", "/api/v1/jobs", {"json": NEW, "headers": {"Idempotency-Key": "k" * 256}}, 400),
    ("POST", "/api/v1/jobs", {"json": {"type": "a", "data": "x" * 1_100_000}}, 413),
    ("POST", "/api/v1/jobs", {"body": "type=echo&data=1&labels=site:rome", "headers": {
        "Content-Type": "application/x-www-form-urlencoded", "X-Requested-With": "Excel"}}, 201),
    ("POST", "/api/v1/jobs/batch", {"json": [NEW, {"type": "echo"}], "headers": {"Idempotency-Key": "b"}}, 201),
    ("POST", "/api/v1/jobs/batch", {"json": [NEW, {"type": "echo"}], "headers": {"Idempotency-Key": "b"}}, 200),
    ("POST", "/api/v1/jobs/batch", {"json": []}, 422),
    ("GET", "/api/v1/jobs/done-1", {}, 200),
    ("GET", "/api/v1/jobs/running-1", {}, 200),
    ("GET", "/api/v1/jobs/needs-1", {}, 200),
    ("GET", "/api/v1/jobs/doubt-1", {}, 200),
    ("GET", "/api/v1/jobs/failed-1", {}, 200),
    ("GET", "/api/v1/jobs/nobody", {}, 404),
    ("GET", "/api/v1/jobs/done-1?wait=x", {}, 400),
    ("GET", "/api/v1/jobs/done-1?fields=data,result", {}, 200),
    ("GET", "/api/v1/jobs/done-1?fields=date", {}, 400),
    ("GET", "/api/v1/jobs/done-1/log", {}, 200),
    ("GET", "/api/v1/jobs/done-1/log?q=" + "x" * 201, {}, 400),
    ("POST", "/api/v1/jobs/wait", {"json": {"ids": ["done-1", "nobody"]}}, 200),
    ("POST", "/api/v1/jobs/wait", {"json": {"ids": ["running-1", "done-1"], "any": True}}, 200),
    ("POST", "/api/v1/jobs/wait", {"json": {"ids": []}}, 422),
    ("POST", "/api/v1/jobs/wait", {"headers": JSON}, 400),
    ("POST", "/api/v1/jobs/actions", {"json": {"action": "retry", "ids": ["failed-1"], "dry_run": True}}, 200),
    ("POST", "/api/v1/jobs/actions", {"json": {"action": "cancel", "ids": ["done-1", "nobody"]}}, 200),
    ("POST", "/api/v1/jobs/actions", {"json": {"action": "cancel", "filter": {"type": "nope"}, "expect": 4}}, 409),
    ("POST", "/api/v1/jobs/actions", {"json": {"action": "cancel", "filter": {}}}, 422),
    ("POST", "/api/v1/jobs/actions", {"headers": JSON}, 400),
    ("GET", "/api/v1/operations", {}, 200),
    ("GET", "/api/v1/operations/nope?wait=1", {}, 404),
    ("POST", "/api/v1/operations/nope/stop", {"headers": JSON}, 404),
    ("GET", "/api/v1/jobs/done-1/result", {}, 200),
    ("GET", "/api/v1/jobs/running-1/result", {}, 202),
    ("GET", "/api/v1/jobs/failed-1/result", {}, 409),
    ("POST", "/api/v1/jobs/done-1/duplicate", {"json": {"data": 1}}, 201),
    ("PATCH", "/api/v1/jobs/needs-1", {"json": {"priority": 9}, "headers": {"If-Match": "*"}}, 200),
    ("PATCH", "/api/v1/jobs/needs-1", {"json": {"priority": 8}, "headers": {"If-Match": 'W/"1-2"'}}, 412),
    ("PATCH", "/api/v1/jobs/needs-1", {"json": {}}, 422),
    ("PATCH", "/api/v1/jobs/done-1", {"json": {"priority": 9}}, 409),
    ("POST", "/api/v1/jobs/running-1/cancel", {"json": {"reason": "no paper"}}, 202),
    ("POST", "/api/v1/jobs/needs-1/cancel", {"headers": JSON}, 200),
    ("POST", "/api/v1/jobs/done-1/cancel", {"headers": JSON}, 409),
    ("POST", "/api/v1/jobs/scheduled-1/cancel", {"json": {"why": "x"}}, 422),
    ("POST", "/api/v1/jobs/failed-1/retry", {"headers": JSON}, 200),
    ("POST", "/api/v1/jobs/done-1/adopt", {"headers": JSON}, 409),
    ("POST", "/api/v1/jobs/doubt-1/decide", {"json": {"outcome": "succeeded", "value": [1]}}, 200),
    ("POST", "/api/v1/jobs/doubt-1/decide", {"json": {"outcome": "maybe"}}, 422),
    ("DELETE", "/api/v1/jobs/cancelled-1", {"headers": {"If-Match": 'W/"1-2"'}}, 412),
    ("DELETE", "/api/v1/jobs/cancelled-1", {"headers": {"If-Match": "odd"}}, 400),
    ("DELETE", "/api/v1/jobs/cancelled-1", {}, 204),
    ("DELETE", "/api/v1/jobs/offered-1", {}, 409),
    ("GET", "/api/v1/changes?after=oldest", {}, 200),
    ("GET", "/api/v1/changes?after=0123456789ab-7&type=echo", {}, 200),
    ("GET", "/api/v1/changes?after=odd", {}, 400),
    ("GET", "/api/v1/events?after=odd", {}, 400),
    ("GET", "/api/v1/workers", {}, 200),
    ("GET", "/api/v1/workers?limit=1", {}, 200),
    ("GET", "/api/v1/workers?state=lost", {}, 400),
    ("GET", "/api/v1/workers/nobody", {}, 404),
    ("PATCH", "/api/v1/workers/nobody", {"json": {"name": "DESK-7", "labels": {"site": None}}}, 404),
    ("PATCH", "/api/v1/workers/nobody", {"json": {"labels": {"site": 7}}}, 422),
    *(("POST", f"/api/v1/workers/nobody/{order}", {"json": {}}, 404) for order in ORDERS),
    ("POST", "/api/v1/workers/actions", {"json": {"action": "pause", "ids": ["nobody"]}}, 200),
    ("POST", "/api/v1/workers/actions", {"json": {"action": "reload", "filter": {"state": "gone"}, "expect": 7}}, 409),
    ("POST", "/api/v1/workers/actions", {"json": {"action": "dance", "ids": ["nobody"]}}, 422),
    ("POST", "/api/v1/workers/nobody/pause", {"json": {"reason": "x" * 201}}, 422),
    ("POST", "/api/v1/workers/nobody/reload", {"json": {"now": 1}}, 422),
    ("GET", "/api/v1/rollout", {}, 200),
    ("POST", "/api/v1/rollout/stop", {"json": {}}, 409),
    ("POST", "/api/v1/rollout", {"json": {"at_a_time": 0}}, 422),
    ("POST", "/api/v1/rollout", {"json": {"at_a_time": 2, "canary": True, "reason": "x"}}, 200),
    ("POST", "/api/v1/rollout", {"json": {}}, 409),
    ("POST", "/api/v1/rollout/stop", {"json": {"now": 1}}, 422),
    ("POST", "/api/v1/rollout/stop", {"json": {}}, 200),
    ("POST", "/api/v1/rollout/release", {"json": {}}, 409),
    ("POST", "/api/v1/rollout/release", {"json": {"now": 1}}, 422),
    ("GET", "/api/v1/types", {}, 200),
    ("GET", "/api/v1/types?q=print", {}, 200),
    ("POST", "/api/v1/types/print/pause", {"json": {"reason": "no paper"}}, 200),
    ("GET", "/api/v1/types/print", {}, 200),
    ("POST", "/api/v1/types/print/resume", {"json": {}}, 200),
    ("PATCH", "/api/v1/types/print", {"json": {"defaults": {"priority": 5, "effects": "once"}}}, 200),
    ("PATCH", "/api/v1/types/print", {"json": {"defaults": {"priority": None, "max_crashes": 0}, "reason": "x"}}, 200),
    ("GET", "/api/v1/types/print", {}, 200),
    ("PATCH", "/api/v1/types/print", {"json": {"defaults": {"priority": 5_000}}}, 422),
    ("GET", "/api/v1/types/nobody", {}, 404),
    ("POST", "/api/v1/types/print/pause", {"json": {"reason": "x" * 201}}, 422),
    ("GET", "/api/v1/failures", {}, 200),
    ("GET", "/api/v1/failures?type=print", {}, 200),
    ("GET", "/api/v1/failures?limit=3", {}, 400),
    ("GET", "/api/v1/overview", {}, 200),
    ("GET", "/api/v1/overview?type=print", {}, 400),
    ("GET", "/api/v1/quarter", {}, 200),
    ("GET", "/api/v1/quarter?at=-1h", {}, 200),
    ("GET", "/api/v1/quarter?at=-2d", {}, 400),
    ("GET", "/api/v1/stats", {}, 200),
    ("GET", "/api/v1/stats?type=print&window=30d", {}, 200),
    ("GET", "/api/v1/stats?window=1h", {}, 200),
    ("GET", "/api/v1/stats?window=1h&marks=1", {}, 200),
    ("GET", "/api/v1/stats?marks=1", {}, 400),
    ("GET", "/api/v1/stats?window=1y", {}, 400),
    ("GET", "/api/v1/batches/nope", {}, 404),
    ("GET", "/api/v1/batches/nope/results", {}, 404),
    ("GET", "/api/v1/nodes", {}, 200),
    ("GET", "/api/v1/backups", {}, 200),
    ("POST", "/api/v1/backups", {"headers": JSON}, 409),
    ("GET", "/api/v1/backups/nope.db", {}, 404),
    ("GET", "/metrics", {}, 200),
    ("GET", "/api/v1/audit?limit=1", {}, 200),
    ("GET", "/api/v1/audit?limit=100", {}, 200),
    ("GET", "/api/v1/audit?after=now", {}, 400),
    ("POST", "/api/v1/tokens", {"json": {"name": "till", "scopes": ["submit"], "expires_s": 60}}, 201),
    ("POST", "/api/v1/tokens", {"json": {"name": "till"}}, 422),
    ("GET", "/api/v1/tokens", {}, 200),
    ("GET", "/api/v1/tokens/nope0000", {}, 404),
    ("DELETE", "/api/v1/tokens/nope0000", {}, 404),
    ("POST", "/api/v1/webhooks", {"json": {"url": "https://shop.example/x"}}, 201),
    ("POST", "/api/v1/webhooks", {"json": {"url": "https://127.0.0.1/x"}}, 422),
    ("GET", "/api/v1/webhooks", {}, 200),
    ("GET", "/api/v1/webhooks/nobody123456", {}, 404),
    ("PATCH", "/api/v1/webhooks/nobody123456", {"json": {"enabled": False}}, 404),
    ("DELETE", "/api/v1/webhooks/nobody123456", {}, 404),
    ("POST", "/api/v1/webhooks/nobody123456/rotate", {"headers": JSON}, 404),
    ("POST", "/api/v1/webhooks/nobody123456/test", {"headers": JSON}, 404),
    ("GET", "/api/v1/webhooks/nobody123456/deliveries?failed=1", {}, 404),
    ("GET", "/api/v1/webhooks/nobody123456/dead?cursor=x", {}, 400),
    ("POST", "/api/v1/webhooks/nobody123456/redeliver", {"json": {"dead": True}}, 404),
    ("GET", "/tasks/index.json", {}, 200),
    ("GET", "/tasks/plain.js", {}, 200),
    ("GET", "/tasks/nope.js", {}, 404),
    ("GET", "/livez", {}, 200),
    ("GET", "/readyz?verbose", {}, 200),
    ("GET", "/openapi.json", {}, 200),
]  # fmt: skip
pytestmark = pytest.mark.gen_test(timeout=60)
FOREIGN = {"Host": "evil.example"}


@pytest.fixture
def scene() -> Scene:
    return rich


async def test_every_call_answers_as_it_is_described(ask: Ask, judge: Judge) -> None:
    answered = set()
    for method, path, given, status in CASES:
        response = await ask(path, method, **given)
        assert (response.code, judge.faults(response, path, method)) == (status, []), (method, path, response.body)
        answered.add(judge.operation(path, method)["operationId"])
    assert answered == judge.operation_ids()


async def test_a_batch_is_read_as_it_is_described(ask: Ask, judge: Judge) -> None:
    jobs = [{"type": "echo", "tags": ["a"], "summary": "order 7"}, {"type": "echo"}]
    made = await ask("/api/v1/jobs/batch", "POST", json=jobs, headers={"Traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    address = made.headers["Location"]
    for path in (address, f"{address}/results"):
        response = await ask(path)
        assert (response.code, judge.faults(response, path, "GET")) == (200, [])
    assert judge.faults(await ask("/api/v1/jobs?limit=2"), "/api/v1/jobs", "GET") == []


async def test_a_page_of_changes_with_a_roll_event_is_read_as_it_is_described(
    ask: Ask, house: House, judge: Judge
) -> None:
    house.dispatcher.feed.told([RollEvent("workers.missed", 0.0, 3, 2, 1, [MissingWorker("DESK-1", 0.0)])])
    path = "/api/v1/changes?after=oldest&event=workers.missed"
    response = await ask(path)
    assert (response.code, judge.faults(response, path, "GET")) == (200, [])
    told = body_of(response)
    told["items"][0]["more"] = 1
    assert judge.faults(with_body(response, told), path, "GET") != []


async def test_a_token_is_read_and_revoked_as_it_is_described(ask: Ask, judge: Judge) -> None:
    made = body_of(await ask("/api/v1/tokens", "POST", json={"name": "till", "scopes": ["submit"]}))
    for method in ("GET", "DELETE"):
        response = await ask(made["links"]["self"], method)
        assert (response.code, judge.faults(response, made["links"]["self"], method)) == (200, [])


@pytest.mark.expect_log("forbidden_host")
async def test_every_call_refuses_a_foreign_host_as_it_is_described(ask: Ask, judge: Judge) -> None:
    for method, path in dict.fromkeys((case[0], case[1].partition("?")[0]) for case in CASES):
        response = await ask(path, method, headers={**FOREIGN, **JSON})
        assert judge.faults(response, path, method) == [], (method, path)
        assert response.code == (200 if path in ("/livez", "/readyz") else 403)


async def test_a_page_that_has_not_changed_comes_without_a_body(ask: Ask, judge: Judge) -> None:
    first = await ask("/api/v1/jobs/done-1")
    again = await ask("/api/v1/jobs/done-1", headers={"If-None-Match": first.headers["Etag"]})
    assert (again.code, judge.faults(again, "/api/v1/jobs/done-1", "GET")) == (304, [])


async def test_a_field_that_is_not_described_is_noticed(ask: Ask, judge: Judge) -> None:
    response = await ask("/api/v1/stats")
    assert judge.faults(response, "/api/v1/stats", "GET") == []
    told = body_of(response)
    assert judge.faults(with_body(response, {**told, "more": 1}), "/api/v1/stats", "GET") != []
    assert judge.faults(with_body(response, {**told, "draining": 1}), "/api/v1/stats", "GET") != []
    del told["draining"]
    assert judge.faults(with_body(response, told), "/api/v1/stats", "GET") != []
    assert judge.faults(response, "/api/v1/jobs/done-1/retry", "POST") != []


def with_body(response: HTTPResponse, value: object) -> HTTPResponse:
    request = HTTPRequest(response.request.url)
    return HTTPResponse(request, response.code, response.headers, BytesIO(json.dumps(value).encode()))


class TestWithTheToken:
    """Where the server has one."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token="0b6f1c0e-s3cret")

    async def test_every_call_asks_for_it_as_it_is_described(self, ask: Ask, judge: Judge) -> None:
        for method, path in dict.fromkeys((case[0], case[1].partition("?")[0]) for case in CASES):
            response = await ask(path, method, headers=JSON)
            assert judge.faults(response, path, method) == [], (method, path)
            assert (response.code == 401) == bool(judge.operation(path, method)["security"]), path


class TestWhileItStops:
    """A server that takes no jobs."""

    @pytest.fixture
    def scene(self) -> Scene:
        return draining

    @pytest.mark.parametrize(
        ("method", "path", "given"),
        [
            ("POST", "/api/v1/jobs", {"json": NEW}),
            ("POST", "/api/v1/jobs/batch", {"json": [NEW]}),
            ("GET", "/readyz", {}),
        ],
    )
    async def test_a_refusal_is_one_that_is_described(
        self, ask: Ask, judge: Judge, method: str, path: str, given: dict[str, Any]
    ) -> None:
        response = await ask(path, method, **given)
        assert (response.code, judge.faults(response, path, method)) == (503, [])
        assert response.headers["Retry-After"]
