"""What the simulator has found in the product, made small: each flaw by its name."""

from __future__ import annotations

import random

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.workers.effects import CancelOrder, Offer, Order, Probe, Welcome
from tests.core.workers.support import Node as Core
from tests.core.workers.support import all_of, only
from tests.sim.knobs import Knobs
from tests.sim.world import World, run


def test_while_a_turn_is_in_flight_what_is_due_does_not_make_the_timer_fire_again_and_again() -> None:
    """Seeds 1, 2 and 5: the server span at full speed until the store had answered."""
    world = World(1, knobs=Knobs(pages=0, jobs_every_s=0.0, slow_disk=1.0))
    world.operator.start()
    node = world.node
    assert node is not None
    world.steps(lambda: node.listening)
    spec = JobSpec(type="echo", data='{"token":"t1"}', delay_s=5.0)
    world.history.submitted["t1"] = spec
    node.run("io", lambda: node.call(lambda dispatcher: dispatcher.submit(spec), lambda answer: None))
    until = world.now + 12.0
    before = world.outcome.steps
    world.steps(lambda: world.now > until or world.outcome.steps - before > 1_000)
    assert world.outcome.steps - before < 100
    assert len(world.disk.rows.waiting) == 1, "it is due, and nobody can run it"
    node.loop.abandon()


def test_a_second_window_stays_one_worker_even_if_the_first_answer_to_it_was_lost() -> None:
    """Seed 8: it had become a worker of its own, did not hear so, registered anew, and became another one."""
    core = Core()
    core.join("s1", worker="w1", boot="b1")
    assert only(core.join("s2", worker="w1", boot="b2", spare="w2"), Probe).session == "s1"
    assert only(core.heard("s1"), Welcome).worker == "w2"
    core.ended("s2")  # the answer is lost with its connection, and the page opens another session

    effects = core.join("s3", worker="w1", boot="b2", spare="w3")

    assert only(effects, Welcome).worker == "w2"
    assert set(core.machine.workers) == {"w1", "w2"}


def test_a_page_that_declines_every_offer_does_not_get_offers_at_full_speed() -> None:
    """Seed 5019: after a restart the server did not know that a page's slot was taken by a task that hangs.

    It offered, the page declined, the job was queued again, and was offered again at once: 20 times a second and
    page, each time with a row for the attempt.
    """
    core = Core()
    effects = core.join("s1", boot="b1", holding=[("of an earlier run", 90.0)])
    assert only(effects, CancelOrder).attempt == "of an earlier run", "which the page cannot obey"
    assert core.room() == 0, "its slot is taken"
    assert only(core.pass_s(60.0), Order).op == "reload"

    core.join("s1", boot="b2")
    offers = 0
    for number in range(20):
        if not core.room():
            break
        offers += len(all_of(core.offer(f"a{number}"), Offer))
        core.released("s1", f"a{number}", "declined")
    assert offers == 2, "and whatever reason a page has for declining, it is set aside"


def test_offers_are_not_declined_again_and_again_by_a_page_whose_task_hangs() -> None:
    """Seed 5019 whole: 147 jobs, and 4,313 attempts that were given back."""
    knobs = Knobs.draw(random.Random("knobs of 5019")).by_polling()
    outcome = run(5019, knobs=knobs)
    assert outcome.violation is None
    assert outcome.counts["attempts released"] < outcome.counts["jobs"]
