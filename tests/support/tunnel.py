"""What a proxy does with a connection after ``101 Switching Protocols``: it passes bytes and knows nothing of them."""

from __future__ import annotations

import asyncio

from tests.support.http_bytes import Side

__all__ = ["tunnel"]


async def tunnel(client: Side, server: Side, passes: asyncio.Event, cut_s: float | None) -> bool:
    """Passes what comes, while ``passes`` is set. True: one side has hung up; False: the time is up."""
    ways = [asyncio.ensure_future(_flow(*way, passes)) for way in ((client, server), (server, client))]
    try:
        done, _ = await asyncio.wait(ways, timeout=cut_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _flow(source: Side, to: Side, passes: asyncio.Event) -> None:
    while True:
        if not source.buffer:
            read = source.more()
            await asyncio.wait([read])
            if not read.result():
                return
        await passes.wait()
        data = bytes(source.buffer)
        source.buffer.clear()
        to.writer.write(data)
        await to.writer.drain()
