"""The name of a node: which one is taken, and in which words others are refused."""

from __future__ import annotations

import pytest

from tests.config.reading import given, refused


def test_a_name_of_a_node_needs_a_database_that_others_may_have_too() -> None:
    store = ("--store", "postgresql://db/jobs")
    assert given("--node", "east-1.b_2", *store).node == "east-1.b_2"
    assert given("--node", "main").node == given(*store).node == "main"
    for other in ("memory:", "sqlite:///a.db"):
        assert "--node tells servers apart that share one database" in refused("--node", "east", "--store", other)


@pytest.mark.parametrize("name", ["", "a b", "b\u00e4r", "a/b", "n" * 41])
def test_an_odd_name_of_a_node_is_refused(name: str) -> None:
    words = refused("--store", "postgresql://db/jobs", "--node", name)
    assert "--node must be" in words
    assert "at most 40 letters, digits" in words
