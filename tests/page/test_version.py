"""The page's library carries the version of the server that it comes with."""

from __future__ import annotations

import re

from dispatcher import __version__
from handlers.worker.script import join


def test_the_library_has_the_servers_version():
    [version] = re.findall(r"var VERSION = '([^']+)'", join())
    assert version == __version__
