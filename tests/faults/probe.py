"""Asks ``/livez`` again and again from a process of its own: it measures how long a server's loop makes others wait.

``Probe(port)`` starts it; ``end()`` gives the seconds that each answer took. As a program: ``probe.py PORT``, until its
standard input ends; then it prints them as JSON.
"""

from __future__ import annotations

import http.client
import json
import select
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["Probe"]

#: The pause between two questions.
PAUSE_S = 0.01
PATIENCE_S = 20.0


class Probe:
    """A running probe."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"asking\n"

    def end(self) -> list[float]:
        """Stops it. Returns the seconds that each answer took; fails if one was not a 200."""
        out, _ = self._process.communicate(timeout=PATIENCE_S + 10)
        assert self._process.returncode == 0, "the probe failed: an answer was no 200, or none came"
        took: list[float] = json.loads(out)
        return took


def main(port: int) -> int:
    """The program."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    took: list[float] = []
    print("asking", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        began = time.monotonic()
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        answer.read()
        took.append(time.monotonic() - began)
        if answer.status != 200:
            return 1
    connection.close()
    print(json.dumps(took), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
