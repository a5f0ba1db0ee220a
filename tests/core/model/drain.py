"""The end of a model's life: with one able worker and enough time, every job must come to its end."""

from __future__ import annotations

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.turn import Command, Decide, Retry
from tests.core.model import invariants
from tests.core.model.world import Page, World

__all__ = ["drain"]


def a_decision(row: JobRow) -> Command:
    """One of the three decisions."""
    if row.seq % 3 == 0:
        return Retry(row.id)
    return Decide(row.id, '"it was done"' if row.seq % 3 == 1 else None, "I looked")


def drain(world: World) -> None:
    """All pages go for good, a worker comes that can do everything: with time, every job must end."""
    if world.ref.draining:
        world.restart()
    world.settle()
    for page in world.pages:
        world.closes(page)
        world.leaves(page)
    for name in list(world.sessions):
        world.session_times_out(name)
    world.pages.clear()
    page = Page("the last one", ("a", "b"), 3)
    world.pages.append(page)
    world.open(page)
    for _ in range(400):
        world.commands += [a_decision(row) for row in world.doubtful()]
        world.settle()
        world.poll(page)
        for attempt in list(page.has):
            world.accept(page, attempt)
            world.result(page, attempt)
        world.settle()
        world.poll(page)
        assert not page.stash, "a result was never answered"
        invariants.check(world)
        if world.ready() or world.doubtful():
            continue
        instant = world.next_instant()
        if instant is None:
            break
        world.advance(instant)
    world.bye(page)
    world.settle()
    invariants.check(world)
    invariants.check_ended(world)
