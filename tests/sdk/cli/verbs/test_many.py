"""``act``: the jobs are counted, and what was said is done with ``--yes`` alone."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.support.server import Live


def test_jobs_that_match_are_counted_and_helped_with_yes_alone(server: Live, at: list[str]) -> None:
    ids = [server.submit("many")["id"] for _ in range(3)]
    counted = typed("act", "cancel", "--type=many", "--since=1h", *at)
    assert (counted.status, counted.out) == (0, "3\n")
    assert "--expect 3 --yes" in counted.err
    assert server.job(ids[0])["state"] == "queued"
    other = typed("act", "cancel", "--type=many", "--expect=2", "--yes", *at)
    assert (other.status, other.out) == (1, "")
    assert "3 jobs match, and 2 were expected" in other.err
    done = typed("act", "cancel", "--type=many", "--reason=no paper", "--yes", "-o", "json", *at)
    operation = json.loads(done.out)
    assert (done.status, operation["done"], operation["state"]) == (0, 3, "done")
    assert server.job(ids[0])["detail"] == "no paper"
    dry = typed("act", "cancel", "--type=many", *at)
    assert (dry.status, dry.out) == (0, "3\n")
    assert "3 would stay as they are: wrong_state" in dry.err
    assert "nothing can be done to them" in dry.err
    server.submit("many")
    mixed = typed("act", "cancel", "--type=many", *at).err
    assert "It can be done to 1. Do it: --expect 4 --yes" in mixed
    typed("act", "cancel", "--type=many", "--state=queued", "--yes", *at)
    again = typed("act", "cancel", "--type=many", "--yes", *at)
    assert (again.status, again.out, again.err.strip()) == (0, "0\n", "4 could not be helped: wrong_state")


def test_an_order_that_is_not_clear_is_a_fault_of_use(at: list[str]) -> None:
    assert typed("act", "cancel", "--yes", *at)[::2] == (
        2,
        "pagehand: say which jobs: --state, --type, --since and so on\n",
    )
    for words in (["set", "--type=a"], ["rm", "--type=a", "--priority=3"]):
        assert typed("act", *words, *at).status == 2
