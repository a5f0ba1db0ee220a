"""Stories of the prototype that this program grew out of: each of these went wrong there.

``tests/test_seed_flaws.py`` has the whole list.
"""

from __future__ import annotations

from collections import Counter

from dispatcher.core.jobs.states import JobState
from tests.core.model import invariants
from tests.core.model.world import Page, World
from tests.support.jobs import spec


def world_with(*pages: tuple[str, ...], jobs: int = 0, type_name: str = "a") -> World:
    """A node with a page for each tuple of types, and jobs that it has already offered."""
    world = World()
    for n, types in enumerate(pages):
        page = Page(f"page {n + 1}", types, 1)
        world.pages.append(page)
        world.open(page)
    submit(world, jobs, type_name)
    return world


def submit(world: World, jobs: int, type_name: str = "a") -> None:
    world.submissions += [spec(type=type_name, data="1", timeout_s=60.0)] * jobs
    world.settle()


def works(world: World, page: Page) -> list[str]:
    """The page polls and accepts; returns the attempts that it then has."""
    world.poll(page)
    for attempt in page.has:
        world.accept(page, attempt)
    world.settle()
    return list(page.has)


def states(world: World) -> Counter[str]:
    return Counter(str(row.state) for row in world.rows.by_seq.values())


def test_p04_every_worker_gets_its_turn():
    world = world_with(("a",), ("a",), ("a",))
    done: Counter[str] = Counter()
    for _ in range(30):
        submit(world, 1)
        [page] = [page for page in world.pages if works(world, page)]
        done[page.name] += 1
        world.result(page, next(iter(page.has)))
        world.settle()
    assert set(done.values()) == {10}


def test_p05_jobs_go_on_when_the_last_worker_in_line_has_left():
    world = world_with(("a",), ("a",))
    world.bye(world.pages[1])
    submit(world, 1)
    assert works(world, world.pages[0])


def test_p06_a_worker_that_leaves_costs_no_other_its_turn():
    world = world_with(*[("a",)] * 4, jobs=2)
    world.bye(world.pages[0])
    world.settle()
    given = [page.name for page in world.pages[1:] if works(world, page)]
    assert given == ["page 2", "page 3"], "page 2 has its job, and page 3 was next, not page 4"


def test_p07_a_job_whose_page_went_away_goes_to_another():
    world = world_with(("a",), jobs=1)
    assert works(world, world.pages[0])
    world.closes(world.pages[0])
    other = Page("another", ("a",), 1)
    world.pages.append(other)
    world.open(other)
    world.advance(world.now + 30)
    world.settle()
    assert works(world, other)


def test_p09_a_job_that_timed_out_is_tried_again_and_at_last_fails_for_a_reason():
    world = world_with(("a",), jobs=1)
    [row] = world.rows.by_seq.values()
    for _ in range(3):
        [attempt] = works(world, world.pages[0])
        world.advance(world.now + 60)
        world.settle()
        world.release(world.pages[0], attempt)
        world.advance(world.now + 10)
        world.settle()
    [row] = world.rows.by_seq.values()
    assert (row.state, row.reason, row.errors) == (JobState.FAILED, "timed_out", 3)


def test_p10_a_timer_of_a_finished_job_does_not_end_the_next():
    world = world_with(("a",), jobs=2)
    page = world.pages[0]
    [first] = works(world, page)
    world.advance(world.now + 50)
    world.result(page, first)
    world.settle()
    [second] = works(world, page)
    world.advance(world.now + 50)
    assert world.machine.attempts[second].live()
    world.result(page, second)
    world.settle()
    assert states(world) == {"succeeded": 2}


def test_p11_a_page_that_was_timed_out_gets_no_second_job_while_it_may_be_busy():
    world = world_with(("a",), jobs=2)
    works(world, world.pages[0])
    world.advance(world.now + 60)
    world.settle()
    assert states(world) == {"scheduled": 1, "queued": 1}
    assert works(world, world.pages[0]) == list(world.pages[0].has)
    assert len(world.pages[0].has) == 1


def test_p12_a_late_result_does_not_end_the_job_that_its_page_has_now():
    world = world_with(("a",), jobs=2)
    page = world.pages[0]
    [late] = works(world, page)
    world.advance(world.now + 60)
    world.settle()
    world.release(page, late)
    world.settle()
    [now_has] = works(world, page)
    world.result(page, late)
    world.settle()
    assert world.machine.attempts[now_has].live()
    assert {world.rows.results[seq] for seq in world.rows.results} == {f'"{late}"'}


def test_p13_a_forged_result_changes_nothing():
    world = world_with(("a",), ("b",), jobs=1)
    works(world, world.pages[0])
    world.result(world.pages[1], "0000000001-forged")
    world.settle()
    assert states(world) == {"running": 1}
    assert not world.rows.results


def test_p16_a_page_that_registered_thrice_leaves_whole():
    world = world_with(("a",))
    page = world.pages[0]
    world.register(page)
    world.register(page)
    assert len(world.machine.workers) == 1
    world.leaves(page)
    submit(world, 1)
    assert states(world) == {"queued": 1}, "offered to a page that is not there"


def test_p17_a_busy_worker_does_not_hold_up_an_idle_one():
    world = world_with(("a",), ("a",), jobs=1)
    works(world, world.pages[0])
    submit(world, 1)
    assert works(world, world.pages[1])


def test_p22_a_worker_gets_only_jobs_of_its_types():
    world = world_with(("b",), ("a", "b"), jobs=1)
    assert not works(world, world.pages[0])
    assert works(world, world.pages[1])


def test_p26_a_result_that_comes_over_a_new_session_is_recorded():
    world = world_with(("a",), jobs=1)
    page = world.pages[0]
    [attempt] = works(world, page)
    world.closes(page)
    world.times_out(page)
    world.open(page)
    world.result(page, attempt)
    world.settle()
    assert states(world) == {"succeeded": 1}


def test_p27_a_page_that_was_loaded_anew_frees_its_job_at_once():
    world = world_with(("a",), jobs=1)
    page = world.pages[0]
    [old] = works(world, page)
    world.reload(page, keep=False, noticed=True)
    world.settle()
    [new] = works(world, page)
    assert new != old
    invariants.check(world)


def test_p28_a_second_window_of_a_page_takes_nothing_from_the_first():
    world = world_with(("a",), jobs=1)
    first = world.pages[0]
    [attempt] = works(world, first)
    second = Page("second window", ("a",), 1, worker=first.worker)
    world.pages.append(second)
    world.open(second)
    world.hear(first)
    assert second.worker != first.worker
    world.result(first, attempt)
    world.settle()
    assert states(world) == {"succeeded": 1}


def test_p30_priority_is_a_head_start_and_no_wall():
    world = World()
    for priority in (0, 1, 0):
        world.submissions.append(spec(type="a", data="1", priority=priority))
    world.settle()
    world.advance(world.now + 61)
    world.submissions.append(spec(type="a", data="1", priority=1))
    world.settle()
    order = sorted(world.rows.by_seq.values(), key=lambda row: (row.rank or 0.0, row.seq))
    assert [row.seq for row in order] == [2, 1, 3, 4]
