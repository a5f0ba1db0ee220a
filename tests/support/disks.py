"""File systems for one test: small ones that fill up, and one whose disk can be pulled out.

Needs root and the right to mount. Whatever happens, nothing stays mounted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.missing import missing

__all__ = ["Tmpfs", "call", "ext4", "mounted", "needs_mounts", "tmpfs"]

PATIENCE_S = 30.0
#: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: from now on the disk gives nothing and takes nothing.
_SHUTDOWN, _AT_ONCE = 0x8004587D, 2


def call(*words: str) -> None:
    """Runs a program of the system. Raises OSError with its output."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")


def needs_mounts(directory: Path) -> None:
    """Skips the test (or fails it under CI) if nothing can be mounted."""
    if os.name != "posix" or os.geteuid() != 0:
        missing("needs root, to mount file systems")
    if shutil.which("mkfs.ext4") is None:
        missing("needs mkfs.ext4 (Debian: apt-get install e2fsprogs)")
    place = directory / "try"
    place.mkdir()
    try:
        with mounted("-t", "tmpfs", "-o", "size=64k", "none", place=place):
            pass
    except OSError as error:
        missing(f"needs to mount file systems ({error})")
    finally:
        place.rmdir()


@contextlib.contextmanager
def mounted(*words: str, place: Path) -> Iterator[Path]:
    """``words`` are the arguments of mount; the file system is unmounted at the end in any case."""
    place.mkdir(exist_ok=True)
    call("mount", *words, str(place))
    try:
        yield place
    finally:
        try:
            call("umount", str(place))
        except OSError:
            call("umount", "--lazy", str(place))


class Tmpfs:
    """A small file system in memory that somebody else fills up and empties again."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filler = place / "somebody-elses"

    def free(self) -> int:
        """How many bytes are free."""
        state = os.statvfs(self.place)
        return state.f_bavail * state.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Plays another program that writes until only ``leave`` bytes are free."""
        with self._filler.open("ab", buffering=0) as file:
            while (more := self.free() - leave) > 0:
                try:
                    file.write(bytes(min(more, 1 << 20)))
                except OSError:
                    break

    def empty(self) -> None:
        """Plays another program that tidies up."""
        self._filler.unlink(missing_ok=True)


@contextlib.contextmanager
def tmpfs(directory: Path, megabytes: int) -> Iterator[Tmpfs]:
    """A file system of this size."""
    with mounted("-t", "tmpfs", "-o", f"size={megabytes}m", "none", place=directory / "small") as place:
        yield Tmpfs(place)


class Disk:
    """An ext4 file system on a disk that can be pulled out."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def pull_out(self) -> None:
        """Makes every read and write of it fail from now on, as when a disk is gone."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _AT_ONCE))
        finally:
            os.close(handle)


@contextlib.contextmanager
def ext4(directory: Path, *, read_only: bool = False, image: Path | None = None) -> Iterator[Disk]:
    """A file system on a loop device; ``image`` names one that was made before."""
    made = image or directory / "disk.img"
    if image is None or not image.exists():
        with made.open("wb") as file:
            file.truncate(192 << 20)  # sparse; the store has enough room
        call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(made))
    options = "loop,ro" if read_only else "loop"
    with mounted("-t", "ext4", "-o", options, str(made), place=directory / "disk") as place:
        yield Disk(place)
