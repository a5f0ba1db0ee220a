"""Power cuts: what the disk held at a random instant is what a store must recover from.

A file system (ext4 on a loop device in memory, mounted with ``commit=300``, so that it syncs only what it is asked to)
holds the store of ``writer``. At a random instant the writer is stopped, the disk's image is copied, and the writer
goes on: the copy is a machine that has lost its power. It is mounted, which replays the file system's journal, opened
by the store, and held against what was acknowledged. Controls with less than ``synchronous=FULL`` must lose turns.

Needs root, loop devices and mkfs.ext4. Whatever happens, nothing stays mounted.
"""

from __future__ import annotations

import os
import random
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.errors import StoreRefused
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.campaigns.writer import NUMBER, state_is_wrong
from tests.store.contract import DURABLE, Desk
from tests.support.disks import call, mounted
from tests.support.places import ROOT

FORMS = {"short": "12 power cuts", "default": "60 power cuts", "long": "200 power cuts"}
CUTS = {"short": 12, "default": 60, "long": 200}
CONTROL_CUTS = {"short": 6, "default": 15, "long": 30}
#: Sparse; so large that the store never finds its disk nearly full.
IMAGE_BYTES = 384 << 20
#: Cuts of one writer; then comes a new file system with a new store.
CUTS_EACH = 20
PATIENCE_S = 30.0


@dataclass
class Sums:
    """The counts over all cuts."""

    cuts: int = 0
    acknowledged: int = 0
    #: Turns acknowledged before a cut, and those of them missing after it; summed over the cuts.
    at_cuts: int = 0
    lost: int = 0
    bad_cuts: int = 0
    wrong: list[str] = field(default_factory=list)
    cut_s: list[float] = field(default_factory=list)


def _mounted(image: Path, place: Path) -> AbstractContextManager[Path]:
    return mounted("-t", "ext4", "-o", "loop,commit=300", str(image), place=place)


def _made(image: Path) -> Path:
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    return image


