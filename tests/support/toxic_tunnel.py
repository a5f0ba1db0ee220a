"""A connection through a proxy after its HTTP is over: bytes both ways, piece by piece, until one side hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.http_bytes import Side

__all__ = ["tunnel"]

#: How often its age is looked at.
_LOOK_S = 0.05


async def tunnel(
    client: Side, server: Side, passed: Callable[[bytes, str], Awaitable[None]], aged: Callable[[float], None]
) -> None:
    """Returns when a side has hung up. ``passed`` passes a piece ``up`` or ``down``, and ``aged`` is told how old it
    is; each may raise, and that ends it."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one_way(side: Side, way: str) -> None:
        while side.buffer or await _more(side):
            data = bytes(side.buffer)
            side.buffer.clear()
            await passed(data, way)

    ways = {asyncio.ensure_future(one_way(client, "up")), asyncio.ensure_future(one_way(server, "down"))}
    try:
        while True:
            done, _ = await asyncio.wait(ways, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if done:
                for each in done:
                    each.result()
                return
            aged(loop.time() - began)
    finally:
        for each in ways:
            each.cancel()
        await asyncio.wait(ways)


async def _more(side: Side) -> bool:
    read = side.more()
    await asyncio.wait([read])
    return read.result()
