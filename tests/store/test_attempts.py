"""Ids of attempts: they are found by their job and sort by age, whatever their secrets are."""

from __future__ import annotations

import pytest

from dispatcher.store.attempts import attempt_id, attempt_range, job_of

#: Falls while the attempts get older; so a sort by it is the wrong one.
SECRETS = [f"{n:032x}" for n in range(300, 0, -1)]


def test_ids_sort_by_age() -> None:
    ids = [attempt_id(7, claims, secret) for claims, secret in enumerate(SECRETS)]
    assert ids == sorted(ids)


@pytest.mark.parametrize("seq", [0, 7, 15, 16, 255, 0xFFFFFFFFFF])
def test_an_id_names_its_job_and_lies_in_its_jobs_range_alone(seq: int) -> None:
    for claims in (0, 9, 10, 16, 0xFFFFFF):
        name = attempt_id(seq, claims, "f" * 32)
        first, last = attempt_range(seq)
        assert first <= name <= last
        assert job_of(name) == seq
        for other in {max(0, seq - 1), seq + 1, seq * 16} - {seq}:
            first, last = attempt_range(other)
            assert not first <= name <= last


@pytest.mark.parametrize("name", ["", "a1", "00000000zz-000000-1", "7-0-1", " 0000000007-000000-1"])
def test_what_is_no_id_of_ours_names_no_job(name: str) -> None:
    assert job_of(name) is None
