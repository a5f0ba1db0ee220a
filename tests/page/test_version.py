"""The page's library carries the version of the server that it comes with."""

from __future__ import annotations

import re
from pathlib import Path

from dispatcher import __version__

LIBRARY = Path(__file__).resolve().parents[2] / "static" / "worker.js"


def test_the_library_has_the_servers_version():
    [version] = re.findall(r"var VERSION = '([^']+)'", LIBRARY.read_text())
    assert version == __version__
