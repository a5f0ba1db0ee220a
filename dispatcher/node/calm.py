"""Keeps Python's collector of cycles from walking what lives long: a full look at 10,000 pages stands still for all.

Python looks for cycles of garbage among all objects when many new ones have come. What stands at the start, and what a
herd of pages has brought, will not be garbage soon: it is *frozen*, and not looked at again. That costs nothing,
however much it is. Objects that nobody refers to any more go at once all the same; only cycles among frozen ones would
stay, so all is looked at once more when most pages have left.
"""

from __future__ import annotations

import gc

__all__ = ["HERD", "Calm"]

#: So many pages more than at the last freeze are a herd.
HERD = 1_000
#: So many more objects than before let Python look for cycles of garbage; its own default is 700.
_THRESHOLDS = (10_000, 20, 50)


class Calm:
    """Knows how many pages there were when memory was last frozen."""

    def __init__(self) -> None:
        self._frozen_pages = 0

    def begin(self) -> None:
        """Call it at the end of the start."""
        gc.set_threshold(*_THRESHOLDS)
        self._freeze_anew(0)

    def look(self, pages: int) -> None:
        """Call it now and then, with how many pages there are now."""
        if pages >= self._frozen_pages + HERD:
            self._frozen_pages = pages
            gc.freeze()
        elif self._frozen_pages >= HERD and pages <= self._frozen_pages // 2:
            self._freeze_anew(pages)

    def _freeze_anew(self, pages: int) -> None:
        """Looks at everything once."""
        self._frozen_pages = pages
        gc.unfreeze()
        gc.collect()
        gc.freeze()
