"""``batches``: counts, the end, and results in order."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.support.http import JSON
from tests.support.server import Live


def submitted(server: Live, job_type: str, count: int) -> str:
    body = json.dumps([{"type": job_type, "data": n, "max_attempts": 1} for n in range(count)])
    return str(server.ask("POST", "/api/v1/jobs/batch", body, JSON).json()["batch"])


def test_a_batch_is_waited_for_and_gives_its_results_in_order(server: Live, at: list[str]) -> None:
    batch = submitted(server, "echo", 3)
    said = typed("batches", "--wait=20", batch, *at)
    assert (said.status, said.out) == (0, f"{batch}  over  3 succeeded\n")
    lines = typed("batches", "--results", f"{server.url}/api/v1/batches/{batch}", *at).out.splitlines()
    assert [json.loads(line)["result"] for line in lines] == [0, 1, 2]
    assert json.loads(typed("batches", batch, "-o", "json", *at).out)["counts"] == {"succeeded": 3}
    assert typed("batches", batch, "-o", "id", *at).out == f"{batch}\n"


def test_a_batch_that_does_not_end_or_fails_says_so_in_its_status(server: Live, at: list[str]) -> None:
    waits = submitted(server, "nobody", 2)
    said = typed("batches", "--wait=0.1", waits, *at)
    assert (said.status, said.out) == (3, f"{waits}  goes on  2 queued\n")
    assert f"the batch {waits} is not over after 0.1 s. It goes on" in said.err
    assert typed("batches", waits, *at).status == 0
    failed = typed("batches", "--wait=20", submitted(server, "bad", 1), *at)
    assert (failed.status, failed.out.split("  ")[1:]) == (1, ["over", "1 failed\n"])


def test_a_batch_that_is_not_there_is_said_and_the_others_are_shown(server: Live, at: list[str]) -> None:
    batch = submitted(server, "nobody", 1)
    said = typed("batches", "nothing", batch, *at)
    assert (said.status, said.out) == (1, f"{batch}  goes on  1 queued\n")
    assert "there is no batch" in said.err
