"""Simulated workers: pages without a browser, speaking the whole worker protocol over real HTTP.

From the inside out; each module may import only what stands above it. Nothing here imports anything but the
standard library; ``carrier`` alone also needs ``websockets``. Everything is imported relatively, because this package
is installed as ``pagehand.simulator``.

- ``wire``       the text on the wire: Engine.IO payloads and messages
- ``faults``     which faults pages have, and how often
- ``tasks``      the answers of the built-in tasks
- ``journal``    what happened, for people and tests
- ``session``    one Engine.IO session, without I/O
- ``sendqueue``  messages that wait for a POST
- ``stash``      reports that wait for an answer
- ``hands``      the attempts that a page holds
- ``page``       one load of a worker page: the protocol's logic, without I/O, clock or randomness of its own
- ``http``       one keep-alive HTTP/1.1 connection
- ``carrier``    what carries a page's packets: two connections, or a WebSocket
- ``driver``     runs one page on its carrier
- ``farm``       many pages
"""
