"""``/api/v1/tokens``: tokens are made, listed and revoked; what a bound token may do."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from dispatcher.access.acts import Actor
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.node.views.walks import Walks
from tests.handlers.api.tokens import ADMIN, JSON, made, refused, shown, signed_in
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.scenes import asked_for
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test

OTHER = "This job is of another type."


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret")


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def waiting(house: House) -> int:
    """Requests that wait for something to happen."""
    return len(house.dispatcher._waiters) + len(house.dispatcher.feed)


async def test_a_token_is_shown_once(ask: Ask) -> None:
    token = await made(ask, "read", "submit", types=["label"], expires_s=60)
    text = token.pop("token")
    assert text.startswith(f"ph_{token['id']}_")
    assert token == {
        "id": token["id"], "name": "scanner", "scopes": ["submit", "read"], "types": ["label"], "labels": {},
        "join": None, "jobs_per_minute": None, "works": True,
        "made_by": "the administrator", "made_at": "2026-11-23T21:24:05.123Z", "expires_at": "2026-11-23T21:25:05.123Z",
        "revoked_at": None, "last_used_at": None, "links": {"self": f"/api/v1/tokens/{token['id']}"},
    }  # fmt: skip
    listed = await ask("/api/v1/tokens", headers=ADMIN)
    assert body_of(listed) == {"items": [token], "next_cursor": None}
    one = await ask(token["links"]["self"], headers=ADMIN)
    assert body_of(one) == token
    assert text.encode() not in listed.body + one.body


async def test_a_token_opens_nothing_once_it_is_revoked(ask: Ask, house: House) -> None:
    token = await made(ask, "submit", "read")
    job = await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=shown(token))
    assert job.code == 201
    house.clock.advance(5.0)
    revoked = await ask(token["links"]["self"], "DELETE", headers=ADMIN | JSON)
    assert (revoked.code, body_of(revoked)["works"], body_of(revoked)["last_used_at"]) == (
        200, False, "2026-11-23T21:24:05.123Z",
    )  # fmt: skip
    for path, method in (("/api/v1/jobs", "POST"), ("/api/v1/jobs", "GET")):
        response = await ask(
            path, method, headers=shown(token) | JSON, body='{"type":"label"}' if method == "POST" else None
        )
        assert response.code == 401


@pytest.mark.parametrize(
    "path", ["/api/v1/changes?wait=30", "/api/v1/jobs/{job}?wait=30", "/api/v1/jobs/{job}/result?wait=30"]
)
async def test_who_waits_learns_nothing_after_the_token_is_revoked(ask: Ask, house: House, path: str) -> None:
    token = await made(ask, "read")
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["id"]
    waits = asyncio.ensure_future(ask(path.format(job=job), headers=shown(token)))
    await eventually(lambda: waiting(house) == 1)
    await house.dispatcher.access.revoke(token["id"])
    answer = await waits
    assert (answer.code, body_of(answer)["code"]) == (401, "bad_token")


@pytest.mark.parametrize("way", ["jobs", "jobs/{job}/duplicate"])
async def test_a_submission_that_waits_tells_nothing_after_the_token_is_revoked(
    ask: Ask, house: House, way: str
) -> None:
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["id"]
    token = await made(ask, "submit", "operate")
    headers = shown(token) | {"Prefer": "wait=30"}
    path = "/api/v1/" + way.format(job=job)
    waits = asyncio.ensure_future(ask(path, "POST", json={"type": "letter"}, headers=headers))
    await eventually(lambda: waiting(house) == 1)
    await house.dispatcher.access.revoke(token["id"])
    assert (await waits).code == 401
    assert [one.type for one in await house.kept()] == ["label", "letter"], "the job was durable before"


async def test_who_only_operates_makes_no_job(ask: Ask) -> None:
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["id"]
    for scope, lacks in (("operate", "submit"), ("submit", "operate")):
        token = shown(await made(ask, scope))
        response = await ask(f"/api/v1/jobs/{job}/duplicate", "POST", json={}, headers=token)
        refused(response, "forbidden_scope", f"needs the scope '{lacks}'")


async def test_a_stream_of_changes_ends_with_its_token(ask: Ask, house: House) -> None:
    token = await made(ask, "read")
    stream = asyncio.ensure_future(ask("/api/v1/events", headers=shown(token)))
    await eventually(lambda: waiting(house) == 1)
    await house.dispatcher.access.revoke(token["id"])
    told = (await stream).body.decode()
    assert "label" not in told
    assert "event: bye" in told
    assert "revoked or has expired" in told


async def test_who_is_bound_to_types_does_not_learn_where_other_jobs_stand(ask: Ask) -> None:
    token = await made(ask, "read", types=["label"])
    ids = [
        body_of(await ask("/api/v1/jobs", "POST", json={"type": name}, headers=ADMIN))["id"]
        for name in ("label", "fax")
    ]
    own = await ask("/api/v1/jobs/wait", "POST", json={"ids": ids[:1]}, headers=shown(token))
    assert body_of(own) == {"items": [{"id": ids[0], "state": "queued"}], "done": False}
    refused(
        await ask("/api/v1/jobs/wait", "POST", json={"ids": ids}, headers=shown(token)),
        "forbidden_type",
        "One of the jobs is of",
    )


async def test_who_is_bound_to_types_gives_orders_for_such_jobs_alone(ask: Ask) -> None:
    token = await made(ask, "operate", "read", types=["label"])
    label, fax = [
        body_of(await ask("/api/v1/jobs", "POST", json={"type": name}, headers=ADMIN))["id"]
        for name in ("label", "fax")
    ]
    for given in ({"filter": {"state": "queued"}}, {"filter": {"type": "fax"}}, {"ids": [label, fax]}):
        response = await ask("/api/v1/jobs/actions", "POST", json={"action": "cancel", **given}, headers=shown(token))
        assert (response.code, body_of(response)["code"]) == (403, "forbidden_type")
    wanted = {"action": "cancel", "filter": {"type": "fax"}}
    foreign = await ask("/api/v1/jobs/actions", "POST", json=wanted, headers=ADMIN)
    address = foreign.headers["Location"]
    refused(await ask(address, headers=shown(token)), "forbidden_type", "for jobs of another type")
    refused(await ask(f"{address}/stop", "POST", json={}, headers=shown(token)), "forbidden_type", "another type")
    own = await ask("/api/v1/jobs/actions", "POST", json={"action": "cancel", "ids": [label]}, headers=shown(token))
    assert (own.code, body_of(own)["done"]) == (200, 1)
    listed = await ask("/api/v1/operations", headers=shown(token))
    assert body_of(listed)["items"] == [body_of(own)["operation"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs/{job}?wait=30", None),
        ("jobs/{job}/result?wait=30", None),
        ("jobs/wait", {"timeout_s": 30}),
        ("jobs/wait", {"timeout_s": 30, "any": True}),
        ("batches/{batch}?wait=30", None),
    ],
)
async def test_who_is_bound_to_types_does_not_learn_when_other_jobs_end(
    ask: Ask, house: House, path: str, body: dict[str, Any] | None
) -> None:
    """It is refused before it waits."""
    token = await made(ask, "read", types=["label"])
    jobs = [{"type": "label"}, {"type": "fax"}]
    batch = body_of(await ask("/api/v1/jobs/batch", "POST", json=jobs, headers=ADMIN))
    own, other = (job["id"] for job in batch["items"])
    asked = {} if body is None else {"method": "POST", "json": body | {"ids": [own, other]}}
    answer = await ask(f"/api/v1/{path.format(job=other, batch=batch['batch'])}", headers=shown(token), **asked)
    refused(answer, "forbidden_type", "of another type.")
    assert "fax" not in answer.body.decode()
    assert waiting(house) == 0


async def test_who_is_bound_to_types_waits_for_jobs_of_these(ask: Ask, house: House) -> None:
    token = await made(ask, "read", types=["label"])
    batch = body_of(await ask("/api/v1/jobs/batch", "POST", json=[{"type": "label"}], headers=ADMIN))
    [job] = batch["items"]
    paths = (f"jobs/{job['id']}", f"jobs/{job['id']}/result", f"batches/{batch['batch']}")
    asked = [asyncio.ensure_future(ask(f"/api/v1/{path}?wait=30", headers=shown(token))) for path in paths]
    await eventually(lambda: waiting(house) == 3)
    await house.dispatcher.cancel(job["id"], "", actor=Actor("test"))
    assert [(await answer).code for answer in asked] == [200, 409, 200]


async def test_who_waits_for_many_learns_nothing_after_the_token_is_revoked(ask: Ask, house: House) -> None:
    token = await made(ask, "read")
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["id"]
    wanted = {"ids": [job], "timeout_s": 30}
    waits = asyncio.ensure_future(ask("/api/v1/jobs/wait", "POST", json=wanted, headers=shown(token)))
    await eventually(lambda: waiting(house) == 1)
    await house.dispatcher.access.revoke(token["id"])
    answer = await waits
    assert (answer.code, body_of(answer)["code"]) == (401, "bad_token")


@pytest.mark.expect_log("a list was cut")
async def test_a_whole_list_is_cut_when_its_token_is_revoked(ask: Ask, house: House) -> None:
    token = await made(ask, "read")
    await house.dispatcher.submit_batch([spec()] * 350)
    pages: list[JobPage] = []

    async def read(wanted: JobFilter) -> JobPage:
        if len(pages) == 2:
            await house.dispatcher.access.revoke(token["id"])
        pages.append(await house.dispatcher.jobs(wanted))
        return pages[-1]

    house.dispatcher.walks = Walks(read, 1)
    with pytest.raises(HTTPStreamClosedError):
        await ask("/api/v1/jobs?format=ndjson", headers=shown(token))
    assert len(pages) == 3


async def test_who_waits_is_answered_when_the_token_expires(ask: Ask, house: House) -> None:
    token = await made(ask, "read", expires_s=20)
    waits = asyncio.ensure_future(ask("/api/v1/changes?wait=30", headers=shown(token)))
    await eventually(lambda: waiting(house) == 1)
    await house.pass_time(19.0)
    assert not waits.done()
    await house.pass_time(1.0)
    answer = await waits
    assert (answer.code, body_of(answer)["code"]) == (401, "bad_token")
    assert len(house.dispatcher.access.opened) == 0


async def test_a_token_opens_nothing_once_it_has_expired(ask: Ask, house: House) -> None:
    token = await made(ask, "read", expires_s=60)
    assert (await ask("/api/v1/jobs", headers=shown(token))).code == 200
    house.clock.advance(60.0)
    assert (await ask("/api/v1/jobs", headers=shown(token))).code == 401


@pytest.mark.parametrize("scheme", ["bearer", "own", "basic"])
async def test_a_token_is_taken_wherever_the_settings_token_is(ask: Ask, scheme: str) -> None:
    text = (await made(ask, "read"))["token"]
    basic = base64.b64encode(f"anna:{text}".encode()).decode()
    ways = {
        "bearer": {"Authorization": f"bearer {text}"},
        "own": {"X-Pagehand-Token": text},
        "basic": {"Authorization": f"Basic {basic}"},
    }
    assert (await ask("/api/v1/jobs", headers=ways[scheme])).code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["root"]},
        {"name": "", "scopes": ["read"]},
        {"name": " ", "scopes": ["read"]},
        {"name": "a\nb", "scopes": ["read"]},
        {"name": "x" * 101, "scopes": ["read"]},
        {"name": "x", "scopes": ["read"], "expires_s": 0},
        {"name": "x", "scopes": ["read"], "expires_s": 1e10},
        {"name": "x", "scopes": ["read"], "types": ["no type"]},
        {"name": "x", "scopes": ["admin"], "types": ["label"]},
        {"name": "x", "scopes": ["read"], "colour": "red"},
        {"name": "x", "scopes": ["read"], "labels": {"site": "berlin"}},
        {"name": "x", "scopes": ["worker"], "labels": {"name": "DESK"}},
        {"name": "x", "scopes": ["worker"], "labels": {"site": ""}},
        {"name": "x", "scopes": ["worker"], "join": {}},
        {"name": "x", "scopes": ["submit"], "jobs_per_minute": 0},
        {"name": "x", "scopes": ["submit"], "jobs_per_minute": 1_000_001},
        {"name": "x", "scopes": ["read"], "jobs_per_minute": 5},
        {"name": "x", "scopes": ["worker"], "join": {"uses": 0}},
        {"name": "x", "scopes": ["worker"], "join": {"uses": 10_001}},
        {"name": "x", "scopes": ["worker", "read"], "join": {"uses": 1}},
        {"name": "x", "scopes": ["admin"], "join": {"uses": 1}},
    ],
)
async def test_anything_else_makes_no_token(ask: Ask, house: House, body: dict[str, Any]) -> None:
    response = await ask("/api/v1/tokens", "POST", json=body, headers=ADMIN)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")
    assert house.dispatcher.access.all() == []


async def test_a_token_without_the_scope_is_told_so_on_both_ways(ask: Ask, house: House) -> None:
    token = await made(ask, "read")
    response = await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=shown(token))
    refused(response, "forbidden_scope", "needs the scope 'submit', and the token 'scanner' has 'read'")
    assert (await house.dispatcher.counts())["queued"] == 0


async def test_a_bound_token_knows_its_types_alone(ask: Ask) -> None:
    bound = shown(await made(ask, "submit", "operate", types=["label"]))
    other = body_of(await ask("/api/v1/jobs", "POST", json={"type": "letter"}, headers=ADMIN))["links"]["self"]
    own = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=bound))["links"]["self"]
    assert (await ask(own, headers=bound)).code == 200
    assert (await ask("/api/v1/jobs?type=label", headers=bound)).code == 200
    words = "is for jobs of these types alone: 'label'"
    for path in (
        other,
        f"{other}/result",
        "/api/v1/jobs?type=letter",
        "/api/v1/jobs",
        "/api/v1/workers",
        "/metrics",
        "/",
    ):
        response = await ask(path, headers=bound)
        assert response.code == 403, path
        assert words in response.body.decode(), path
        assert "'letter'" not in response.body.decode() or "type=letter" in path, "no other type is named"
    jobs = [{"type": "label"}, {"type": "letter"}]
    refused(await ask("/api/v1/jobs", "POST", json=jobs[1], headers=bound), "forbidden_type", words)
    refused(await ask("/api/v1/jobs/batch", "POST", json=jobs, headers=bound), "forbidden_type", words)
    for verb, body in (
        ("cancel", {}), ("retry", {}), ("decide", {"outcome": "failed"}), ("adopt", {}), ("duplicate", {}),
    ):  # fmt: skip
        refused(await ask(f"{other}/{verb}", "POST", json=body, headers=bound), "forbidden_type", OTHER)
    refused(await ask(other, "PATCH", json={"priority": 1}, headers=bound), "forbidden_type", OTHER)
    refused(await ask(other, "DELETE", headers=bound | JSON), "forbidden_type", OTHER)
    refused(await ask(f"{own}/duplicate", "POST", json={"type": "letter"}, headers=bound), "forbidden_type", words)
    for path in (
        "/api/v1/changes",
        "/api/v1/changes?type=label,letter",
        "/api/v1/events",
        "/api/v1/events?type=letter",
    ):
        refused(await ask(path, headers=bound), "forbidden_type", words)
    for path in (
        "/api/v1/changes?type=label&event=job,workers.missed",
        "/api/v1/events?type=label&event=workers.complete",
    ):
        refused(await ask(path, headers=bound), "forbidden_type", "This is about jobs of every type.")
    assert (await ask("/api/v1/changes?type=label&event=job", headers=bound)).code == 200
    assert (await ask(f"{own}/cancel", "POST", json={}, headers=bound)).code == 200


async def test_a_command_bears_the_name_of_the_token(ask: Ask, house: House) -> None:
    token = shown(await made(ask, "operate"))
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["links"]["self"]
    assert (await ask(f"{job}/cancel", "POST", json={}, headers=token)).code == 200
    assert asked_for(house)[-1] == ("cancelled", "scanner")


# The console


async def test_a_session_ends_with_its_token(ask: Ask, browser: Browser, house: House) -> None:
    token = await made(ask, "read")
    assert (await signed_in(browser, token["token"])).code == 303
    assert (await browser.get("/jobs")).code == 200
    assert (await browser.get("/api/v1/jobs")).code == 200
    await house.dispatcher.access.revoke(token["id"])
    assert (await browser.get("/jobs")).code == 303
    assert (await browser.get("/api/v1/jobs")).code == 401


async def test_a_session_may_do_no_more_than_its_token(ask: Ask, browser: Browser, house: House) -> None:
    await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN)
    (job,) = body_of(await ask("/api/v1/jobs", headers=ADMIN))["items"]
    await signed_in(browser, (await made(ask, "read"))["token"])
    response = await browser.post(f"/jobs/{job['id']}/cancel", {}, "/jobs")
    assert response.code == 403
    assert (await browser.get("/submit")).code == 403
    assert (await house.dispatcher.job(job["id"])).state.value == "queued"


@pytest.mark.parametrize(
    ("scopes", "types", "words"),
    [(["submit"], [], b"needs the scope"), (["read"], ["label"], b"of these types alone")],
)
async def test_a_token_that_cannot_see_everything_signs_in_nowhere(
    ask: Ask, browser: Browser, scopes: list[str], types: list[str], words: bytes
) -> None:
    token = await made(ask, *scopes, types=types)
    response = await signed_in(browser, token["token"])
    assert response.code == 403
    assert words in response.body
    assert (await browser.get("/jobs")).code == 303
