"""A disk in memory, below SQLite, that loses its power: what was not synced is kept, lost or garbage, sector by sector.

An apsw VFS. Each file is what is durable, and the writes since its last sync. A cut decides for each sector of each of
those writes by itself; later writes may have reached the disk before earlier ones. A file that was made and never
synced may be missing, one that was deleted may be there still.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw

__all__ = ["TornDisk"]

SECTOR = 512

Write = tuple[int, bytes]


@dataclass
class _Content:
    durable: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)
    #: Writes (offset, bytes), and truncations (length, b""), since the last sync.
    pending: list[Write] = field(default_factory=list)
    #: The directory knows of it, for good.
    is_named: bool = False

    def write(self, offset: int, content: bytes) -> None:
        _put(self.now, offset, content)
        self.pending.append((offset, bytes(content)))

    def truncate(self, length: int) -> None:
        del self.now[length:]
        self.pending.append((length, b""))

    def sync(self) -> None:
        self.durable = bytearray(self.now)
        self.pending.clear()
        self.is_named = True

    def after_cut(self, rng: random.Random) -> bytes:
        """What the disk holds of the file after a cut."""
        left = bytearray(self.durable)
        kept = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for offset, content in self.pending:
            if not content:
                if rng.random() < kept:
                    del left[offset:]
                continue
            for at, piece in _sectors(offset, content):
                if rng.random() < kept:
                    _put(left, at, piece)
                elif rng.random() < 0.2:
                    _put(left, at, rng.randbytes(len(piece)))
        return bytes(left)


def _put(target: bytearray, offset: int, content: bytes) -> None:
    target.extend(bytes(max(0, offset - len(target))))
    target[offset : offset + len(content)] = content


def _sectors(offset: int, content: bytes) -> Iterator[Write]:
    """The parts of a write that lie in different sectors."""
    at = 0
    while at < len(content):
        step = SECTOR - (offset + at) % SECTOR
        yield offset + at, content[at : at + step]
        at += step


class TornDisk:
    """The files. ``moment`` is called before each write, sync and deletion."""

    def __init__(self, name: str, files: dict[str, bytes], moment: Callable[[], None]) -> None:
        self.files = {name: _Content(bytearray(data), bytearray(data), is_named=True) for name, data in files.items()}
        #: Deleted, and the directory may not have been synced since.
        self.deleted: dict[str, _Content] = {}
        self.moment = moment
        self.syncs = 0
        self.name = name
        self._vfs = _Vfs(name, self)  # known to SQLite for as long as it lives

    def after_cut(self, rng: random.Random) -> dict[str, bytes]:
        """What is on the disk if the power goes now."""
        files = {name: content for name, content in self.deleted.items() if rng.random() < 0.5}
        files |= {name: content for name, content in self.files.items() if content.is_named or rng.random() < 0.5}
        return {name: content.after_cut(rng) for name, content in files.items()}

    def sync(self, content: _Content) -> None:
        self.moment()
        self.syncs += 1
        content.sync()


class _Vfs(apsw.VFS):
    """What SQLite asks of an operating system; nothing is inherited."""

    def __init__(self, name: str, disk: TornDisk) -> None:
        super().__init__(name, "", maxpathname=200)
        self._disk = disk
        self._system = apsw.VFS(f"{name}-system", apsw.vfs_names()[0])

    def xFullPathname(self, name: str) -> str:
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:
        return pathname in self._disk.files

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.moment()
        gone = self._disk.files.pop(filename)
        self._disk.deleted.pop(filename, None)
        if not syncdir and gone.is_named:
            self._disk.deleted[filename] = gone

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # type: ignore[override]  # apsw asks for no more than these methods
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return _File(self._disk, self._disk.files.setdefault(filename, _Content()))

    def xRandomness(self, count: int) -> bytes:
        return random.randbytes(count)

    def xSleep(self, microseconds: int) -> int:
        return microseconds

    def xCurrentTimeInt64(self) -> int:
        return self._system.xCurrentTimeInt64()

    def xGetLastError(self) -> tuple[int, str]:
        return 0, ""


class _File:
    def __init__(self, disk: TornDisk, content: _Content) -> None:
        self._disk = disk
        self._content = content

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._content.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.moment()
        self._content.write(offset, data)

    def xTruncate(self, newsize: int) -> None:
        self._disk.moment()
        self._content.truncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.sync(self._content)

    def xFileSize(self) -> int:
        return len(self._content.now)

    def xLock(self, level: int) -> None:
        """Nobody else is here."""

    def xUnlock(self, level: int) -> None:
        """Nobody else is here."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        """SQLite assumes this of every disk: a write leaves the bytes beside it alone."""
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xClose(self) -> None:
        """Closing syncs nothing."""
