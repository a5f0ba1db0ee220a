"""``cancel``, ``retry``, ``set``, ``duplicate`` and ``rm``: each job once, and none hides what became of the others."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import JOB, cut, reply, scripted
from tests.support.server import Live

GONE = {"code": "not_found", "status": 404, "detail": "there is no job 'j1'"}
REFUSED = {"code": "wrong_state", "status": 409, "detail": "the job is cancelled"}


def test_jobs_of_a_list_are_cancelled_and_given_another_round(server: Live, at: list[str]) -> None:
    for number in range(5):
        server.submit("spoilt", number)
    listed = typed("list", "--all", "--type=spoilt", *at).out.encode()
    said = typed("cancel", "-", "--reason", "wrong\nscans", *at, stdin=listed)
    assert (said.status, said.out.encode()) == (0, listed)
    job = server.job(said.out.split()[0])
    assert (job["state"], job["detail"]) == ("cancelled", "wrong\nscans")
    again = typed("retry", "--reason=new glass", *said.out.split(), *at, terminal=True)
    assert again.out.splitlines() == [f"{job_id}  queued" for job_id in said.out.split()]
    [newest, *_] = server.ask("GET", f"/api/v1/audit?target={job['id']}").json()["items"]
    assert (newest["action"], newest["detail"]) == ("job.retry", "new glass")


def test_a_job_that_cannot_be_cancelled_is_said_and_the_others_are(server: Live, at: list[str]) -> None:
    done, waits = server.submit("echo")["id"], server.submit("nobody")["id"]
    server.job(done, wait_s=20)
    said = typed("cancel", done, "nothing", waits, "-o", "json", *at)
    assert (said.status, json.loads(said.out)["state"]) == (1, "cancelled")
    first, second = said.err.splitlines()
    assert first.startswith(f"pagehand: {done}: the job is succeeded: only scheduled, queued and running")
    assert second.startswith("pagehand: nothing: there is no job")
    assert typed("retry", done, *at).status == 1


def test_a_job_that_waits_is_changed(server: Live, at: list[str]) -> None:
    job_id = server.submit("nobody")["id"]
    said = typed("set", job_id, "--priority=9", "--expires-s=1h", "--delay-s=10m", "--requires=site:oslo", *at)
    assert (said.status, said.out) == (0, f"{job_id}\n")
    job = server.job(job_id)
    assert (job["priority"], job["state"], job["requires"]) == (9, "scheduled", {"site": "oslo"})
    assert job["expires_at"] is not None
    typed("set", job_id, "--expires-s=never", "--delay-s=0", "--any-worker", "--reason=in a hurry", *at)
    job = server.job(job_id)
    assert (job["state"], job["expires_at"], job["requires"]) == ("queued", None, {})
    noted = server.ask("GET", f"/api/v1/audit?target={job_id}&limit=1").json()["items"][0]["detail"]
    assert json.loads(noted)["reason"] == "in a hurry"
    typed("set", job_id, "--tag=north", "--tag=new", *at)
    assert server.job(job_id)["tags"] == ["north", "new"]
    typed("set", job_id, "--no-tags", *at)
    assert server.job(job_id)["tags"] == []
    nothing = typed("set", job_id, *at)
    assert (nothing.status, "say what is to be different" in nothing.err) == (2, True)
    assert typed("set", job_id, "--priority=5000", *at).status == 2


def test_a_job_is_submitted_once_more_with_what_is_different(server: Live, at: list[str]) -> None:
    first = server.submit("echo", {"n": 1})["id"]
    assert json.loads(typed("duplicate", first, "--wait", *at).out) == {"n": 1}
    said = typed("duplicate", first, "--type=word-count", "--text", "a b", "--priority=3", "--wait", *at)
    assert json.loads(said.out)["words"] == 2
    keyed = [typed("duplicate", first, "--key=dup-1", *at).out for _ in range(2)]
    assert keyed[0] == keyed[1] != f"{first}\n"


def test_a_job_that_has_ended_is_removed_and_a_young_key_needs_a_word(server: Live, at: list[str]) -> None:
    open_job, ended = server.submit("nobody")["id"], typed("submit", "echo", "--key=rm-1", *at).out.strip()
    server.job(ended, wait_s=20)
    assert typed("rm", open_job, ended, *at)[:2] == (1, "")
    assert "pagehand rm --free-key" in typed("rm", ended, *at).err
    assert typed("rm", ended, "--free-key", *at)[:2] == (0, f"{ended}\n")
    assert server.ask("GET", f"/api/v1/jobs/{ended}").status == 404
    assert typed("rm", ended, *at).status == 1


def test_a_repetition_after_a_lost_answer_may_find_it_done() -> None:
    with scripted(cut("before"), reply(404, GONE)) as server:
        assert typed("rm", "j1", "--url", server.url)[:2] == (0, "j1\n")
    with scripted(cut("before"), reply(409, REFUSED), reply(200, JOB | {"state": "cancelled"})) as server:
        assert typed("cancel", "j1", "--url", server.url)[:2] == (0, "j1\n")
    with scripted(reply(404, GONE)) as server:
        assert typed("rm", "j1", "--url", server.url).status == 1


def test_what_is_true_for_all_jobs_is_said_once() -> None:
    denied = {"code": "bad_token", "status": 401, "detail": "the token is wrong"}
    with scripted(reply(401, denied)) as server:
        said = typed("cancel", "a", "b", "c", "--url", server.url)
    assert (said.status, said.err.count("the token is wrong")) == (5, 1)
