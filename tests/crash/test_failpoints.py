"""kill -9 exactly between a commit and its consequence (faults A3, A4, A5), and the lie that must be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatcher.sdk.simulate import Farm
from tests.crash.checker import Findings, Submitter, check
from tests.support.process import ServerProcess, farm_for, quick, serving
from tests.support.waiting import PATIENCE_S

#: Long times, so that nothing here can come from a deadline.
_LONG = quick(offer_ttl_s=60, restart_grace_s=60, reconnect_grace_s=60)


async def _die_and_come_back(server: ServerProcess) -> None:
    """The planted fault has killed it: it starts again, without the fault."""
    assert await server.ended() == -9
    await server.start()


async def _check_one_job(server: ServerProcess, submitter: Submitter, farm: Farm) -> Findings:
    """Stops pages and server, and looks at the database."""
    await farm.stop()
    assert await server.stop() == 0
    findings = check(server.store, submitter, farm.executed)
    assert findings.violations == []
    return findings


def test_fault_A03_a_submitter_whose_answer_was_lost_gets_the_same_job_by_its_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *_LONG) as server:
            await server.restart("kill-after-submission", "1")
            submitter = Submitter(server, retries=False)
            await submitter.submit("key", [1.5])
            assert submitter.unanswered == 1
            await _die_and_come_back(server)
            (known,) = (await server.get("/api/v1/jobs"))["items"]
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": [1.5]}, key="key")
            assert (answer.status, answer.headers["idempotency-replayed"]) == (200, "true")
            assert answer.json()["id"] == known["id"]
            submitter.accepted["key"] = known["id"]
            farm = farm_for(server)
            await farm.start()
            assert (await server.job(known["id"], wait_s=10))["state"] == "succeeded"
            assert (await _check_one_job(server, submitter, farm)).repeated_executions == 0

    asyncio.run(scenario())


def test_fault_A04_a_job_whose_claim_was_durable_but_never_sent_is_offered_again_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *_LONG) as server:
            await server.restart("kill-after-claim", "1")
            submitter = Submitter(server)
            farm = farm_for(server)
            await farm.start()
            await farm.registered()
            async with asyncio.TaskGroup() as group:
                group.create_task(submitter.submit("key", "x"))
                group.create_task(_die_and_come_back(server))
            job = await server.job(submitter.accepted["key"], wait_s=10)
            assert job["state"] == "succeeded"
            # No page had accepted: the claim lapsed without a number and used up nothing.
            assert [(a["number"], a["state"]) for a in job["attempts"]] == [(None, "lapsed"), (1, "succeeded")]
            assert (job["errors"], job["crashes"]) == (0, 0)
            assert (await _check_one_job(server, submitter, farm)).repeated_executions == 0

    asyncio.run(scenario())


def test_fault_A05_a_result_that_was_durable_but_not_acknowledged_is_repeated_and_counts_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, *_LONG) as server:
            await server.restart("kill-after-result", "1")
            submitter = Submitter(server)
            farm = farm_for(server)
            await farm.start()
            await submitter.submit("key", {"a": 1})
            await _die_and_come_back(server)
            await farm.until(lambda: bool(farm.outcomes), timeout_s=PATIENCE_S)
            assert [outcome.verdict for outcome in farm.outcomes] == ["duplicate"]
            job = await server.job(submitter.accepted["key"])
            assert (job["state"], job["result"]) == ("succeeded", {"a": 1})
            assert [(a["number"], a["state"]) for a in job["attempts"]] == [(1, "succeeded")]
            assert (await _check_one_job(server, submitter, farm)).repeated_executions == 0

    asyncio.run(scenario())


def test_an_acknowledgement_before_the_commit_is_found_out_as_a_lost_job(tmp_path: Path) -> None:
    """The negative control of all checks here: a server that lies must turn them red."""

    async def scenario() -> Findings:
        async with serving(tmp_path, *quick()) as server:
            await server.restart("acknowledge-before-commit", "3")
            submitter = Submitter(server)
            for number in range(3):
                await submitter.submit(f"key-{number}", number)
            await _die_and_come_back(server)
            farm = farm_for(server)
            await farm.start()
            await farm.until(lambda: farm.stats["recorded"] == 2, timeout_s=PATIENCE_S)
            await farm.stop()
            assert await server.stop() == 0
            return check(server.store, submitter, farm.executed)

    [violation] = asyncio.run(scenario()).violations
    assert violation.startswith("lost: key-2 was acknowledged")


def test_a_storage_error_answers_503_and_ends_the_server_within_two_seconds(tmp_path: Path) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with serving(tmp_path, *_LONG) as server:
            await server.restart("fail", "2")
            kept = await server.submit("kept", key="a")
            failed_at = loop.time()
            answer = await server.request("POST", "/api/v1/jobs", {"type": "echo", "data": "?"}, key="b")
            assert (answer.status, answer.json()["code"]) == (503, "storage_trouble")
            assert int(answer.headers["retry-after"]) > 0
            # It takes no more jobs, and says so.
            refused = await server.request("POST", "/api/v1/jobs", {"type": "echo"}, key="c")
            assert refused.status == 503
            assert await server.ended() == 1
            assert loop.time() - failed_at < 2.0
            await server.start()
            assert [job["id"] for job in (await server.get("/api/v1/jobs"))["items"]] == [kept["id"]]
            assert (await server.submit("?", key="b"))["state"] == "queued"

    asyncio.run(scenario())


def test_the_checker_sees_every_kind_of_damage(tmp_path: Path) -> None:
    """Its own negative control: a sound database, then one damage after the other."""
    import sqlite3

    async def scenario() -> tuple[Submitter, Farm, Path]:
        async with serving(tmp_path, *quick()) as server:
            submitter = Submitter(server)
            farm = farm_for(server)
            await farm.start()
            for number in range(3):
                await submitter.submit(f"key-{number}", number)
            await farm.until(lambda: farm.stats["recorded"] == 3, timeout_s=PATIENCE_S)
            await _check_one_job(server, submitter, farm)
            return submitter, farm, server.store

    submitter, farm, store = asyncio.run(scenario())
    damages = {
        "lost": "UPDATE jobs SET state = 'queued' WHERE seq = 1",
        "changed": "UPDATE results SET value = '99' WHERE seq = 1",
        "unexpected": "UPDATE jobs SET id = 'nobody', key = 'nothing' WHERE seq = 1",
        "I4:": "INSERT INTO attempts SELECT id || 'x', job, number + 1, worker, worker_name, boot, offered_at, "
        "started_at, ended_at, late_at, cause, error, evidence, task_version, last_line FROM attempts WHERE job = 1",
        "I11:": "UPDATE attempts SET number = 5 WHERE job = 1",
    }
    for number, (name, statement) in enumerate(damages.items()):
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(store.read_bytes())
        database = sqlite3.connect(copy)
        database.execute(statement)
        database.commit()
        database.close()
        found = check(copy, submitter, farm.executed).violations
        assert any(text.startswith(name) for text in found), found
