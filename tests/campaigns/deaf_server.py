"""server.py with one planted fault: it does not see that a page was loaded anew, so the old page's attempts stay.

For the control of ``reload.py``; the server itself knows nothing of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import server  # the path has to be there first
from dispatcher.core.workers.reconciler import Reconciler


def _keep(*_: Any) -> list[Any]:
    return []


if __name__ == "__main__":
    for name in ("end_old_boot", "_let_go"):
        assert hasattr(Reconciler, name), name
        setattr(Reconciler, name, _keep)
    sys.exit(server.main())
