"""The fast front: HTTP on ``asyncio.BufferedProtocol``, with heads read by httptools, for all addresses.

- ``heads``        the head of a request, strictly
- ``chunks``       a body that comes in chunks
- ``stream``       what a connection writes, and its times
- ``protocol``     one connection: what it reads, and who answers
- ``exchange``     a request for Engine.IO on it
- ``wire``         a WebSocket on it
- ``application``  a request for Tornado's application on it, by Tornado's documented interface
- ``server``       all connections

It keeps the rules of ``fronts.policy``, as Tornado's front does; the tests of ``tests/transport`` run on both.
"""

from __future__ import annotations
