"""What the nemesis does: toxics in the proxy, and the server frozen, killed, or stopped in good order.

A fault is given the stage, and how long it lasts; when it returns, the server is up and the proxy is healed.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.campaigns.nemesis_load import History, Watch
from tests.support.process import ServerProcess
from tests.support.toxic import ToxicProxy, Toxics

__all__ = ["FAULTS", "Stage", "storm"]


@dataclass
class Stage:
    """What a fault can reach."""

    server: ServerProcess
    proxy: ToxicProxy
    history: History
    watch: Watch
    rng: random.Random
    #: What carried the pages when the last job had ended.
    carriers: Counter[str] = field(default_factory=Counter)


Fault = Callable[[Stage, float], Awaitable[None]]

_HOW = ("close", "reset")
_ENGINE, _API = "(GET|POST) /engine.io/", "POST /api/"


def _cut(rng: random.Random) -> Toxics:
    return Toxics(cut_s=rng.uniform(0.1, 1.0), how=rng.choice((*_HOW, "answer")))


_TOXICS: dict[str, Callable[[random.Random], Toxics]] = {
    "polls cut": _cut,
    "answers to pages lost": lambda rng: Toxics(lose_answer=True, share=0.3, only=_ENGINE, how=rng.choice(_HOW)),
    "answers to submitters lost": lambda rng: Toxics(lose_answer=True, share=0.6, only=_API, how=rng.choice(_HOW)),
    "answers cut short": lambda rng: Toxics(limit_down=rng.randrange(400), share=0.3, how=rng.choice(_HOW)),
    "requests cut short": lambda rng: Toxics(limit_up=rng.randrange(600), share=0.3, how=rng.choice(_HOW)),
    "resets": lambda rng: Toxics(cut_s=rng.uniform(0.0, 0.3), share=0.5, how="reset"),
    "latency": lambda rng: Toxics(latency_s=0.3, jitter_s=0.3),
    "little bandwidth": lambda rng: Toxics(bytes_per_s=rng.uniform(4_000, 20_000)),
    "answers held back": lambda rng: Toxics(hold_s=rng.uniform(0.2, 2.0)),
    "POSTs repeated": lambda rng: Toxics(replay=0.5),
    "headers rewritten": lambda rng: Toxics(rewrite=frozenset({"lower", "strip", "forwarded", "chunked"})),
    "a partition that refuses": lambda rng: Toxics(partition="refused"),
    "a silent partition": lambda rng: Toxics(partition="silent"),
}


def _toxic(name: str) -> Fault:
    async def fault(stage: Stage, lasts_s: float) -> None:
        await _switch(stage, name)
        await asyncio.sleep(lasts_s)

    return fault


async def _switch(stage: Stage, name: str) -> None:
    toxics = _TOXICS[name](stage.rng)
    stage.watch.fair = not toxics.partition
    await stage.proxy.switch(toxics)


async def _also_toxic(stage: Stage) -> None:
    """What happens to the server happens to half of the time while the network is bad, too."""
    if stage.rng.random() < 0.5:
        await _switch(stage, stage.rng.choice(list(_TOXICS)))


async def _freeze(stage: Stage, lasts_s: float) -> None:
    await _also_toxic(stage)
    stage.watch.fair = False
    stage.server.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(lasts_s)
    finally:
        stage.server.signal(signal.SIGCONT)


async def _kill(stage: Stage, lasts_s: float) -> None:
    await _also_toxic(stage)
    await asyncio.sleep(stage.rng.uniform(0, lasts_s / 2))
    stage.history.note("gone", by="SIGKILL")
    await stage.server.kill()
    if (status := stage.server.process.returncode) != -signal.SIGKILL:
        stage.history.note("wrong", words=f"ended: the server ended by itself with {status}")
    await asyncio.sleep(stage.rng.uniform(0, lasts_s / 2))
    await stage.server.start()


async def _stop(stage: Stage, lasts_s: float) -> None:
    await _also_toxic(stage)
    await asyncio.sleep(stage.rng.uniform(0, lasts_s / 2))
    stage.history.note("gone", by="SIGTERM")
    if (status := await stage.server.stop()) != 0:
        stage.history.note("wrong", words=f"ended: after SIGTERM with {status}")
    await stage.server.start()


async def _nothing(stage: Stage, lasts_s: float) -> None:
    """So that what hangs is not cut off by the next fault before anybody can see it."""
    await stage.watch.turned_over()


FAULTS: dict[str, Fault] = {
    **{name: _toxic(name) for name in _TOXICS},
    "the server frozen": _freeze,
    "the server killed": _kill,
    "the server stopped": _stop,
    "nothing": _nothing,
}


async def storm(
    stage: Stage, lasts_s: float, each_s: tuple[float, float], still: Callable[[], None], faults: tuple[str, ...] = ()
) -> None:
    """Fault after fault, each in its turn, in a new order each time round; all of them at least once. ``still`` is
    called between two, and raises when it makes no sense to go on.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + lasts_s
    deck = list(faults or FAULTS)
    stage.rng.shuffle(deck)
    while loop.time() < end or deck:
        if not deck:
            deck = list(faults or FAULTS)
            stage.rng.shuffle(deck)
        name, each = deck.pop(), stage.rng.uniform(*each_s)
        stage.history.note("fault", name=name, lasts_s=round(each, 3))
        try:
            await FAULTS[name](stage, each)
        finally:
            await stage.proxy.switch()
            stage.watch.fair = True
        still()
        await asyncio.sleep(stage.rng.uniform(0, each_s[0]))
