"""Pagehand's dispatcher: hands jobs to workers that are web pages.

This is the map of the house, from the outside in; each package may import only what stands below it (docs/design.md).

- ``sdk``        ``pip install`` installs it as the package ``pagehand``; it knows nothing of the others
- ``node``       the shell on the IOLoop: one loop, one timer, one turn in flight
- ``pages``      the messages between a worker page and the server, and the calls of the core that they mean
- ``transport``  Engine.IO over forced HTTP long-polling
- ``store``      the truth about jobs: one transaction a turn
- ``core``       pure decisions: who gets which job, when an attempt has ended, what happens next
- ``config``     the settings and where they come from
- ``errors``     the one tree of errors, each with a stable code
"""

__version__ = "0.1.0"
