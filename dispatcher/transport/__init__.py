"""Engine.IO v4: by long-polling, which works everywhere, and by WebSocket where one goes.

- ``sessions``  the way in, for fronts and for the service; no I/O, no clock, as all but ``fronts``
- ``book``      what is the same for all sessions: their beginning and end, packets, pings, the listener
- ``polling``   sessions whose packets polls carry
- ``sockets``   sessions whose packets a WebSocket carries, and how they move to it
- ``session``   one session: its outbox and its state
- ``carrier``   what carries a session: a parked poll or a socket, without HTTP and without frames
- ``exchange``  one request and its answer, without HTTP: what a front and the sessions say to each other
- ``codec``     packets and payloads, as python-engineio has them, but strict, and leaving the text alone
- ``pings``     when pings are due and pongs overdue
- ``listener``  what the transport tells the service
- ``limits``    every limit of the transport, in one value
- ``counts``    what has happened so far
- ``fronts``    ``policy`` has the rules of every front, ``front_exchange`` what it does with one request, and
                ``websocket`` handshake and frames, all without I/O;
                ``fast`` is the front on asyncio and httptools, ``http`` the one on Tornado, with ``http_door`` for the
                listening socket, ``http_stream`` for the bytes of a connection, ``http_exchange`` for one request and
                ``http_wire`` for a WebSocket; ``choice`` takes one of them;
                ``server`` is the thin outer class: python-engineio's AsyncServer with its settings, ids and events

It knows nothing of jobs: an attempt is an opaque name that comes back when its offer has been written.
"""

from __future__ import annotations
