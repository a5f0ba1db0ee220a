"""Sessions under any order of events: nothing raises, nothing hangs, nothing is lost, repeated or out of order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dispatcher.transport.exchange import Connection
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.transport.support import Bench, FakeExchange, Recorder

PIECES = ["EIO=4", "EIO=3", "transport=polling", "transport=x", "sid=", "sid=S", "sid=no", "j=0", "", "%", "=", "&"]
QUERIES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=6).map("&".join)


@given(st.sampled_from(["GET", "POST", "PUT", ""]), QUERIES, st.binary(max_size=20), st.booleans())
def test_any_request_gets_an_answer_or_is_a_parked_poll(method, query, body, upgrade) -> None:
    bench = Bench(Sessions(SessionLimits(), Recorder(), new_sid=lambda: "S"))
    bench.open()
    exchange = FakeExchange(method, query, upgrade=upgrade)
    refusal = bench.sessions.begin(exchange, bench.now)
    if refusal is not None:
        assert refusal.status in (400, 503)
        return
    bench.sessions.complete(exchange, body, bench.now)
    bench.sessions.flush(bench.now)
    parked = exchange.method == "GET" and exchange.session is not None
    assert (exchange.answered is None) == parked


class OnePage(RuleBasedStateMachine):
    """One page and all that can happen to it; the model is a list of what it must receive."""

    @initialize(poll_limit=st.sampled_from([1, 30, 2 << 20]))
    def start(self, poll_limit: int) -> None:
        self.recorder = Recorder()
        limits = SessionLimits(poll_limit=poll_limit, outbox_packets=20)
        self.bench = Bench(Sessions(limits, self.recorder))
        self.connection = Connection()
        self.sid = self.bench.open(self.connection)
        self.poll: FakeExchange | None = None
        self.sent: list[str] = []
        self.got: list[str] = []
        self.lost_sight = 0
        self.numbered = 0

    def alive(self) -> bool:
        return self.sid in self.bench.sessions

    def take(self) -> None:
        """The page reads its answer, if there is one."""
        if self.poll is not None and self.poll.answered is not None:
            if self.poll.status == 200:
                self.got += [packet[1:] for packet in self.poll.body.split("\x1e") if packet[0] == "4"]
            self.poll = None

    @rule()
    def polls(self) -> None:
        self.take()
        if self.poll is None:
            self.poll = self.bench.get(self.sid, self.connection)

    @rule(count=st.integers(1, 4))
    def server_sends(self, count: int) -> None:
        for _ in range(count):
            text = f"m{self.numbered}"
            self.numbered += 1
            if self.bench.sessions.send(self.sid, text, text):
                self.sent.append(text)
        self.bench.sessions.flush(self.bench.now)

    @rule(data=st.data())
    def server_withdraws(self, data: st.DataObject) -> None:
        text = f"m{data.draw(st.integers(0, self.numbered))}"
        waits = text in self.sent[len(self.written()) :] and self.alive()
        taken = self.bench.sessions.withdraw(self.sid, text)
        assert taken == waits or not self.alive()
        if taken:
            self.sent.remove(text)

    @rule(body=st.sampled_from(["3", "4x", "4x\x1e4y", "3\x1e4z"]))
    def page_posts(self, body: str) -> None:
        alive = self.alive()
        assert self.bench.post(self.sid, body).status == (200 if alive else 400)

    @rule()
    def connection_is_cut(self) -> None:
        self.take()
        if self.poll is not None:
            self.poll.open = False
            self.bench.sessions.abandon(self.poll, self.bench.now)
            self.poll = None
        self.bench.sessions.disconnected(self.connection, self.bench.now)
        self.connection = Connection()

    @rule()
    def connection_is_cut_and_nobody_says_so(self) -> None:
        self.take()
        if self.poll is not None:
            self.poll.open = False
            self.poll = None

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, 19.0, 21.0, 600.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.later(seconds)

    @precondition(lambda self: self.alive())
    @rule(how=st.sampled_from(["probe", "end", "close", "garbage", "overlap"]))
    def something_rare(self, how: str) -> None:
        if how == "probe":
            self.bench.sessions.probe(self.sid, self.bench.now)
            self.bench.sessions.flush(self.bench.now)
        elif how == "end":
            self.bench.sessions.end(self.sid)
            self.bench.sessions.flush(self.bench.now)
        elif how == "overlap":
            self.polls()
            second = self.bench.get(self.sid, self.connection)
            if second.answered is None or second.status == 200:  # the first has had its answer: no overlap
                self.take()
                self.poll = second
        else:
            self.bench.post(self.sid, "1" if how == "close" else "\x00")

    @invariant()
    def what_arrives_is_what_was_sent_in_order(self) -> None:
        self.take()
        assert self.got == self.sent[: len(self.got)]

    @invariant()
    def a_poll_is_parked_only_while_there_is_nothing_to_say(self) -> None:
        self.take()
        if self.poll is not None:
            session = self.bench.sessions.book.sessions[self.sid]
            assert session.poll is self.poll
            assert not session.outbox

    @invariant()
    def a_session_always_has_a_deadline_and_a_forgotten_one_none(self) -> None:
        assert (self.bench.sessions.next_deadline() is None) == (len(self.bench.sessions) == 0)
        if not len(self.bench.sessions):
            assert not self.connection.sids

    @invariant()
    def the_listener_hears_one_end_and_nothing_after_it(self) -> None:
        names = self.recorder.names()
        ends = [name for name in names if name in ("quiet", "dropped", "ended")]
        assert len(ends) <= 1
        if ends:
            assert names[-1] == ends[0]
        moves = [name for name in names if name in ("away", "back")]
        assert moves == ["away", "back"] * (len(moves) // 2) + ["away"] * (len(moves) % 2)

    @invariant()
    def written_names_offers_that_the_page_had_or_lost_with_a_connection(self) -> None:
        written = self.written()
        assert written == self.sent[: len(written)]
        assert len(written) >= len(self.got) - self.said_while_ending()

    def written(self) -> list[str]:
        """What the listener was told to have gone out."""
        return [attempt for event in self.recorder.events if event[0] == "written" for attempt in event[2]]

    def said_while_ending(self) -> int:
        """What goes out after ``end`` is told to nobody."""
        return 0 if self.alive() else len(self.got)

    def teardown(self) -> None:
        """Liveness: a page that is left alone is forgotten in two periods, and a poll of it never hangs."""
        if not hasattr(self, "bench"):
            return
        for _ in range(4):
            deadline = self.bench.sessions.next_deadline()
            if deadline is not None:
                self.bench.later(max(0.0, deadline - self.bench.now))
        assert len(self.bench.sessions) == 0
        assert self.poll is None or self.poll.answered is not None or not self.poll.open


TestOnePage = OnePage.TestCase
