"""A desk for each kind of store: ``desk`` for all, ``durable`` for those that outlive their process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.contract import DURABLE, KINDS, Desk, Kind

OpenDesk = Callable[..., Desk]


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, if the machine has one: no test here depends on the cost of a sync."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="pagehand-", dir=memory) as directory:
        yield Path(directory)


@pytest.fixture
def open_desk(quick_path: Path) -> Iterator[OpenDesk]:
    """Opens desks of the test's kind, with limits; closes them after the test."""
    desks: list[Desk] = []

    def opened(kind: Kind, **limits: Any) -> Desk:
        directory = quick_path / str(len(desks))
        directory.mkdir()
        desks.append(Desk(kind, directory, **limits))
        return desks[-1]

    yield opened
    try:
        for desk in desks:
            assert desk.faults() == []
    finally:
        for desk in desks:
            desk.end()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def desk(open_desk: OpenDesk, kind: Kind) -> Desk:
    """A new store of every kind."""
    return open_desk(kind)


@pytest.fixture(params=DURABLE, ids=lambda kind: kind.name)
def durable(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Desk:
    """A new store of every kind that can be opened again."""
    return open_desk(request.param)
