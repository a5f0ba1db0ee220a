"""A page's WebSocket, which carries its session or is to: how the page opens it and moves to it, step by step."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.browser import Window

__all__ = ["Link", "Step", "frames_of"]

#: A page gives up a move, or a socket that does not open, after this.
_MOST_S = 15.0
#: Of the lies of a page: those that go with such a frame.
_BABBLES = 0.2
_BABBLE = ("", "0", "2", "2probe", "3probe", "5", "6", "bAAAA", "b!", "4", "4{", "x")


class Step(Enum):
    """How far it is."""

    OPENING = "opening"
    PROBING = "probing"
    #: Probed: the page polls and posts no more, and waits for the answers to its last requests.
    MOVING = "moving"
    CARRIES = "carries"
    OVER = "over"


class Link:
    """A WebSocket of a window. ``moves``: the window's session has polled until now."""

    def __init__(self, window: Window, *, moves: bool) -> None:
        self._window, self._moves = window, moves
        self._step = Step.OPENING
        self._wire = window.socket_wire()
        self._had_frame = self._has_babbled = False
        sid = f"&sid={window.session.sid}" if window.session is not None else ""
        window._after(_MOST_S, self._too_late)
        mine = window._in_life
        self._wire.open(
            f"EIO=4&transport=websocket{sid}", mine(self._opened), lambda frame: mine(lambda: self._frame(frame))(),
            mine(self._broken),
        )  # fmt: skip

    @property
    def carries(self) -> bool:
        """The session's packets go this way."""
        return self._step is Step.CARRIES

    @property
    def lets_poll(self) -> bool:
        """The session lives by its polls, and goes on with them."""
        return self._moves and self._step in (Step.OPENING, Step.PROBING)

    def say(self, frames: list[str]) -> None:
        """Hands them to the socket."""
        for frame in frames:
            self._wire.say(frame)

    def babble(self) -> None:
        """Now and then, a frame that no honest page sends."""
        window = self._window
        if self._step is not Step.OPENING and window.ways.random() < _BABBLES:
            window.world.count("frames that no page sends")
            self._has_babbled = True
            self._wire.say(window.ways.choice(_BABBLE))

    def listen(self) -> None:
        """Gives the session up if no ping comes."""
        window = self._window
        assert window.session is not None
        left_s = window.session.deadline - window.world.now
        if left_s <= 0:
            window._lost(at_once=False)
        else:
            window._after(left_s, self.listen)

    def go_on(self) -> None:
        """Moves, if the last poll and the last POST have come back."""
        window = self._window
        if self._step is not Step.MOVING or window.is_polling or window.is_posting or self._breaks():
            return
        self._step = Step.CARRIES
        self._wire.say("5")
        window.world.count("moves to a socket")
        self._breaks()
        self.listen()
        window.forget_polls()
        window._pump()

    # -- what comes

    def _opened(self) -> None:
        if self._moves and not self._breaks():
            self._step = Step.PROBING
            self._wire.say("2probe")
            self._breaks()

    def _frame(self, frame: str) -> None:
        window = self._window
        if self._step is Step.CARRIES:
            if self._moves and not self._had_frame:
                window.forget_polls(moved=True)
            self._had_frame = True
            window._polled(200, frame.encode())
        elif self._step is Step.PROBING and frame == "3probe":
            self._step = Step.MOVING
            self._breaks()
            self.go_on()
        elif not self._moves and self._step is Step.OPENING:
            self._step = Step.CARRIES
            window._opened(200, frame.encode())
        elif self._has_babbled:  # it may have said "5" too early
            self._broken()
        elif self._step is not Step.OVER:
            window.world.broken(f"transport: {window.name} hears {frame[:60]} on a socket that carries nothing yet")

    # -- its end

    def _breaks(self) -> bool:
        """At each step a move may break; True: the page leaves it at that."""
        window, step = self._window, self._step
        if not self._moves or step is Step.OVER or window.ways.random() >= window.world.knobs.break_move:
            return False
        window.world.count(f"moves that broke while {step.value}")
        what = window.ways.choice(("cut", "close", "wait"))
        if what == "cut" or step is Step.CARRIES:
            self._wire.cut()
            return False
        if what == "close" or step is Step.MOVING:
            self._broken()
        return True

    def _too_late(self) -> None:
        if self._step is not Step.CARRIES:
            self._broken()

    def _broken(self) -> None:
        """A session that it carries is over with it. One that polls goes on."""
        window, was = self._window, self._step
        if was is Step.OVER:
            return
        self._step = Step.OVER
        self._wire.close()
        if was is Step.CARRIES or not self._moves:
            window._lost(at_once=False)
        else:
            window.stay()


def frames_of(body: bytes) -> list[str]:
    """The packets of a POST, as frames."""
    return body.decode().split("\x1e")
