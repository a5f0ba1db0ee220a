"""What people and programs do to jobs that are there, and to workers."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from dispatcher.core.jobs.acts.kept import KeepWorker, KeptWorker
from dispatcher.core.jobs.turn import Adopt, Amend, Cancel, Decide, Delete, Reopen, Retry
from tests.core.model.draws import CHANGES, of, pick
from tests.core.model.world import World

__all__ = ["People"]


class People(RuleBasedStateMachine):
    """Commands of a life; a rule that finds no such job changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick)
    def cancel(self, n):
        self.world.commands.append(Cancel(of(sorted(self.world.accepted), n), "not needed"))

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick)
    def retry(self, n):
        self.world.commands.append(Retry(of(sorted(self.world.accepted), n)))

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick, value=st.sampled_from([None, '"it was done"']), answered=st.booleans())
    def a_person_decides(self, n, value, answered):
        """If nothing is in doubt, it changes nothing. ``answered``: a page brings the result after all."""
        doubtful = {row.id: row.attempt for row in self.world.doubtful()}
        self.world.commands.append(Decide(of(doubtful or sorted(self.world.accepted), n), value, "I looked"))
        self.world.answer_late(doubtful.values() if answered else [])

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick)
    def a_decision_is_taken_back(self, n):
        """If nothing was decided, it changes nothing."""
        decided = [row.id for row in self.world.rows.by_seq.values() if row.reason == "decided"]
        self.world.commands.append(Reopen(of(decided or sorted(self.world.accepted), n), "I erred"))

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick)
    def a_person_takes_a_late_answer(self, n):
        """If there is none, or the job has not failed, it changes nothing."""
        self.world.commands.append(Adopt(of(sorted(self.world.accepted), n)))

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick, change=CHANGES)
    def a_waiting_job_is_changed(self, n, change):
        """If it does not wait, nothing is changed."""
        self.world.commands.append(Amend(job=of(sorted(self.world.accepted), n), **change))

    @precondition(lambda self: self.world.accepted)
    @rule(n=pick)
    def an_ended_job_is_removed(self, n):
        """If it has not ended, nothing is removed."""
        self.world.commands.append(Delete(of(sorted(self.world.accepted), n)))

    # -- to workers

    @rule(n=pick, leaves=st.sampled_from([False, False, True]))
    def an_operator_pauses_a_worker(self, n, leaves):
        if worker := of(sorted(self.world.machine.workers), n):
            self.world.hold(worker, leaves=leaves)

    @precondition(lambda self: self.world.ref.held)
    @rule(n=pick)
    def an_operator_resumes_a_worker(self, n):
        self.world.commands.append(KeepWorker(KeptWorker(id=of(sorted(self.world.ref.held), n)), "worker.resume"))

    @precondition(lambda self: any(page.heard for page in self.world.pages))
    @rule(n=pick)
    def the_person_at_a_page_resumes_it(self, n):
        """The page may not have heard yet that another hold has taken the place of the one that it shows."""
        self.world.resume(of([page for page in self.world.pages if page.heard], n))
