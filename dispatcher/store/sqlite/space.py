"""Watches the room on the disk: refuses new jobs while it is short, and keeps a reserve for results (promise S23)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["BALLAST_BYTES", "Reserve"]

#: The size of the reserve. It is given up when the disk is full, so that running jobs can still record results.
BALLAST_BYTES = 4 << 20


class Reserve:
    """A file beside the store that holds room on its disk."""

    def __init__(self, store: Path, low_disk_bytes: int) -> None:
        self._ballast = store.with_name(f"{store.name}.ballast")
        # As text: every turn asks, and a Path costs as much as the call itself.
        self._ballast_name, self._directory = str(self._ballast), str(store.parent)
        self._low_disk_bytes = low_disk_bytes
        self._given_up = False

    def low(self) -> bool:
        """Whether there is too little room to take new jobs. If there is enough, it fills the reserve up again.

        Once the reserve was given up, new jobs wait until it is there again: its room is for results.
        """
        if self._free_bytes() < self._low_disk_bytes:
            return True
        self.fill()
        return self._given_up

    def fill(self) -> None:
        """Makes the reserve, if it is not there and there is room for it."""
        if os.path.exists(self._ballast_name) or self._free_bytes() < self._low_disk_bytes + BALLAST_BYTES:
            return
        try:
            # Like the store itself it is for its owner alone, whatever the umask.
            with open(os.open(self._ballast, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                file.write(bytes(BALLAST_BYTES))
        except OSError:
            self._remove()
            return
        self._given_up = False

    def release(self) -> None:
        """Gives the reserve up."""
        self._given_up = True
        self._remove()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._ballast.unlink(missing_ok=True)

    def _free_bytes(self) -> int:
        if not hasattr(os, "statvfs"):
            return 1 << 62  # Windows: the store itself says when the disk is full
        state = os.statvfs(self._directory)
        return state.f_bavail * state.f_frsize