class Writer:
    """The process that writes, and what it has acknowledged."""

    def __init__(self, directory: Path, synchronous: str) -> None:
        self.acknowledged = -1
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.writer", str(directory), synchronous],
            cwd=ROOT, stdout=subprocess.PIPE, bufsize=0, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe, selectors.EVENT_READ)
        self._left = b""

    def hear(self, seconds: float) -> None:
        """Reads acknowledgements for this long; 0: those that are there."""
        deadline = time.monotonic() + seconds
        while self._selector.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(self._pipe.fileno(), 1 << 16)
            if not piece:
                raise OSError(f"the writer ended by itself: {self._process.wait()}")
            self._left += piece
            whole = len(self._left) // NUMBER.size * NUMBER.size
            if whole:
                (self.acknowledged,) = NUMBER.unpack(self._left[whole - NUMBER.size : whole])
                self._left = self._left[whole:]

    def begun(self) -> None:
        """Waits until the store is open."""
        deadline = time.monotonic() + PATIENCE_S
        while self.acknowledged < 0:
            if time.monotonic() > deadline:
                raise TimeoutError("the writer does not begin")
            self.hear(0.01)

    def stop(self) -> None:
        """Stops the writer, and reads its last acknowledgements."""
        self._process.send_signal(signal.SIGSTOP)
        self.hear(0)

    def go_on(self) -> None:
        """After ``stop``."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """It is gone."""
        self._process.kill()
        self._process.wait()
        self._selector.close()
        self._pipe.close()


def _cut(writer: Writer, directory: Path, image: Path, sums: Sums) -> None:
    """One power cut and what is left of the store after it."""
    began = time.monotonic()
    writer.stop()
    acknowledged = writer.acknowledged
    copy = directory / "cut.img"
    subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True, timeout=PATIENCE_S)
    writer.go_on()
    with _mounted(copy, directory / "cut") as place:
        wrong = _look(place, acknowledged)
    copy.unlink()
    sums.cuts += 1
    sums.cut_s.append(time.monotonic() - began)
    sums.bad_cuts += bool(wrong)
    there = [re.search(r"lost: .* (\d+) are there", text) for text in wrong if text.startswith("lost")]
    sums.lost += sum(acknowledged - (int(found[1]) if found else 0) for found in there)
    sums.at_cuts += acknowledged
    sums.wrong += [f"cut {sums.cuts}: {text}" for text in wrong]


def _look(place: Path, acknowledged: int) -> list[str]:
    """The store opens, and holds what it must."""
    if not (place / "jobs.db").exists():
        return [f"lost: {acknowledged} turns were acknowledged, there is no file"]
    try:
        Desk(DURABLE[0], place).end()
    except StoreRefused as error:
        return [f"refused: {error}"]
    return state_is_wrong(place / "jobs.db", acknowledged)


def _cuts(cuts: int, seed: int, synchronous: str) -> Sums:
    rng, sums = random.Random(seed), Sums()
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pagehand-powercut-", dir=base) as name:
        directory = Path(name)
        while sums.cuts < cuts:
            image = _made(directory / "disk.img")
            with _mounted(image, directory / "disk") as disk:
                writer = Writer(disk, synchronous)
                try:
                    writer.begun()
                    for _ in range(min(CUTS_EACH, cuts - sums.cuts)):
                        writer.hear(rng.uniform(0.01, 0.15))
                        _cut(writer, directory, image, sums)
                finally:
                    writer.end()
                sums.acknowledged += writer.acknowledged
    return sums


def _need_disks() -> None:
    if os.name != "posix" or os.geteuid() != 0:
        raise Skipped("needs root, to mount file systems")
    if missing := [tool for tool in ("mkfs.ext4", "mount", "umount") if shutil.which(tool) is None]:
        raise Skipped(f"needs {', '.join(missing)} (Debian: apt-get install e2fsprogs mount)")
    with tempfile.TemporaryDirectory(prefix="pagehand-powercut-") as name:
        try:
            with _mounted(_made(Path(name) / "disk.img"), Path(name) / "disk"):
                pass
        except OSError as error:
            raise Skipped(f"no loop devices or no mounting here: {error}") from None


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    _need_disks()
    sums = _cuts(CUTS[form], seed, "FULL")
    normal = _cuts(CONTROL_CUTS[form], seed, "NORMAL")
    off = _cuts(CONTROL_CUTS[form], seed, "OFF")
    took = sorted(sums.cut_s)

    def count(*beginnings: str) -> int:
        return sum(text.partition(": ")[2].startswith(beginnings) for text in sums.wrong)

    return Record(
        campaign="powercut",
        figures=[
            Figure("power cuts after which acknowledged turns were missing", count(*LOST), sums.cuts, "power cuts",
                   "S1, I1"),
            Figure("acknowledged turns missing, each counted at each cut", sums.lost, sums.at_cuts,
                   "turns of three jobs, acknowledged before a cut", "S1, I1"),
            Figure("power cuts after which the store was damaged, torn or did not open",
                   count(*TORN, *TWICE, *UNEXPECTED, "torn", "refused", "more"), sums.cuts, "power cuts", "I17, I29"),
        ],
        measures=[
            Measure("turns acknowledged between the cuts", sums.acknowledged, "turns, three jobs each"),
            Measure("one cut, median", round(took[len(took) // 2], 2), "s"),
        ],
        controls=[
            Control(f"synchronous={name}", result.bad_cuts, result.cuts, "power cuts",
                    why=f"{result.lost:,} of {result.at_cuts:,} acknowledged turns missing, each counted at each cut")
            for name, result in (("NORMAL", normal), ("OFF", off))
        ],
        notes=["ext4 on a loop device in memory; the image is copied while the writer stands still, in some 30 ms."],
        violations=sums.wrong[:20],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("powercut", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
