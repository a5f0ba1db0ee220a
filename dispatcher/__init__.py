"""Pagehand's dispatcher: hands jobs to workers that are web pages.

The map of the house, from the inside out; each package may import only what stands above it.

- ``core``       pure decisions: who gets which job, when an attempt has ended, what happens next
- ``errors``     the one tree of errors, each with a stable code
- ``protocol``   the messages between a worker page and the server, as values and as text
- ``store``      the truth about jobs: one transaction a turn
- ``service``    the shell on the IOLoop: one loop, one timer, one turn in flight
- ``transport``  Engine.IO over forced HTTP long-polling
- ``sdk``        what ``pip install`` shows the world as the package ``pagehand``
"""

__version__ = "0.1.0"
