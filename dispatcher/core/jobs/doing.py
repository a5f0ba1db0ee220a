"""What workers do, as lists tell it. Pure."""

from __future__ import annotations

from enum import StrEnum

from dispatcher.core.jobs.model import WorkerStatus, WorkerView

__all__ = ["WorkerDoing", "does"]


class WorkerDoing(StrEnum):
    """What a worker does, for lists: three kinds of those that are connected, and those that are kept from jobs."""

    READY = "ready"
    BUSY = "busy"
    #: Busy with a job whose attempt is over.
    STUCK = "stuck"
    #: By the person at its page, or by an operator, be it connected or not.
    PAUSED = "paused"


def does(worker: WorkerView, doing: WorkerDoing) -> bool:
    """Whether a list of those that do this shows the worker."""
    if worker.paused or worker.state is not WorkerStatus.CONNECTED:
        return worker.paused and doing is WorkerDoing.PAUSED
    return doing is (WorkerDoing.STUCK if worker.hanging else WorkerDoing.BUSY if worker.jobs else WorkerDoing.READY)
