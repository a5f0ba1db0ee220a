"""Starts a farm to look at: ``make demo``, or ``python -m tests.demo --port 8888``. Ctrl+C ends it.

A server with a store of its own, which has a day of history; simulated pages, of which some fail and some load anew;
and somebody who submits jobs. Nothing of it stays.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

from dispatcher.sdk.simulate import Farm, Faults
from tests.demo.history import DESK_TYPES, DESKS, FAX_TYPES, FAXES, TYPES, write_history
from tests.support.process import ServerProcess

__all__ = ["demo"]

#: Some desks have gone.
_STAYED = DESKS - 3
_DESK_FAULTS = Faults(slow_s=(0.5, 6.0), fail=0.02, reload=0.01, reload_every_s=900.0)
_FAX_FAULTS = Faults(slow_s=(10.0, 40.0), fail=0.05)
_BERLIN = {"site": "berlin"}
#: Between two jobs that are submitted, on average.
_EVERY_S = 0.7


@contextlib.asynccontextmanager
async def demo(directory: Path, port: int = 0, *flags: str) -> AsyncIterator[ServerProcess]:
    """The farm; it works as long as this lasts. ``flags``: of its server."""
    store = directory / "jobs.db"
    jobs = await write_history(store, time.time())
    server = ServerProcess(directory, "--env-label", "DEMO", *flags, port=port, store=store)
    await server.start()
    farms = [
        Farm(server.url, workers=_STAYED, types=DESK_TYPES, name_prefix="DESK", faults=_DESK_FAULTS, labels=_BERLIN),
        Farm(server.url, workers=FAXES, types=FAX_TYPES, name_prefix="FAX", faults=_FAX_FAULTS),
    ]
    for farm in farms:
        await farm.start()
        await farm.registered()
    print(f"{jobs:,} jobs of the last 24 hours; {_STAYED + FAXES} pages at {server.url}", flush=True)
    submitting = asyncio.create_task(_submit(server))
    try:
        yield server
    finally:
        submitting.cancel()
        await asyncio.wait([submitting])
        for farm in farms:
            await farm.stop(bye=False)
        await server.kill()


async def _submit(server: ServerProcess) -> None:
    rng = random.Random(7)
    for order in count(9_000):
        name = rng.choices(TYPES, (12, 1, 4))[0]
        await server.submit({"order": order, "copies": 1}, type=name, summary=f"order {order}")
        await asyncio.sleep(rng.expovariate(1 / _EVERY_S))


async def _run(port: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory() as directory:
        async with demo(Path(directory), port):
            print("Ctrl+C ends it.", flush=True)
            await ended.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8888, help="where the server listens (default: 8888)")
    asyncio.run(_run(parser.parse_args().port))
