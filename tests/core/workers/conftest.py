"""What the tests of the machine begin with."""

from __future__ import annotations

import pytest

from tests.core.workers.support import Node


@pytest.fixture
def node() -> Node:
    """A node with one page, idle."""
    node = Node()
    node.join()
    return node
