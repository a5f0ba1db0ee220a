"""What workers do, as lists tell it, and by what their addresses find them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.doing import WorkerDoing, does
from dispatcher.core.jobs.model import WorkerStatus, WorkerView


def worker(**fields: Any) -> WorkerView:
    known: dict[str, Any] = {
        "id": "w1", "name": "DESK", "state": WorkerStatus.CONNECTED, "paused": False, "types": [], "slots": 1,
        "jobs": [], "done": 0, "failed": 0, "connected_s": 0.0, "last_contact_s": 0.0, "page": {}, "remote": "",
    }  # fmt: skip
    return WorkerView(**(known | fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, [WorkerDoing.READY]),
        ({"jobs": ["j1"]}, [WorkerDoing.BUSY]),
        ({"jobs": ["j1"], "hanging": ["j1"]}, [WorkerDoing.STUCK]),
        ({"jobs": ["j1"], "paused": True}, [WorkerDoing.PAUSED]),
        ({"state": WorkerStatus.AWAY, "paused": True}, [WorkerDoing.PAUSED]),
        ({"state": WorkerStatus.AWAY}, []),
    ],
)
def test_a_worker_does_one_thing_or_nothing(fields, told):
    assert [doing for doing in WorkerDoing if does(worker(**fields), doing)] == told


def test_a_worker_is_found_by_its_id_or_by_its_name():
    assert (worker().key, worker(id="").key) == ("w1", "name:DESK")
