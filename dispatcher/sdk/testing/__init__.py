"""Tests of applications that submit jobs: a real server in the test's process, and Python functions as pages.

    def test_order(pagehand):
        pagehand.worker.on("print-label", lambda data: {"pages": data["copies"]})
        assert my_app.print_order(4711, url=pagehand.url) == {"pages": 2}

``pagehand`` is a fixture of pytest; it is there once the package is installed. Without pytest it is
``with serve() as pagehand``. docs/testing.md shows the rest by example. From the inside out:

- ``clock``    time that can be skipped, and a loop on it
- ``private``  the server's modules, under names that are in nobody's way
- ``thread``   the thread on which server and pages live
- ``server``   the server
- ``acts``     what becomes of a job
- ``worker``   a page whose tasks are functions
- ``engine``, ``window.js``  a JavaScript engine with the worker's script, task files and a browser that is none
- ``taskpage``, ``tasks``      a page with real task files
- ``trial``    all of it together
- ``plugin``   the fixture
"""

from __future__ import annotations

from .private import lacking

try:
    from .acts import TaskFailure
    from .engine import TaskFileFault
    from .tasks import PlayedTasks
    from .trial import Trial, serve
    from .worker import PlayedWorker
except ModuleNotFoundError as error:
    raise lacking(error) from error

__all__ = ["PlayedTasks", "PlayedWorker", "TaskFailure", "TaskFileFault", "Trial", "serve"]
