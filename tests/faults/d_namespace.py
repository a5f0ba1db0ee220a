"""A network namespace of its own, in which the kernel loses packets, or swallows all of them.

``in_namespace(scenario)`` runs a coroutine in a thread that has left for a new namespace; processes that it starts
come along. The addresses of the loopback net are all there: what is dropped for one of them leaves the others alone.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from tests.support.missing import missing

__all__ = ["PAGES", "dropped", "in_namespace", "iptables", "needs_namespace"]

_CLONE_NEWNET = 0x40000000
#: The server's address for the pages in the namespace; others use 127.0.0.1.
PAGES = "127.0.0.2"


def _why_not() -> str:
    """What is missing; empty: nothing."""
    if os.geteuid() != 0:
        return "needs root, for a network namespace"
    if not (shutil.which("iptables") and shutil.which("ip")):
        return "needs iptables and ip on the PATH (Debian: apt-get install iptables iproute2)"
    tried = subprocess.run(
        ["unshare", "-n", "iptables", "-A", "INPUT", "-p", "tcp", "-m", "statistic", "--mode", "random",
         "--probability", "0.5", "-j", "DROP"],
        capture_output=True, check=False,
    )  # fmt: skip
    return "" if tried.returncode == 0 else f"iptables does not work in a network namespace: {tried.stderr.decode()}"


def needs_namespace() -> None:
    """Skips the test if the machine cannot do this; fails it in CI, which must."""
    if why := _why_not():
        missing(why)


def in_namespace(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it to its end and raises what it raised."""
    needs_namespace()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            _leave()
            asyncio.run(scenario())
        except BaseException as error:  # noqa: BLE001  # raised again below, in the test's own thread
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _leave() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def iptables(*rule: str) -> None:
    """One rule, in the namespace of the calling thread."""
    subprocess.run(["iptables", "-w", *rule], check=True)


def dropped() -> int:
    """How many packets the rules have swallowed."""
    listed = subprocess.run(["iptables", "-w", "-L", "INPUT", "-v", "-x", "-n"], check=True, capture_output=True)
    return sum(int(line.split()[0]) for line in listed.stdout.decode().splitlines() if " DROP " in line)
