"""Random lives of a node, checked after every step against the promises (see ``reference`` and ``invariants``).

They cover more than safety: nothing may be stranded, every deadline must be exact, workers take turns, and in the end
one able worker and enough time must bring every job to its end.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from dispatcher.core.jobs.turn import Cancel
from tests.core.model import invariants
from tests.core.model.drain import drain
from tests.core.model.draws import (
    EFFECTS,
    HEARTBEATS_S,
    OFFERS,
    PAUSES_S,
    TYPES,
    able,
    of,
    pick,
    somebody_has_a_stash,
    somebody_is_able,
    somebody_is_away,
    somebody_is_cut_off,
    somebody_is_there,
    somebody_was_told,
    somebody_works,
    something_is_in_flight,
)
from tests.core.model.peers import OFFER_TTL_S
from tests.core.model.people import People
from tests.core.model.world import Page
from tests.support.jobs import spec


class Node(People):
    @initialize(
        offers=st.lists(OFFERS, min_size=1, max_size=3),
        slots=st.sampled_from([1, 1, 2]),
        jobs=st.integers(0, 4),
        working=st.booleans(),
        effects=EFFECTS,
        heartbeat_s=HEARTBEATS_S,
    )
    def a_node_at_work(self, offers, slots, jobs, working, effects, heartbeat_s):
        for types in offers:
            self.a_page_comes(types, slots)
        job = spec(type="a", data="1", timeout_s=90.9, effects=effects, heartbeat_s=heartbeat_s)
        self.world.submissions += [job] * jobs
        if working:
            self.everybody_works()

    # -- jobs

    @rule(
        type_name=TYPES,
        count=st.sampled_from([1, 1, 2, 4]),
        priority=st.sampled_from([0, 0, 0, 1, -1]),
        delay_s=st.sampled_from([0.0, 0.0, 0.0, 4.3]),
        timeout_s=st.sampled_from([7.3, 40.9, 150.3]),
        expires_s=st.sampled_from([None, None, None, 15.1]),
        max_attempts=st.sampled_from([1, 2, 3]),
        max_crashes=st.sampled_from([0, 1, 5]),
        effects=EFFECTS,
        heartbeat_s=HEARTBEATS_S,
    )
    def submit(
        self, type_name, count, priority, delay_s, timeout_s, expires_s, max_attempts, max_crashes, effects, heartbeat_s
    ):
        self.world.submissions += [
            spec(
                type=type_name, data="1", priority=priority, delay_s=delay_s, timeout_s=timeout_s,
                expires_s=expires_s, max_attempts=max_attempts, max_crashes=max_crashes,
                effects=effects, heartbeat_s=heartbeat_s,
            )
        ] * count  # fmt: skip

    # -- turns and time

    @rule()
    def settle(self):
        self.world.settle()

    @rule()
    def begin_a_turn(self):
        self.world.begin_turn()

    @something_is_in_flight
    @rule()
    def finish_the_turn(self):
        self.world.finish_turn()

    @rule(seconds=PAUSES_S)
    def time_passes(self, seconds):
        self.world.advance(self.world.now + seconds)

    @rule(seconds=st.sampled_from([9.9, 70.7, 500.1]))
    def the_machine_is_suspended(self, seconds):
        self.world.sleep(seconds)

    @rule(settle=st.booleans())
    def the_next_deadline_comes(self, settle):
        instant = self.world.next_instant()
        if instant is not None:
            self.world.advance(instant)
        if settle:
            self.world.settle()

    @precondition(lambda self: self.world.accepted)
    @rule(seconds=st.sampled_from([0.0, 5.9]), back=st.booleans())
    def the_server_restarts(self, seconds, back):
        self.world.restart()
        self.world.advance(self.world.now + seconds)
        for page in self.world.pages if back else []:
            self.world.open(page)

    @precondition(lambda self: self.world.ref.leases and len(self.world.accepted) > 4)
    @rule()
    def the_server_drains(self):
        self.world.ref.draining = True
        ends = [end for peer in self.world.ref.peers.values() for end in self.world.ref.take_back(peer)]
        self.world.call(self.world.machine.drain(self.world.now), ends)

    # -- pages come and go

    @precondition(lambda self: len(self.world.pages) < 4)
    @rule(types=OFFERS, slots=st.sampled_from([1, 1, 2]))
    def a_page_comes(self, types, slots):
        page = Page(f"page {len(self.world.pages) + 1}", types, slots)
        self.world.pages.append(page)
        self.world.open(page)

    @precondition(lambda self: 0 < len(self.world.pages) < 5)
    @rule(n=pick)
    def a_second_window_opens(self, n):
        first = of(self.world.pages, n)
        page = Page(f"{first.name} again", first.types, first.slots, worker=first.worker)
        self.world.pages.append(page)
        self.world.open(page)

    def page(self, n, *, connected):
        world = self.world
        return of([page for page in world.pages if (page.session in world.sessions) == connected], n)

    @somebody_is_cut_off
    @rule(n=pick, late=st.sampled_from([False, False, True]))
    def a_page_connects_again(self, n, late):
        """``late``: it tries twice, and its first message is still on its way."""
        for so_late in [True, False] if late else [False]:
            if page := self.page(n, connected=False):
                self.world.open(page, late=so_late)

    @somebody_is_able
    @rule(n=pick)
    def a_page_registers_again(self, n):
        page = self.page(n, connected=True)
        if page and able(page, self.world):
            self.world.register(page)

    @somebody_is_there
    @rule(n=pick)
    def a_register_comes_once_more(self, n):
        self.world.replay(of(self.world.sessions, n))

    @somebody_is_there
    @rule(n=pick, how=st.sampled_from(["closes", "closed_a_while_ago", "times_out", "leaves", "bye"]))
    def a_page_goes(self, n, how):
        if page := self.page(n, connected=True):
            getattr(self.world, how)(page)

    @rule(n=pick)
    def a_session_that_its_page_left_times_out(self, n):
        world = self.world
        if name := of([name for name, session in world.sessions.items() if session.page.session != name], n):
            world.session_times_out(name)

    @somebody_is_away
    @rule(n=pick)
    def a_page_returns(self, n):
        if page := self.page(n, connected=True):
            self.world.returns(page)

    @rule(n=pick, keep=st.booleans(), noticed=st.booleans())
    def a_page_is_loaded_anew(self, n, keep, noticed):
        if page := of(self.world.pages, n):
            self.world.reload(page, keep=keep, noticed=noticed)

    @somebody_is_able
    @rule(n=pick, paused=st.booleans())
    def a_page_pauses_or_goes_on(self, n, paused):
        if page := self.page(n, connected=True):
            self.world.pause(page, paused)

    @somebody_is_there
    @rule(n=pick)
    def a_page_answers_a_ping(self, n):
        if page := self.page(n, connected=True):
            self.world.hear(page)

    # -- pages work

    @somebody_is_there
    @rule(n=pick, lost=st.sampled_from([False, False, True]))
    def a_page_polls(self, n, lost):
        if page := self.page(n, connected=True):
            self.world.poll(page, lost=lost)

    @somebody_is_able
    @rule()
    def everybody_polls(self):
        self.world.settle()
        for page in self.world.pages:
            self.world.poll(page)

    @somebody_is_able
    @rule()
    def everybody_works(self):
        self.everybody_polls()
        for page in self.world.pages:
            for attempt in [name for name, at in page.has.items() if at is None and able(page, self.world)]:
                self.world.accept(page, attempt)

    def working(self, n):
        """A page that can speak for its worker and holds attempts, and those attempts."""
        world = self.world
        found = [(page, name) for page in world.pages if able(page, world) for name in page.has]
        return of(found, n) or (None, None)

    @somebody_is_able
    @rule(times=st.sampled_from([1, 2, 2]), again=st.sampled_from([False, False, True]))
    def everybody_ignores_offers(self, times, again):
        for _ in range(times):
            self.everybody_polls()
            self.everybody_polls()
            for page in self.world.pages:
                page.has = {name: at for name, at in page.has.items() if at is not None}
                if again and able(page, self.world):
                    self.world.register(page)
            self.world.advance(self.world.now + OFFER_TTL_S)

    @somebody_is_able
    @rule(times=st.sampled_from([1, 2]), paused=st.sampled_from([False, False, True]))
    def everybody_declines(self, times, paused):
        for _ in range(times):
            self.everybody_polls()
            for page in [page for page in self.world.pages if able(page, self.world)]:
                if paused:
                    self.world.pause(page, True)
                for attempt in [name for name, at in page.has.items() if at is None]:
                    self.world.release(page, attempt)

    @somebody_is_able
    @rule(cancel=st.booleans())
    def an_accept_and_the_next_offer_are_lost(self, cancel):
        self.everybody_polls()
        self.world.advance(self.world.now + OFFER_TTL_S)
        self.world.settle()
        for page in self.world.pages:
            self.world.poll(page, lost=True)
        if cancel:
            self.world.commands += [Cancel(job, "") for job in self.world.on_offer()]
            self.world.settle()
        self.world.everybody_reconnects()

    @somebody_is_able
    @rule()
    def everybody_goes(self):
        """Every page has accepted its offers, and was told to go if it waited for that."""
        self.everybody_works()
        self.world.settle()

    @somebody_works
    @rule(n=pick)
    def a_page_accepts(self, n):
        page, attempt = self.working(n)
        if page:
            self.world.accept(page, attempt)

    @somebody_works
    @rule(n=pick, end=st.sampled_from(["result", "result", "error"]))
    def a_page_accepts_and_answers_at_once(self, n, end):
        """The turn with the accept is in flight when the answer comes."""
        page, attempt = self.working(n)
        if page:
            self.world.finish_turn()
            self.world.accept(page, attempt)
            self.world.begin_turn()
            if end == "result":
                self.world.result(page, attempt)
            else:
                self.world.error(page, attempt, True)
            self.world.finish_turn()

    @somebody_works
    @rule(percent=st.sampled_from([None, 50.0]))
    def a_task_says_how_far_it_is(self, percent):
        self.world.advance(self.world.now + 0.7)
        able_ones = [page for page in self.world.pages if able(page, self.world)]
        for page, attempt in [(one, name) for one in able_ones for name in one.has]:
            self.world.progress(page, attempt, percent)

    @somebody_works
    @rule(n=pick)
    def a_page_has_a_result(self, n):
        page, attempt = self.working(n)
        if page:
            self.world.result(page, attempt)

    @somebody_works
    @rule(n=pick, anew=st.booleans())
    def a_result_does_not_get_through(self, n, anew):
        page, attempt = self.working(n)
        if page:
            self.world.stash(page, attempt)
            if anew:
                self.world.reload(page, keep=True, noticed=True)

    @somebody_has_a_stash
    @rule(n=pick)
    def a_result_is_repeated(self, n):
        world = self.world
        pages = [page for page in world.pages if page.stash and able(page, world)]
        if page := of(pages, n):
            world.result(page, of(page.stash, n))

    @somebody_is_able
    @rule(n=pick)
    def a_result_of_long_ago_comes(self, n):
        """Somebody sends a result for an attempt that the server knows, in whatever state."""
        world = self.world
        page, attempt = self.page(n, connected=True), of(world.all_attempts(), n)
        if page and attempt and able(page, world):
            world.result(page, attempt)

    @somebody_works
    @rule(n=pick, retry=st.sampled_from([True, True, False]))
    def a_task_fails(self, n, retry):
        page, attempt = self.working(n)
        if page:
            self.world.error(page, attempt, retry)

    @somebody_works
    @rule(n=pick)
    def a_page_gives_a_job_back(self, n):
        page, attempt = self.working(n)
        if page:
            self.world.release(page, attempt)

    @somebody_was_told
    @rule(n=pick)
    def a_page_obeys_a_cancel(self, n):
        world = self.world
        pages = [page for page in world.pages if page.told and able(page, world)]
        if page := of(pages, n):
            world.release(page, page.told.pop())

    # -- what must hold

    @invariant()
    def everything_is_as_promised(self):
        invariants.check(self.world)

    def teardown(self):
        drain(self.world)


TestNode = Node.TestCase
TestNode.settings = settings(stateful_step_count=50)
