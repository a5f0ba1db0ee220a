"""Versions of tasks: which are the same, and which pages are old."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.views.deployed import (
    changed_at,
    old_types,
    read_versions,
    same_version,
    version_text,
    versions_text,
)

ONE, OTHER = version_text("1a2b3c4d5e6f77", 1764493200.9), version_text("ffffffffffff77", 1764493200.9)


def test_a_version_is_a_digest_and_the_time_of_the_file() -> None:
    assert (ONE, changed_at(ONE)) == ("1a2b3c4d5e6f-1764493200", 1764493200.0)
    assert changed_at(version_text("0" * 64, -5.0)) == 0.0


@pytest.mark.parametrize("version", ["", "v2", "1a2b3c4d5e6f", "1a2b3c4d5e6f-", f"{ONE}x", f"{ONE}-1", f"x{ONE}"])
def test_what_others_call_a_version_tells_no_time(version: str) -> None:
    assert changed_at(version) is None


def test_a_file_that_was_only_copied_is_no_other_version() -> None:
    assert same_version(ONE, version_text("1a2b3c4d5e6f", 5.0))
    assert not same_version(ONE, OTHER)


def test_a_page_is_old_if_the_site_offers_another_version_of_one_of_its_tasks() -> None:
    assert old_types({"echo": ONE, "fax": ONE}, {"echo": ONE, "fax": OTHER}) == ["fax"]
    assert not old_types({"echo": ONE, "fax": ONE}, {"echo": ONE})
    assert not old_types({}, {"echo": ONE})


def test_a_version_is_written_with_the_one_before_and_read_again() -> None:
    assert read_versions(versions_text(ONE, OTHER)) == (ONE, OTHER)
    assert read_versions(versions_text(ONE, None)) == (ONE, None)
