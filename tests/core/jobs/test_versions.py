"""The version of a job: another one after each change of its row, and the same for all who look."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.versions import digest, version_of

#: What is written once, or shows in the other fields, or is nothing that anybody sees.
SAME = {
    "seq", "rank", "attempt", "claims", "backoff_until", "ended_clock", "ready_at", "id", "type", "size", "created_at",
    "key", "fingerprint", "batch",
}  # fmt: skip


def row(**fields: Any) -> JobRow:
    known: dict[str, Any] = dict.fromkeys(JobRow.__struct_fields__)
    return JobRow(**(known | {"state": JobState.QUEUED, "terms": Terms(), "errors": 0} | fields))


@pytest.mark.parametrize("field", [name for name in JobRow.__struct_fields__ if name not in SAME])
def test_each_field_of_a_row_makes_another_version(field: str) -> None:
    values: dict[str, Any] = {"state": JobState.RUNNING, "terms": Terms(priority=1)}
    changed = replace(row(), **{field: values.get(field, "half \ud800")})
    assert version_of(changed) != version_of(row()) == version_of(replace(row()))


@pytest.mark.parametrize("field", sorted(SAME))
def test_what_nobody_sees_makes_none(field: str) -> None:
    assert version_of(replace(row(), **{field: 7})) == version_of(row())


def test_a_digest_is_the_same_in_every_run() -> None:
    assert digest("a", 1.5, None) == "0c14f5003829d3af"
